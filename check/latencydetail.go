package check

import (
	"cmp"
	"fmt"
	"slices"

	"greenlight/rollout"
)

// maxSlowest is how many failed, and how many slow requests a report shows.
const maxSlowest = 10

// detail is what the report shows: the distribution, what was slowest, and how
// it was measured.
func (t *latencyTrial) detail() *rollout.Detail {
	d := &rollout.Detail{Notes: append(t.plan.notes, t.method()...)}
	chart := rollout.Chart{
		Title: "Latency by share of requests", XLabel: "share of requests (%)", YLabel: "latency (s)", Kind: rollout.ChartLine,
	}
	chart.Series = append(chart.Series, t.idle.series("idle"))
	if t.live != nil {
		chart.Series = append(chart.Series, t.live.series("live"))
	}
	d.Charts = []rollout.Chart{chart}
	d.Cases = append(t.sides[0].cases(func(r latencyResult) bool { return r.outcome != requestAnswered }),
		t.sides[0].cases(func(r latencyResult) bool { return r.outcome == requestAnswered })...)
	return d
}

func (t *latencyTrial) method() []string {
	notes := []string{
		fmt.Sprintf("%g requests per second arrived whatever became of those before, at most %d at a time; each latency counts from when the request was due",
			t.plan.rate, t.plan.concurrency),
		"requests that failed are errors and no latencies; those without an answer in time are errors, and slower than all others",
	}
	if t.live != nil {
		notes = append(notes, fmt.Sprintf("the colors were measured in turn, in %d rounds", len(t.plan.rounds)))
	}
	for _, s := range t.sides {
		notes = append(notes, fmt.Sprintf("%s: %s to warm up, of which %d failed; they do not count", s.color, plural(t.plan.warmup.requests, "request"), s.broken))
	}
	return notes
}

// series is the quantile curve, closer where it is steep: at the slow end.
func (d *distribution) series(name string) rollout.Series {
	s := rollout.Series{Name: name}
	add := func(percentile float64) {
		if q := percentile / 100; d.known(q) {
			s.X, s.Y = append(s.X, percentile), append(s.Y, d.quantile(q))
		}
	}
	for i := range 190 {
		add(float64(i) / 2)
	}
	for i := range 51 {
		add(95 + float64(i)/10)
	}
	return s
}

// cases are the slowest requests that are of a kind.
func (s *latencySide) cases(of func(latencyResult) bool) []rollout.Case {
	var some []latencyResult
	for _, r := range s.results {
		if of(r) {
			some = append(some, r)
		}
	}
	slices.SortStableFunc(some, func(a, b latencyResult) int { return cmp.Compare(b.took, a.took) })
	var out []rollout.Case
	for _, r := range some[:min(len(some), maxSlowest)] {
		c := rollout.Case{
			Where: s.inputs.where(r.input), Input: s.inputs.shown(r.input),
			Idle: fmt.Sprintf("%s from %s", inMillis(r.took.Seconds()), r.origin),
		}
		if r.err != nil {
			c.Idle = fmt.Sprintf("%s after %s: %v", r.origin, inMillis(r.took.Seconds()), r.err)
		}
		out = append(out, c)
	}
	return out
}

// latencyEvidence is the first requests of the judged color that failed.
func latencyEvidence(sides []*latencySide) []rollout.Evidence {
	var l evidenceList
	judged := sides[0]
	for _, r := range judged.results {
		if r.outcome != requestAnswered {
			l.add(failure{late: r.outcome == requestUnanswered, line: judged.inputs.all[r.input].line, Evidence: rollout.Evidence{
				Endpoint: r.origin, Case: judged.inputs.where(r.input), Expected: "an answer", Got: r.err.Error(),
			}})
		}
	}
	return l.shown()
}
