package report

import (
	"math"

	"greenlight/rollout"
)

// largest is the largest number that a picture shows: beyond it the arithmetic
// of axes would lose itself.
const largest = 1e12

// smallest is the smallest number that a logarithmic axis shows.
const smallest = 1e-12

// drawable is c's series with only what can be drawn: numbers within bounds,
// positive ones on a logarithmic axis, and bins only if they are whole.
func drawable(c rollout.Chart) []rollout.Series {
	series, _ := head(c.Series, maxSeries)
	var out []rollout.Series
	for _, s := range series {
		kept := rollout.Series{Name: s.Name}
		if c.Kind == rollout.ChartBars {
			if wholeBins(c, s) {
				kept.X, kept.Y = s.X, s.Y
			}
		} else {
			for i := range min(len(s.X), len(s.Y), maxPoints) {
				if shown(s.X[i], c.LogX) && shown(s.Y[i], false) {
					kept.X, kept.Y = append(kept.X, s.X[i]), append(kept.Y, s.Y[i])
				}
			}
		}
		if len(kept.Y) > 0 {
			out = append(out, kept)
		}
	}
	return out
}

func wholeBins(c rollout.Chart, s rollout.Series) bool {
	if len(s.Y) == 0 || len(s.Y) > maxPoints || len(s.X) != len(s.Y)+1 {
		return false
	}
	for i, x := range s.X {
		if !shown(x, c.LogX) || (i > 0 && x < s.X[i-1]) {
			return false
		}
	}
	for _, y := range s.Y {
		if !shown(y, false) {
			return false
		}
	}
	return true
}

func shown(v float64, positive bool) bool {
	return finite(v) && math.Abs(v) <= largest && (!positive || v >= smallest)
}

// stretch is the part of an axis that is shown.
type stretch struct{ low, high float64 }

func (s *stretch) hold(v float64) { s.low, s.high = min(s.low, v), max(s.high, v) }

// ranges is what the axes show; false if there is nothing to show.
func ranges(c rollout.Chart, series []rollout.Series) (x, y stretch, ok bool) {
	x = stretch{math.Inf(1), math.Inf(-1)}
	y = x
	for _, s := range series {
		for _, v := range s.X {
			x.hold(v)
		}
		for _, v := range s.Y {
			y.hold(v)
		}
	}
	if len(series) == 0 {
		return x, y, false
	}
	if c.Kind == rollout.ChartBars {
		y.hold(0)
	}
	if c.Diagonal {
		x.hold(y.low)
		x.hold(y.high)
		y = x
	}
	if c.LogX && x.low < smallest { // a diagonal may have brought it in
		x.low = smallest
	}
	x, y = widen(x, c.LogX, c.Diagonal), widen(y, false, c.Diagonal)
	if !c.Diagonal {
		y.high += (y.high - y.low) * 0.13 // for the legend
	}
	return x, y, true
}

// widen gives s a width, and unless it is exact a little air at both ends.
func widen(s stretch, log, exact bool) stretch {
	if log {
		if s.high < s.low*1.01 {
			return stretch{s.low / 2, s.low * 2}
		}
		return s
	}
	least := max(math.Abs(s.low), math.Abs(s.high))*1e-6 + 1e-12
	if width := s.high - s.low; width >= least {
		if exact {
			return s
		}
		air := width * 0.04
		if s.low == 0 {
			return stretch{0, s.high + air}
		}
		return stretch{s.low - air, s.high + air}
	}
	half := max(math.Abs(s.low)/2, 0.5)
	return stretch{s.low - half, s.high + half}
}
