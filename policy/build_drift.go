package policy

import "math"

const defaultPSI = 0.2

func (b *builder) drift(path string, predict Predict, raw *rawDrift) *DriftCheck {
	d := &DriftCheck{
		Data:          b.data(path+".data", raw.Data),
		Rows:          b.count(path+".rows", raw.Rows, defaultRows, 1, maxRows),
		Bins:          b.count(path+".bins", raw.Bins, 10, 2, 100),
		PSI:           b.driftMax(path+".psi", raw.PSI, math.MaxFloat64),
		KS:            b.driftMax(path+".ks", raw.KS, 1),
		JensenShannon: b.driftMax(path+".jensenShannon", raw.JensenShannon, 1),
		CramersV:      b.driftMax(path+".cramersV", raw.CramersV, 1),
	}
	if raw.Agreement != nil {
		if raw.Agreement.Min == nil {
			b.require(path+".agreement.min", "write the least share of rows with the same prediction")
		}
		least := b.ratio(path+".agreement.min", raw.Agreement.Min, 0, 0, 1)
		d.Agreement = &least
	}
	if b.marks.has(path + ".baseline") {
		d.Baseline = b.baseline(path+".baseline", orEmpty(raw.Baseline))
		b.comparable(path, d)
		b.baselineAnswered(path+".baseline", d.Baseline, predict.Answer)
	}
	if d.Agreement == nil && d.PSI == nil && d.KS == nil && d.JensenShannon == nil && d.CramersV == nil {
		most := defaultPSI
		d.PSI = &most
	}
	return d
}

func (b *builder) driftMax(path string, raw *rawMax, most float64) *float64 {
	if raw == nil {
		return nil
	}
	if raw.Max == nil {
		b.require(path+".max", "write the largest value that passes")
	}
	value := b.decimal(path+".max", raw.Max, 0, 0, most)
	return &value
}

func (b *builder) baseline(path string, raw *rawBaseline) *Baseline {
	column := func(key string, written *string) string {
		return b.text(child(path, key), written, "", RuleTextSyntax, textFault)
	}
	base := &Baseline{Label: column("label", raw.Label), Score: column("score", raw.Score), Value: column("value", raw.Value)}
	if raw.Label == nil && raw.Score == nil && raw.Value == nil {
		b.require(path, "name a column of stored predictions: label, score or value")
	}
	return base
}

// comparable notes gates that the stored predictions can't answer.
func (b *builder) comparable(path string, d *DriftCheck) {
	numbers := d.Baseline.Score != "" || d.Baseline.Value != ""
	if d.KS != nil && !numbers {
		b.problem(path+".ks", RuleContradiction, "%s compares numbers, and baseline has neither score nor value", shown(path+".ks"))
	}
	if d.CramersV != nil && d.Baseline.Label == "" {
		b.problem(path+".cramersV", RuleContradiction, "%s compares classes, and baseline has no label", shown(path+".cramersV"))
	}
	if d.Agreement != nil && d.Baseline.Label == "" && d.Baseline.Value == "" {
		b.problem(path+".agreement", RuleContradiction, "%s compares classes or numbers, and baseline has neither label nor value", shown(path+".agreement"))
	}
}

// baselineAnswered notes stored predictions that the answer is said not to hold.
func (b *builder) baselineAnswered(path string, base *Baseline, a Answer) {
	if a.Label == "" && a.Scores == "" && a.Value == "" && a.Ranking == "" {
		return // only the answers will tell
	}
	for _, pair := range []struct {
		key, needs string
		fits       bool
	}{
		{"label", "label or scores", base.Label == "" || a.Label != "" || a.Scores != ""},
		{"score", "scores", base.Score == "" || a.Scores != ""},
		{"value", "value", base.Value == "" || a.Value != ""},
	} {
		if !pair.fits {
			b.problem(child(path, pair.key), RuleContradiction, "%s is compared with the answer's %s; say in predict.answer where that is", shown(child(path, pair.key)), pair.needs)
		}
	}
}
