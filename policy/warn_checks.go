package policy

import "path/filepath"

// Ratios from which on a limit is wide. Whoever writes that much has most often
// written percents where a ratio belongs.
const (
	wideRatio     = 10  // to the other color: ten times as slow, ten times the odds of failing
	widePSI       = 10  // 0.25 is a large shift already
	wideErrors    = 0.5 // half of all requests fail
	wideTolerance = 1   // of an expected number: its opposite still agrees, or nothing at all
	fullShare     = 1.0 // every value of a share is within it
)

// checks looks at every check of the model.
func (w *warner) checks() {
	for _, list := range w.lists() {
		for i, c := range list.checks {
			path := w.entry(list, i)
			switch at := path + "." + c.Kind(); {
			case c.Endpoints != nil && list.path == "spec.validate":
				w.endpoints(at, c.Endpoints)
			case c.Golden != nil:
				w.golden(at, c.Golden)
			case c.Quality != nil:
				w.quality(at, c)
			case c.Drift != nil:
				w.drift(at, c)
			case c.Latency != nil:
				w.latency(path, c)
			case c.Prometheus != nil:
				w.wide(at+".ofLive", value(c.Prometheus.OfLive), "the new color's value may be so many times the live one's")
			case c.Expression != nil:
				w.expression(at, list, c.Expression)
			}
		}
	}
}

// value is 0 for what is not there.
func value(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// wide notes a ratio that is wide.
func (w *warner) wide(path string, ratio float64, says string) {
	if ratio >= wideRatio {
		w.warn(path, RuleWideLimit, "%s = %s; %s; write 120%% for a fifth more", shown(path), plainRatio(ratio), says)
	}
}

// endpoints looks for a validation that lets one instance take all users. At the
// steps and in the bake the share of the other color's is nobody's business.
func (w *warner) endpoints(path string, c *EndpointsCheck) {
	if c.Min == 1 && c.OfLive == 0 && w.has(path+".ofLive") {
		w.warn(path+".ofLive", RuleFewEndpoints, "%s = 0%% and min is 1; one ready instance is enough for all users; write in min the fewest that can take them", shown(path+".ofLive"))
	}
}

func (w *warner) golden(path string, c *GoldenCheck) {
	w.empty(path+".file", c.File, "case")
	for _, bound := range []struct {
		key   string
		value float64
		says  string
	}{
		{"tolerance", c.Tolerance, "a score of 0 agrees with an expected 1"},
		{"relative", c.Relative, "0 agrees with every expected number"},
	} {
		if bound.value >= wideTolerance {
			at := path + "." + bound.key
			w.warn(at, RuleWideLimit, "%s = %g; %s; write what rounding explains, like 1e-6", shown(at), bound.value, bound.says)
		}
	}
}

// drift looks at each gate. A check that is there for an expression may have one
// that can't fail: it has to have some.
func (w *warner) drift(path string, c Check) {
	d := c.Drift
	w.empty(path+".data", d.Data, "row")
	if w.used(c, "") {
		return
	}
	if d.Agreement != nil && *d.Agreement <= 0 {
		w.warn(path+".agreement.min", RuleNeverFails, "%s = 0%%; no share is less; write the least share of rows that must have the same prediction", shown(path+".agreement.min"))
	}
	for _, g := range []struct {
		key  string
		most *float64
	}{{"ks", d.KS}, {"jensenShannon", d.JensenShannon}, {"cramersV", d.CramersV}} {
		if at := path + "." + g.key + ".max"; g.most != nil && *g.most >= fullShare {
			w.warn(at, RuleNeverFails, "%s = %g; it is never more than 1; write a limit like 0.1", shown(at), *g.most)
		}
	}
	if at := path + ".psi.max"; d.PSI != nil && *d.PSI >= widePSI {
		w.warn(at, RuleWideLimit, "%s = %g; 0.25 is a large shift already; write a limit like 0.2", shown(at), *d.PSI)
	}
}

// empty notes a file in which nothing was found when the policy was read.
func (w *warner) empty(path, file, thing string) {
	if file != "" && w.document.empty[file] {
		w.warn(path, RuleEmptyData, "%s = %s holds no %s, so the check has nothing to measure and does not pass; write some, or name the right file", shown(path), filepath.Base(file), thing)
	}
}
