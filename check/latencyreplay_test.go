package check

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
)

// answerAfter is a server that answers after some time.
func answerAfter(d time.Duration) func(context.Context, int) error {
	return func(ctx context.Context, _ int) error { return serveFor(ctx, d) }
}

func serveFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func runReplay(t *testing.T, r replay) []timing {
	t.Helper()
	r.done = func() {}
	timings, err := r.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return timings
}

func TestRequestsArriveWhenTheyAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at [100]time.Duration
		timings := runReplay(t, replay{requests: 100, rate: 20, concurrency: 64, within: time.Minute, send: func(ctx context.Context, i int) error {
			at[i] = time.Since(start)
			return serveFor(ctx, 700*time.Millisecond)
		}})
		for i, g := range timings {
			if want := time.Duration(i) * 50 * time.Millisecond; at[i] != want || g.took != 700*time.Millisecond || g.outcome != requestAnswered || g.queued != 0 {
				t.Fatalf("request %d was sent at %v, want %v: %+v", i, at[i], want, g)
			}
		}
		if took := time.Since(start); took != 99*50*time.Millisecond+700*time.Millisecond {
			t.Errorf("all of it took %v", took)
		}
	})
}

// A closed loop would see one slow request out of 400. Users see every one that
// arrives during the stall.
func TestAStallIsSeenByAllWhoArriveDuringIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		stalledFrom, stalledTo := start.Add(5*time.Second), start.Add(6*time.Second)
		r := replay{requests: 400, rate: 40, concurrency: 1, within: time.Minute, send: func(ctx context.Context, _ int) error {
			if now := time.Now(); now.After(stalledFrom) && now.Before(stalledTo) {
				return serveFor(ctx, stalledTo.Sub(now)+10*time.Millisecond)
			}
			return serveFor(ctx, 10*time.Millisecond)
		}}
		var results []latencyResult
		for _, g := range runReplay(t, r) {
			results = append(results, latencyResult{timing: g})
		}
		d := distributionOf(results)
		if p50 := d.quantile(0.5); p50 > 0.011 {
			t.Errorf("p50 = %v s, want 10 ms", p50)
		}
		if p99 := d.quantile(0.99); p99 < 0.8 || p99 > 1.1 {
			t.Errorf("p99 = %v s, want about a second", p99)
		}
		slow := 0
		for _, s := range d.sorted {
			if s > 0.1 {
				slow++
			}
		}
		if slow < 36 {
			t.Errorf("%d requests saw the stall; more than 36 arrived in it", slow)
		}
	})
}

func TestAHangingServerAnswersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		timings := runReplay(t, replay{requests: 50, rate: 10, concurrency: 4, within: 20 * time.Second, send: answerAfter(time.Hour)})
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("it took %v", took)
		}
		for i, g := range timings {
			want := errOver
			if i >= 4 {
				want = errNotSent
			}
			if g.outcome != requestUnanswered || !errors.Is(g.err, want) || g.took != 20*time.Second-time.Duration(i)*100*time.Millisecond {
				t.Errorf("request %d: %+v", i, g)
			}
		}
	})
}

func TestOutcomes(t *testing.T) {
	refused := errors.New("connection refused")
	for name, tc := range map[string]struct {
		err  error
		want outcome
	}{
		"answered": {nil, requestAnswered},
		"refused":  {refused, requestFailed},
		"wrong":    {&predict.AnswerError{Status: 500}, requestFailed},
		"silent":   {&predict.TimeoutError{Within: time.Second}, requestUnanswered},
	} {
		synctest.Test(t, func(t *testing.T) {
			got := runReplay(t, replay{requests: 1, rate: 1, concurrency: 1, within: time.Second, send: func(context.Context, int) error { return tc.err }})
			if got[0].outcome != tc.want || !errors.Is(got[0].err, tc.err) {
				t.Errorf("%s: %+v", name, got[0])
			}
		})
	}
}

func TestAReplayEndsWhenItIsCancelledOrTheDataIsBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		r := replay{requests: 1000, rate: 10, concurrency: 8, within: time.Hour, send: answerAfter(time.Hour), done: func() {}}
		if _, err := r.run(ctx); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("ended after %v with %v", time.Since(start), err)
		}
		broken := &dataset.Error{File: "x.csv", Line: 2, Problem: "a null"}
		r.send = func(_ context.Context, i int) error {
			if i == 3 {
				return broken
			}
			return nil
		}
		if _, err := r.run(t.Context()); !errors.Is(err, broken) {
			t.Errorf("error = %v", err)
		}
	})
}

func TestNoMoreRequestsInFlightThanAllowed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		concurrency := rapid.IntRange(1, 20).Draw(rt, "concurrency")
		requests := rapid.IntRange(1, 200).Draw(rt, "requests")
		rate := rapid.Float64Range(0.5, 1000).Draw(rt, "rate")
		each := time.Duration(rapid.IntRange(0, 2000).Draw(rt, "ms")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			var inFlight, most, sent, done atomic.Int64
			r := replay{requests: requests, rate: rate, concurrency: concurrency, within: 30 * time.Second, done: func() { done.Add(1) },
				send: func(ctx context.Context, _ int) error {
					sent.Add(1)
					if n := inFlight.Add(1); n > most.Load() {
						most.Store(n)
					}
					defer inFlight.Add(-1)
					return serveFor(ctx, each)
				}}
			timings, err := r.run(t.Context())
			if err != nil || len(timings) != requests {
				rt.Fatalf("%d timings, %v", len(timings), err)
			}
			if most.Load() > int64(concurrency) {
				rt.Fatalf("%d in flight, at most %d", most.Load(), concurrency)
			}
			if sent.Load() > int64(requests) || done.Load() != sent.Load() {
				rt.Fatalf("%d of %d requests sent, %d done", sent.Load(), requests, done.Load())
			}
			for i, g := range timings {
				if g.outcome == requestAnswered && g.took < each {
					rt.Fatalf("request %d took %v of %v", i, g.took, each)
				}
			}
		})
	})
}

func TestThePlanKeepsTheCaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &policy.LatencyCheck{
			Count: rapid.IntRange(20, 100_000).Draw(t, "count"), Warmup: rapid.IntRange(0, 10_000).Draw(t, "warmup"),
			Rate: rapid.Float64Range(0.1, 10_000).Draw(t, "rate"), Concurrency: rapid.IntRange(1, 1024).Draw(t, "concurrency"),
			For: time.Duration(rapid.IntRange(1, 3600).Draw(t, "for")) * time.Second,
		}
		live := policy.Cap{Concurrency: rapid.IntRange(1, 64).Draw(t, "live"), PerSecond: rapid.IntRange(0, 200).Draw(t, "perSecond")}
		timeout := time.Duration(rapid.IntRange(0, 20).Draw(t, "timeout")) * time.Second
		p := planLatency(c, []policy.Cap{{Concurrency: 16}, live}, timeout)
		if p.concurrency > min(c.Concurrency, live.Concurrency) || p.rate > c.Rate || live.PerSecond > 0 && p.rate > float64(live.PerSecond) {
			t.Fatalf("plan %+v", p)
		}
		total, measured := p.warmup.within, 0
		for _, round := range p.rounds {
			total += round.within
			measured += round.requests
			last := replay{rate: p.rate}.due(max(round.requests-1, 0))
			if last > round.within {
				t.Fatalf("a request is due at %v of %v", last, round.within)
			}
		}
		if total > c.For+time.Millisecond || measured > c.Count || measured < len(p.rounds) {
			t.Fatalf("%v and %d requests of %+v", total, measured, c)
		}
	})
}
