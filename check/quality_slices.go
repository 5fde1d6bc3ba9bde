package check

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"greenlight/rollout"
)

// sort puts the worst slices first: those that fail, then by what they lose.
func (j *judgement) sort() {
	for i := range j.slices {
		s := &j.slices[i]
		s.failed = slices.ContainsFunc(s.measures, func(m rollout.Measure) bool { return m.Result == rollout.Fail })
		s.loss = math.Inf(-1)
		for k := range s.trials {
			s.loss = max(s.loss, s.trials[k].loss(j.whole[k]))
		}
	}
	slices.SortStableFunc(j.slices, func(a, b slice) int {
		if a.failed != b.failed {
			if a.failed {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.loss, a.loss)
	})
}

// name is "country=DE".
func (s *slice) name() string { return shorten(s.column) + "=" + shorten(s.value) }

// inWords names the slice with the metric that is worst there.
func (s *slice) inWords(whole []trial) string {
	worst := 0
	for k := range s.trials {
		if s.trials[k].loss(whole[k]) > s.trials[worst].loss(whole[worst]) {
			worst = k
		}
	}
	return fmt.Sprintf("%s: %s", s.name(), s.trials[worst].inWords())
}

// undefined lists the metrics that have no value on the slice, or no
// difference that a gate asks for.
func (s *slice) undefined() bool {
	return slices.ContainsFunc(s.measures, func(m rollout.Measure) bool { return m.Result == rollout.Inconclusive })
}

// shownSlices is the slices of the report, worst first.
func (j *judgement) shownSlices() []rollout.Slice {
	var out []rollout.Slice
	for i := range j.slices[:min(len(j.slices), maxSlices)] {
		s := &j.slices[i]
		out = append(out, rollout.Slice{Column: s.column, Value: s.value, Rows: len(s.rows), Measures: s.measures})
	}
	return out
}

// notes say how slices were judged, and which were not.
func (j *judgement) notes(least int) []string {
	var notes []string
	if j.small > 0 {
		notes = append(notes, fmt.Sprintf("%s with fewer than %d rows not judged", plural(j.small, "slice"), least))
	}
	undefined := 0
	first := ""
	for i := range j.slices {
		if j.slices[i].undefined() {
			if undefined++; first == "" {
				first = j.slices[i].name()
			}
		}
	}
	if undefined > 0 {
		notes = append(notes, fmt.Sprintf("a metric can't be judged on %s, first %s: that counts neither for nor against the model",
			plural(undefined, "slice"), first))
	}
	if extra := len(j.slices) - maxSlices; extra > 0 {
		notes = append(notes, fmt.Sprintf("of %d slices the worst %d are shown", len(j.slices), maxSlices))
	}
	gates, tests := len(pValues(j.whole)), 0
	for i := range j.slices {
		tests += len(pValues(j.slices[i].trials))
	}
	switch {
	case gates > 0 && tests > 0:
		notes = append(notes, fmt.Sprintf("p-values are one-sided and adjusted by Holm's method: %s over all rows and %s of slices share the error rate (1−confidence)/2 by halves; a slice fails only on a loss that is shown",
			plural(gates, "test"), plural(tests, "test")))
	case gates > 1:
		notes = append(notes, fmt.Sprintf("p-values are one-sided and adjusted by Holm's method for %s", plural(gates, "test")))
	case gates == 1:
		notes = append(notes, "the p-value is one-sided: small where idle is worse")
	}
	return notes
}
