package check

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// latencyResults are n requests answered after 1 ms, 2 ms, … n ms, times a factor,
// and some that were never answered or failed.
func latencyResults(n int, factor float64, hung, broken int) (out []latencyResult) {
	for i := range n {
		took := time.Duration(float64(i+1) * factor * float64(time.Millisecond))
		out = append(out, latencyResult{timing: timing{outcome: requestAnswered, took: took}, origin: "e"})
	}
	for range hung {
		out = append(out, latencyResult{timing: timing{outcome: requestUnanswered, took: time.Millisecond, err: errOver}, origin: "e"})
	}
	for range broken {
		out = append(out, latencyResult{timing: timing{outcome: requestFailed, took: time.Microsecond, err: errors.New("refused")}, origin: "e"})
	}
	return out
}

func judgeLatency(idle, live []latencyResult, allowed float64, gates ...policy.QuantileGate) finding {
	inputs := &latencyInputs{file: "r.jsonl", all: []latencyInput{{line: 1, request: []byte("{}")}}}
	t := latencyTrial{
		check: &policy.LatencyCheck{Confidence: 0.95, Quantiles: gates, Errors: allowed},
		sides: []*latencySide{{color: policy.Green, inputs: inputs, results: idle}},
		idle:  distributionOf(idle),
	}
	if live != nil {
		d := distributionOf(live)
		t.live = &d
		t.sides = append(t.sides, &latencySide{color: policy.Blue, inputs: inputs, results: live})
	}
	return t.finding(context.Background())
}

func TestLatencyGates(t *testing.T) {
	p50 := func(limit time.Duration) policy.QuantileGate { return policy.QuantileGate{Quantile: 0.5, Max: limit} }
	p99 := func(limit time.Duration) policy.QuantileGate { return policy.QuantileGate{Quantile: 0.99, Max: limit} }
	of := func(share float64) policy.QuantileGate { return policy.QuantileGate{Quantile: 0.5, OfLive: share} }
	for name, tc := range map[string]struct {
		got  finding
		want rollout.Result
		says string
	}{
		"within":            {judgeLatency(latencyResults(100, 1, 0, 0), nil, 0, p50(60*time.Millisecond)), rollout.Pass, "p50 50.5 ms, at most 60 ms; errors 0%"},
		"beyond":            {judgeLatency(latencyResults(100, 1, 0, 0), nil, 0, p50(30*time.Millisecond)), rollout.Fail, "p50 50.5 ms, at most 30 ms: 95%: "},
		"too close to tell": {judgeLatency(latencyResults(100, 1, 0, 0), nil, 0, p50(49*time.Millisecond)), rollout.Inconclusive, "needs more requests than the 100 measured"},
		"too few":           {judgeLatency(latencyResults(10, 1, 0, 0), nil, 0, p50(time.Second)), rollout.Inconclusive, "needs more answers: 10 of 10 requests"},
		"too few for p99":   {judgeLatency(latencyResults(99, 1, 0, 0), nil, 0, p99(time.Second)), rollout.Inconclusive, "99 of 99 requests brought one, and 100 are needed"},
		"few, but too slow": {judgeLatency(latencyResults(40, 1, 0, 0), nil, 0, p99(20*time.Millisecond)), rollout.Fail, "p99 39.6 ms, at most 20 ms: 95%: "},
		"too few of live": {judgeLatency(latencyResults(200, 1, 0, 0), latencyResults(60, 1, 0, 0), 0, policy.QuantileGate{Quantile: 0.99, OfLive: 5}),
			rollout.Inconclusive, "more requests are needed to tell"},
		"equal":           {judgeLatency(latencyResults(200, 1, 0, 0), latencyResults(200, 1, 0, 0), 0, of(1.2)), rollout.Pass, "is 100% of live's 100 ms"},
		"slower":          {judgeLatency(latencyResults(200, 3, 0, 0), latencyResults(200, 1, 0, 0), 0, of(1.2)), rollout.Fail, "is 300% of live's 100 ms"},
		"slower, perhaps": {judgeLatency(latencyResults(100, 1.25, 0, 0), latencyResults(100, 1, 0, 0), 0, of(1.2)), rollout.Inconclusive, "more requests are needed to tell"},
		"no live":         {judgeLatency(latencyResults(100, 1, 0, 0), latencyResults(0, 1, 0, 100), 0, of(1.2)), rollout.Inconclusive, "live's can't be told: 100 of 100"},
		"live hangs":      {judgeLatency(latencyResults(100, 1, 0, 0), latencyResults(40, 1, 60, 0), 0, of(1.2)), rollout.Inconclusive, "live's can't be told: 60 of 100"},
		"hung":            {judgeLatency(latencyResults(98, 1, 2, 0), nil, 0.5, p99(time.Second)), rollout.Fail, "p99, at most 1 s: there is none: 2 of 100 requests were never answered"},
		"hung, below":     {judgeLatency(latencyResults(98, 1, 2, 0), nil, 0.5, p50(time.Second)), rollout.Pass, "p50 "},
		"errors":          {judgeLatency(latencyResults(98, 1, 1, 1), nil, 0.01, p50(time.Second)), rollout.Fail, "errors 2%, at most 1%: 2 of 100 requests, 1 of them without any answer in time (95%: 0.55% to 7%)"},
		"errors allowed":  {judgeLatency(latencyResults(98, 1, 1, 1), nil, 0.02, p50(time.Second)), rollout.Pass, "errors 2%, at most 2%"},
	} {
		if tc.got.result != tc.want || !strings.Contains(tc.got.summary, tc.says) {
			t.Errorf("%s: %s: %s\nwant %s: %s", name, tc.got.result, tc.got.summary, tc.want, tc.says)
		}
	}
}

// Whatever became of the requests: every number can be journaled, and what was
// not answered never makes a verdict better.
func TestUnansweredRequestsNeverHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, hung, broken := rapid.IntRange(0, 200).Draw(t, "answered"), rapid.IntRange(0, 50).Draw(t, "hung"), rapid.IntRange(0, 50).Draw(t, "broken")
		gate := policy.QuantileGate{
			Quantile: rapid.SampledFrom(latencyQuantiles[:]).Draw(t, "q"),
			Max:      time.Duration(rapid.IntRange(1, 300).Draw(t, "max")) * time.Millisecond,
		}
		f := judgeLatency(latencyResults(n, 1, hung, broken), nil, 1, gate)
		without := judgeLatency(latencyResults(n, 1, 0, broken), nil, 1, gate)
		if f.result == rollout.Pass && without.result == rollout.Fail {
			t.Fatalf("passes with %d requests unanswered: %s\nand fails without: %s", hung, f.summary, without.summary)
		}
		if n == 0 && f.result == rollout.Pass {
			t.Fatalf("passes without an answer: %s", f.summary)
		}
		for name, v := range f.figures {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%s = %v", name, v)
			}
		}
	})
}
