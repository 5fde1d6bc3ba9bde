package check

import (
	"runtime"

	"greenlight/check/stats"
	"greenlight/policy"
	"greenlight/rollout"
)

// judgement is every gate tried on all rows and on every slice.
type judgement struct {
	whole    []trial
	measures []rollout.Measure // of whole
	slices   []slice           // worst first
	small    int               // slices with too few rows to be judged
}

// slice is the gates tried on the rows with one value in one column.
type slice struct {
	column, value string
	rows          []int32
	trials        []trial
	measures      []rollout.Measure
	failed        bool
	loss          float64
}

// judge tries all gates. rows are those to compare on; idle may have failed on
// some of them, which counts as wrong where the metric is one of labels and
// leaves the row out elsewhere. live is nil if it was not asked.
func judge(q *policy.QualityCheck, idle, live *answers, idleFailed []bool, rows []int32, cancel func() error) (*judgement, error) {
	j := &judgement{whole: make([]trial, len(q.Gates))}
	j.part(idle.truth, rows, q.SliceRows)
	type work struct {
		into *trial
		gate policy.Gate
		rows []int32
	}
	var all []work
	for k, g := range q.Gates {
		all = append(all, work{&j.whole[k], g, rows})
	}
	for i := range j.slices {
		s := &j.slices[i]
		s.trials = make([]trial, len(q.Gates))
		for k, g := range q.Gates {
			all = append(all, work{&s.trials[k], g, s.rows})
		}
	}
	errs := make([]error, len(all))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var together group
	for i, w := range all {
		slots <- struct{}{}
		together.run(func() {
			defer func() { <-slots }()
			if errs[i] = cancel(); errs[i] != nil {
				return
			}
			on := w.rows
			if !ofLabels(w.gate.Metric) {
				on = answered(on, idleFailed)
			}
			*w.into, errs[i] = try(w.gate, idle, live, on, cancel)
		})
	}
	together.wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	j.decide()
	return j, nil
}

func ofLabels(m policy.Metric) bool {
	return usesOf([]policy.Gate{{Metric: m}}).labels || m == policy.TopK
}

func answered(rows []int32, failed []bool) []int32 {
	var out []int32
	for _, row := range rows {
		if !failed[row] {
			out = append(out, row)
		}
	}
	return out
}

// part divides the rows into slices of at least least rows.
func (j *judgement) part(t *truth, rows []int32, least int) {
	for _, by := range t.slices {
		values := by.values.all()
		parts := make([][]int32, len(values))
		for _, row := range rows {
			parts[by.of[row]] = append(parts[by.of[row]], row)
		}
		for v, part := range parts {
			switch {
			case len(part) >= max(least, 1):
				j.slices = append(j.slices, slice{column: by.column, value: values[v], rows: part})
			case len(part) > 0:
				j.small++
			}
		}
	}
}

// decide holds all trials against their rules, once all p-values are there to
// be adjusted for their number.
func (j *judgement) decide() {
	gates, slices := pValues(j.whole), []float64(nil)
	for i := range j.slices {
		slices = append(slices, pValues(j.slices[i].trials)...)
	}
	gates, slices = stats.Families(gates, slices)
	take := func(from *[]float64, trials []trial, ofSlice bool) []rollout.Measure {
		var out []rollout.Measure
		for i := range trials {
			adjusted := 1.0
			if trials[i].tested() {
				adjusted, *from = (*from)[0], (*from)[1:]
			}
			out = append(out, trials[i].measures(adjusted, ofSlice)...)
		}
		return out
	}
	j.measures = take(&gates, j.whole, false)
	for i := range j.slices {
		j.slices[i].measures = take(&slices, j.slices[i].trials, true)
	}
	j.sort()
}

// tested reports whether a trial's p-value decides a gate.
func (t *trial) tested() bool { return t.gate.NotWorse != nil && t.gain != nil }

func pValues(trials []trial) []float64 {
	var out []float64
	for i := range trials {
		if trials[i].tested() {
			out = append(out, trials[i].pWorse)
		}
	}
	return out
}

// result is the verdict of all gates: a failure anywhere fails, and what can't
// be said of all rows can't be said. A metric that is undefined on a slice says
// nothing of the model, just as a slice that is too small.
func (j *judgement) result() rollout.Result {
	result := rollout.Pass
	for _, m := range j.measures {
		switch m.Result {
		case rollout.Fail:
			return rollout.Fail
		case rollout.Inconclusive:
			result = rollout.Inconclusive
		}
	}
	for _, s := range j.slices {
		if s.failed {
			return rollout.Fail
		}
	}
	return result
}
