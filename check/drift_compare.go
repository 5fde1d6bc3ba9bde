package check

import (
	"fmt"
	"math"

	"greenlight/check/stats"
	"greenlight/policy"
	"greenlight/rollout"
)

const (
	// agreeWithin is how far, as a share of the larger one, numbers may differ and still agree.
	agreeWithin = 1e-6
	// fewLabels is how many different labels may stand for classes where the
	// answers hold the same figures as labels and as numbers.
	fewLabels = 50
)

// drifted is how the predictions of two sides on the same rows compare.
type drifted struct {
	idle, reference *signals
	rows            []int32
	labels          bool         // labels are compared
	first, second   []float64    // the numbers that are compared, reference first; nil if none are
	counts          [2][]float64 // of labels, reference first
	cells           int          // bins or labels of the finest histogram
	chosen          string       // how what is compared was chosen, if it was
	figures         map[string]float64
	undefined       map[string]error // distances without a value, and why
}

func compareSignals(idle, reference *signals, rows []int32, bins int) *drifted {
	m := &drifted{idle: idle, reference: reference, rows: rows, figures: map[string]float64{}, undefined: map[string]error{}}
	m.choose()
	if len(rows) == 0 {
		return m
	}
	if m.labels || m.first != nil {
		m.figures["agreement"] = m.agreement()
	}
	if m.labels {
		m.compareLabels()
	}
	if m.first != nil {
		m.compareNumbers(bins)
	}
	return m
}

// choose picks what both sides have. A number that stands for a class comes as
// label and as value: few different ones are classes, many are numbers.
func (m *drifted) choose() {
	have := func(of func(*signals) int) bool { return of(m.idle) > 0 && of(m.reference) > 0 }
	m.labels = have(func(g *signals) int { return g.labelled }) && !m.idle.manyLabels && !m.reference.manyLabels
	scores := have(func(g *signals) int { return g.scored })
	values := have(func(g *signals) int { return g.counted })
	asked := m.idle.spec.Value != "" || m.reference.labelled == 0 && m.reference.counted > 0
	if values && !scores && !asked && m.labels {
		if different := len(m.idle.labels.all()); different > fewLabels {
			m.labels = false
			m.chosen = fmt.Sprintf("compared as numbers: there are %s different ones", thousands(different))
		} else {
			values = false
		}
	}
	switch {
	case scores:
		m.first, m.second = pick(m.reference.score, m.rows), pick(m.idle.score, m.rows)
	case values:
		m.first, m.second = pick(m.reference.value, m.rows), pick(m.idle.value, m.rows)
	}
}

// agreement is the share of rows with the same label, or without labels with
// the same number.
func (m *drifted) agreement() float64 {
	same := 0
	for k := range m.rows {
		if m.agrees(k) {
			same++
		}
	}
	return float64(same) / float64(len(m.rows))
}

func (m *drifted) agrees(k int) bool {
	switch {
	case m.labels:
		return m.idle.label[m.rows[k]] == m.reference.label[m.rows[k]]
	case m.first != nil:
		a, b := m.first[k], m.second[k]
		return a == b || math.Abs(a-b) <= agreeWithin*max(math.Abs(a), math.Abs(b))
	}
	return false
}

func (m *drifted) compareLabels() {
	n := len(m.idle.labels.all())
	m.counts = [2][]float64{make([]float64, n), make([]float64, n)}
	for _, row := range m.rows {
		m.counts[0][m.reference.label[row]]++
		m.counts[1][m.idle.label[row]]++
	}
	chi2, p, v, _, err := stats.ChiSquare(m.counts[0], m.counts[1])
	m.set("chi2", chi2, err)
	m.set("chi2P", p, err)
	m.set("cramersV", v, err)
	m.histograms(m.counts[0], m.counts[1])
}

func (m *drifted) compareNumbers(bins int) {
	ks, p, err := stats.KS(m.first, m.second)
	m.set("ks", ks, err)
	m.set("ksP", p, err)
	edges := stats.Bins(m.first, bins)
	m.histograms(stats.Histogram(m.first, edges), stats.Histogram(m.second, edges))
}

// histograms takes the distances of two histograms; of several the largest counts.
func (m *drifted) histograms(reference, idle []float64) {
	m.cells = max(m.cells, len(reference))
	psi, err := stats.PSI(reference, idle)
	m.set("psi", max(psi, m.figures["psi"]), err)
	js, err := stats.JensenShannon(reference, idle)
	m.set("js", max(js, m.figures["js"]), err)
}

func (m *drifted) set(name string, v float64, err error) {
	if err != nil {
		m.undefined[name] = err
		return
	}
	m.figures[name] = v
}

// measures holds every distance against its gate. Effect sizes decide: with
// many rows a p-value is small for differences that matter to nobody.
func (m *drifted) measures(d *policy.DriftCheck) []rollout.Measure {
	out := []rollout.Measure{}
	for _, g := range [...]struct {
		name  string
		bound *float64
		p     string
		least bool
	}{
		{name: "agreement", bound: d.Agreement, least: true}, {name: "psi", bound: d.PSI}, {name: "ks", bound: d.KS, p: "ksP"},
		{name: "js", bound: d.JensenShannon}, {name: "cramersV", bound: d.CramersV, p: "chi2P"},
	} {
		v, measured := m.figures[g.name]
		if !measured && g.bound == nil {
			continue
		}
		r := rollout.Measure{Name: g.name}
		if measured {
			r.Idle = &v
		}
		if p, ok := m.figures[g.p]; ok {
			r.PValue = &p
		}
		if g.bound != nil {
			m.hold(&r, *g.bound, g.least)
		}
		out = append(out, r)
	}
	return out
}

func (m *drifted) hold(r *rollout.Measure, bound float64, least bool) {
	rule, side, holds := "at most ", "above", r.Idle != nil && *r.Idle <= bound
	if least {
		rule, side, holds = "at least ", "below", r.Idle != nil && *r.Idle >= bound
	}
	r.Rule, r.Result = rule+number(bound), rollout.Pass
	switch {
	case r.Idle == nil:
		r.Result, r.Why = rollout.Inconclusive, m.without(r.Name)
	case len(m.rows) < m.needed(r.Name):
		r.Result = rollout.Inconclusive
		r.Why = fmt.Sprintf("says nothing on %s; it needs %s", plural(len(m.rows), "row"), thousands(m.needed(r.Name)))
	case !holds:
		r.Result, r.Why = rollout.Fail, fmt.Sprintf("is %s %s", side, number(bound))
	}
}

// needed is how many rows a distance needs: distances of histograms grow with
// the noise of their bins, so that ten rows a bin have to be there.
func (m *drifted) needed(name string) int {
	if name == "psi" || name == "js" {
		return max(leastDriftRows, 10*m.cells)
	}
	return leastDriftRows
}

func (m *drifted) without(name string) string {
	if err := m.undefined[name]; err != nil {
		return fmt.Sprintf("is %v", err)
	}
	switch name {
	case "cramersV":
		return "has no value: there are no labels on both sides, or too many"
	case "ks":
		return "has no value: there are no numbers on both sides"
	}
	return "has no value: the two sides have nothing in common to compare"
}

// verdict is the result and its sentence.
func (m *drifted) verdict(measures []rollout.Measure) (rollout.Result, string) {
	result := rollout.Pass
	for _, r := range measures {
		if r.Result == rollout.Fail || r.Result == rollout.Inconclusive && result == rollout.Pass {
			result = r.Result
		}
	}
	s := ""
	for _, r := range measures {
		if r.Result != "" && r.Result == result {
			if s != "" {
				s += "; "
			}
			s += r.Name
			if r.Idle != nil {
				s += " " + number(*r.Idle)
			}
			if r.Why != "" {
				s += " " + r.Why
			}
		}
	}
	return result, fmt.Sprintf("%s on %s rows", s, thousands(len(m.rows)))
}
