package check

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/check/predict"
	"greenlight/policy"
	"greenlight/rollout"
)

// simulated is a latency check of two colors whose servers answer the i-th
// request after idle(i) and live(i), with everything but the network as in a
// real one: plan, caps, arrivals and judge.
func simulated(t *testing.T, c policy.LatencyCheck, caps []policy.Cap, idle, live func(i int) time.Duration) finding {
	t.Helper()
	plan := planLatency(&c, caps, 15*time.Second)
	inputs := &latencyInputs{file: "r.jsonl", all: []latencyInput{{line: 1, request: []byte("{}")}}}
	var sides []*latencySide
	for k, took := range []func(int) time.Duration{idle, live} {
		limiter := predict.NewLimiter(plan.cap())
		sides = append(sides, &latencySide{
			color: policy.Colors[k], inputs: inputs, clients: make([]*predict.Client, 1), origins: []string{"e"},
			ask: func(ctx context.Context, i int) error {
				release, err := limiter.Acquire(ctx)
				if err != nil {
					return err
				}
				defer release()
				return serveFor(ctx, took(i))
			},
		})
	}
	if err := plan.run(t.Context(), sides, (&serialProgress{}).of("latency")); err != nil {
		t.Fatal(err)
	}
	d := distributionOf(sides[1].results)
	trial := latencyTrial{check: &c, plan: plan, sides: sides, idle: distributionOf(sides[0].results), live: &d}
	return trial.finding(t.Context())
}

// byDefault is what a policy that writes no more than the data gets.
func byDefault() policy.LatencyCheck {
	return policy.LatencyCheck{
		Count: 500, Rate: 20, For: 2 * time.Minute, Concurrency: 64, Warmup: 50, Confidence: 0.95,
		Quantiles: []policy.QuantileGate{{Quantile: 0.99, OfLive: 1.2}},
	}
}

var usualCaps = []policy.Cap{{Concurrency: 16}, {Concurrency: 4, PerSecond: 100}}

// server answers after 20 ms, times a factor, as servers do: now and then it
// takes twice as long (log-normal).
func server(seed uint64, factor float64) func(int) time.Duration {
	return func(i int) time.Duration {
		source := rand.New(rand.NewPCG(seed, uint64(i)))
		return time.Duration(factor * 20e6 * math.Exp(0.3*source.NormFloat64()))
	}
}

// The judgement of equal and of slower models, with what a policy gets that
// names nothing but the data.
func TestLatencyJudgesSimulatedModels(t *testing.T) {
	const pairs = 200
	judged := func(factor float64) map[rollout.Result]int {
		count := map[rollout.Result]int{}
		for seed := range uint64(pairs) {
			synctest.Test(t, func(t *testing.T) {
				count[simulated(t, byDefault(), usualCaps, server(2*seed, factor), server(2*seed+1, 1)).result]++
			})
		}
		return count
	}
	equal, slower := judged(1), judged(1.5)
	t.Logf("equal: %v; 50 %% slower: %v", equal, slower)
	if equal[rollout.Pass] < pairs*95/100 {
		t.Errorf("of %d equal models more than 5 %% are blocked: %v", pairs, equal)
	}
	if slower[rollout.Pass] > pairs/100 {
		t.Errorf("of %d models that are 50 %% slower some pass: %v", pairs, slower)
	}
}

// What held up one request holds up no more than those right behind it, also
// where as many requests are asked for as the cap allows, and it hits no color
// more than the other.
func TestACapPerSecondDoesNotMakeAColorSlower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := byDefault()
		c.Rate, c.Concurrency = 100, 4
		c.Quantiles = []policy.QuantileGate{{Quantile: 0.5, OfLive: 1.2}}
		// Now and then all places are held for a moment.
		at := func(usual time.Duration) func(int) time.Duration {
			return func(i int) time.Duration {
				if i%100 < c.Concurrency {
					return 60 * time.Millisecond
				}
				return usual
			}
		}
		f := simulated(t, c, usualCaps, at(15*time.Millisecond), at(10*time.Millisecond))
		if p50, of := f.figures["p50.idle"], f.figures["p50.live"]; p50 != 0.015 || of != 0.01 || f.result != rollout.Fail {
			t.Errorf("p50 = %v s and %v s, want 15 ms and 10 ms: %s: %s", p50, of, f.result, f.summary)
		}
	})
}

// The caps of the live color hold for both, whatever is asked for and however
// much there is to catch up with.
func TestLatencyNeverSendsMoreThanTheCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := byDefault()
		c.Rate = 1000
		var sent []time.Time
		stalls := func(i int) time.Duration {
			sent = append(sent, time.Now())
			if i%100 == 0 {
				return 2 * time.Second
			}
			return time.Millisecond
		}
		simulated(t, c, []policy.Cap{{Concurrency: 1}, {Concurrency: 1, PerSecond: 50}}, stalls, func(int) time.Duration { return time.Millisecond })
		for i := range sent[1:] {
			if apart := sent[i+1].Sub(sent[i]); apart < 20*time.Millisecond-time.Microsecond && i+1 != 50 {
				t.Fatalf("request %d came %v after the one before", i+1, apart)
			}
		}
	})
}
