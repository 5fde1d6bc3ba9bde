package report

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"greenlight/rollout"
)

// number is v with four digits that count; what isn't finite is "–".
func number(v float64) string {
	if !finite(v) {
		return none
	}
	if v == 0 {
		return "0" // and not "-0"
	}
	if a := math.Abs(v); a >= 1e4 && a < 1e9 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// none stands where there is nothing.
const none = "–"

// quantity is v in unit: times as people say them.
func quantity(v float64, unit string) string {
	switch {
	case !finite(v):
		return none
	case unit == "s" && math.Abs(v) < 1e-3:
		return number(v*1e6) + " µs"
	case unit == "s" && math.Abs(v) < 1:
		return number(v*1e3) + " ms"
	case unit == "":
		return number(v)
	default:
		return number(v) + " " + word(unit)
	}
}

func optional(v *float64, unit string) string {
	if v == nil {
		return none
	}
	return quantity(*v, unit)
}

// estimate is the value of i, or nothing.
func estimate(i *rollout.Interval, unit string) string {
	if i == nil {
		return none
	}
	return quantity(i.Value, unit)
}

// interval is "[low, high] 95%"; empty without one.
func interval(i *rollout.Interval, unit string) string {
	if i == nil || !finite(i.Low) || !finite(i.High) {
		return ""
	}
	out := fmt.Sprintf("[%s, %s]", quantity(i.Low, unit), quantity(i.High, unit))
	if i.Confidence > 0 && i.Confidence < 1 {
		out += " " + strconv.FormatFloat(i.Confidence*100, 'g', 4, 64) + "%"
	}
	return out
}

func pValue(p *float64) string {
	switch {
	case p == nil || !finite(*p):
		return none
	case *p < 0.0001:
		return "< 0.0001"
	default:
		return strconv.FormatFloat(*p, 'g', 3, 64)
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// moment is t in UTC; "–" for none. Years that RFC 3339 has no digits for are none.
func moment(t time.Time) string {
	if t.IsZero() || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return none
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// span is d as people say it.
func span(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}
