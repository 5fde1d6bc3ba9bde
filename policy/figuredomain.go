package policy

import (
	"math"
	"strings"
)

// Values that figures can have.
var (
	anyNumber   = span{math.Inf(-1), math.Inf(1)}
	notNegative = span{0, math.Inf(1)}
	shareOfAll  = span{0, 1}
	atMostOne   = span{math.Inf(-1), 1}
	// difference is one of two shares.
	difference = span{-1, 1}
)

// domain is the values that one of the check's figures can have.
func (c Check) domain(figure string) span {
	what, of, _ := strings.Cut(figure, ".")
	switch {
	case c.Endpoints != nil || c.Ready != nil || c.Golden != nil:
		return notNegative
	case what == "errors":
		return shareOfAll
	case c.Quality != nil && what != "rows":
		return Metric(what).domain(of)
	case c.Drift != nil && (what == "rows" || what == "psi" || what == "chi2"):
		return notNegative
	case c.Drift != nil:
		return shareOfAll
	case c.Quality != nil || c.Latency != nil:
		return notNegative
	}
	return anyNumber
}

// domain is the values of a metric of one color, or of what compares the two.
// The ends of an interval may lie beyond those of the difference itself.
func (m Metric) domain(of string) span {
	one := of == "idle" || of == "live"
	switch {
	case one && m.Bounded():
		return shareOfAll
	case one && m == R2:
		return atMostOne
	case one:
		return notNegative
	case of == "difference" && m.Bounded():
		return difference
	}
	return anyNumber
}
