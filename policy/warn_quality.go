package policy

// quality looks at each gate of a quality check. What an expression judges may
// have a gate that does not: a metric is measured only if it has one.
func (w *warner) quality(path string, c Check) {
	q := c.Quality
	w.empty(path+".data", q.Data, "row")
	if len(q.Slices) > 0 && q.SliceRows > q.Rows {
		at := path + ".sliceRows"
		w.warn(at, RuleNeverFails, "%s = %d, and at most %d rows are used; no slice is ever judged; write fewer than rows", shown(at), q.SliceRows, q.Rows)
	}
	for _, g := range q.Gates {
		at := path + ".gates." + string(g.Metric)
		switch {
		case w.used(c, string(g.Metric)+"."):
		case g.keptByAll():
			w.warn(at, RuleNeverFails, "%s can't fail, for no value of it breaks %s; write a bound that a worse model breaks, or notWorseThanLive: true", shown(at), g.bounds())
		case !g.stopsWorse() && !w.judgedElsewhere(g.Metric):
			w.warn(at, RuleReversedGate, "%s has only %s, so a better model fails and the worst passes; write %s, or notWorseThanLive: true", shown(at), g.bounds(), goodSide(g.Metric))
		}
	}
}

// goodSide is the bound that a worse model breaks.
func goodSide(m Metric) string {
	if m.LowerIsBetter() {
		return "max"
	}
	return "min"
}

// minBites reports whether some value of the metric is below Min.
func (g Gate) minBites() bool {
	return g.Min != nil && (g.Metric == R2 || *g.Min > 0)
}

// maxBites reports whether some value of the metric is above Max.
func (g Gate) maxBites() bool {
	return g.Max != nil && (!g.Metric.Bounded() && g.Metric != R2 || *g.Max < 1)
}

// lossBites reports whether some loss exceeds the margin: of metrics between 0
// and 1 none is more than 1.
func (g Gate) lossBites() bool {
	return g.NotWorse != nil && (!g.Metric.Bounded() || g.NotWorse.Margin < 1)
}

// keptByAll reports whether no value breaks the gate.
func (g Gate) keptByAll() bool { return !g.minBites() && !g.maxBites() && !g.lossBites() }

// stopsWorse reports whether a worse model can break the gate.
func (g Gate) stopsWorse() bool {
	return g.lossBites() || goodSide(g.Metric) == "min" && g.minBites() || goodSide(g.Metric) == "max" && g.maxBites()
}

// bounds names what the gate has.
func (g Gate) bounds() string {
	switch {
	case g.NotWorse != nil:
		return "its margin"
	case g.Min != nil && g.Max != nil:
		return "min and max"
	case g.Min != nil:
		return "min"
	}
	return "max"
}

// judgedElsewhere reports whether another quality check stops what is worse: a
// check of its own may guard against what is too good to be true.
func (w *warner) judgedElsewhere(metric Metric) bool {
	for _, list := range [][]Check{w.model.Validate, w.model.StepChecks.Checks, w.model.Bake.Checks} {
		for _, c := range list {
			if c.Quality == nil {
				continue
			}
			for _, g := range c.Quality.Gates {
				if g.Metric == metric && g.stopsWorse() {
					return true
				}
			}
		}
	}
	return false
}
