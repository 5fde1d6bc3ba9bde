package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"greenlight/api/adminv1"
	"greenlight/policy/calendar"
)

// colorWord is "blue", "green", or empty.
func colorWord(c adminv1.Color) string { return word(c.String(), "COLOR_") }

// phaseWord is the phase as the documentation writes it: "rolling-back".
func phaseWord(p adminv1.Phase) string { return word(p.String(), "PHASE_") }

// outcomeWord is "running" for a switch without outcome.
func outcomeWord(o adminv1.Outcome) string {
	if o == adminv1.Outcome_OUTCOME_UNSPECIFIED {
		return "running"
	}
	return word(o.String(), "OUTCOME_")
}

func resultWord(r adminv1.Result) string { return word(r.String(), "RESULT_") }

// word turns an enum's name into the word that Greenlight uses for it.
func word(name, prefix string) string {
	name = strings.TrimPrefix(name, prefix)
	if name == "UNSPECIFIED" {
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(name), "_", "-")
}

// percentWord is 25, 12.5 or 0.01, never with more zeros than needed.
func percentWord(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }

func endpointsOf(s *adminv1.EndpointSet, c adminv1.Color) []*adminv1.Endpoint {
	if c == adminv1.Color_COLOR_BLUE {
		return s.GetBlue()
	}
	return s.GetGreen()
}

func countOf(n *adminv1.ColorCounts, c adminv1.Color) int32 {
	if c == adminv1.Color_COLOR_BLUE {
		return n.GetBlue()
	}
	return n.GetGreen()
}

// versionsOf joins the versions that c's ready endpoints serve.
func versionsOf(s *adminv1.EndpointSet, c adminv1.Color) string {
	var out []string
	for _, e := range endpointsOf(s, c) {
		if e.GetVersion() != "" {
			out = append(out, e.GetVersion())
		}
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ",")
}

// span writes d with at most two units, as people say it: "3h", "2m5s", "850ms".
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return calendar.PlainDuration(d.Round(time.Second))
	case d < 48*time.Hour:
		return calendar.PlainDuration(d.Truncate(time.Minute))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

// age is how long ago t was; empty for no time.
func (a *app) age(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return span(a.now().Sub(t.AsTime()))
}

// left is how long it takes until t; "now" once it has passed.
func (a *app) left(t *timestamppb.Timestamp) string {
	d := t.AsTime().Sub(a.now())
	if d <= 0 {
		return "now"
	}
	return span(d.Truncate(time.Second))
}

// clock is t in the local time zone; empty for no time.
func clock(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Local().Format(time.DateTime)
}

// plural is "1 node", "2 nodes".
func plural[N int | int32](n N, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
