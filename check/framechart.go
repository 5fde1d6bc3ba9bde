package check

import "greenlight/rollout"

// chart is c within its bounds. It is left out if nothing of it can be drawn.
func (fr *frame) chart(c rollout.Chart) (rollout.Chart, bool) {
	c.Title, c.XLabel, c.YLabel = shorten(c.Title), shorten(c.XLabel), shorten(c.YLabel)
	all := c.Series
	c.Series = nil
	for _, s := range all[:min(len(all), maxSeries)] {
		s.Name = shorten(s.Name)
		drawn, why := points(s), ""
		if c.Kind == rollout.ChartBars {
			drawn, why = bars(s)
		}
		if why == "" && len(drawn.Y) == 0 {
			why = "it has no points that can be drawn"
		}
		if why != "" {
			fr.note("%s is left out of the chart %q: %s", s.Name, c.Title, why)
			continue
		}
		c.Series = append(c.Series, drawn)
	}
	return c, len(c.Series) > 0
}

// points is the points of s that can be drawn: of too many an even choice with
// the first and the last one.
func points(s rollout.Series) rollout.Series {
	good := rollout.Series{Name: s.Name}
	for i := range min(len(s.X), len(s.Y)) {
		if finite(s.X[i]) && finite(s.Y[i]) {
			good.X, good.Y = append(good.X, s.X[i]), append(good.Y, s.Y[i])
		}
	}
	n := len(good.X)
	if n <= maxPoints {
		return good
	}
	out := rollout.Series{Name: s.Name}
	for i := range maxPoints {
		at := i * (n - 1) / (maxPoints - 1)
		out.X, out.Y = append(out.X, good.X[at]), append(out.Y, good.Y[at])
	}
	return out
}

// bars is s if it is a whole histogram: with a piece missing, or a right edge,
// it would show something else than what was measured.
func bars(s rollout.Series) (out rollout.Series, why string) {
	if len(s.X) != len(s.Y)+1 {
		return s, "its bars have no matching edges"
	}
	if len(s.Y) > maxPoints {
		return s, "it has too many bars"
	}
	for i := range s.X {
		if !finite(s.X[i]) || i < len(s.Y) && !finite(s.Y[i]) {
			return s, "a bar is not finite"
		}
	}
	return s, ""
}
