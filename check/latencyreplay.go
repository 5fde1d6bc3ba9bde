package check

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"greenlight/check/predict"
)

// replay sends requests as users do: each arrives when it is due, whatever
// became of those before, and its latency counts from then on. A server that
// stalls can't slow down what it is measured with (coordinated omission).
type replay struct {
	requests    int
	rate        float64 // arrivals per second
	concurrency int     // requests in flight; one more waits on its own account
	// within is the time from the first arrival to when every request must have
	// been answered. It is longer than the arrivals take.
	within time.Duration
	// send sends the i-th request and returns when it is answered, soon after
	// its context ends at the latest. Many goroutines call it.
	send func(ctx context.Context, i int) error
	// done is called after each request.
	done func()
}

// outcome is what became of a request.
type outcome uint8

const (
	requestUnanswered outcome = iota // not within its time, or that of the replay
	requestAnswered
	requestFailed // answered wrong, or refused
)

// timing is what became of one request of a replay.
type timing struct {
	outcome outcome
	// took is the time from when it was due to its end; of one that was not
	// answered how long it had no answer, at least.
	took time.Duration
	// queued is how much of that it waited because all places were taken.
	queued time.Duration
	err    error // nil if answered
}

var (
	errOver    = errors.New("no answer when its time was over")
	errNotSent = errors.New("not sent when the time was over: earlier requests held all places")
)

// run returns what became of all requests. Its error is that of a request that
// no server is to blame for, or the cause of ctx's end.
func (r replay) run(ctx context.Context) ([]timing, error) {
	start := time.Now()
	window, end := context.WithDeadlineCause(ctx, start.Add(r.within), errOver)
	defer end()
	window, abort := context.WithCancelCause(window)
	defer abort(nil)

	timings := make([]timing, r.requests)
	for i := range timings {
		timings[i] = timing{took: r.within - r.due(i), queued: r.within - r.due(i), err: errNotSent}
	}
	var next atomic.Int64
	var g group
	for range min(r.concurrency, r.requests) {
		g.run(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= r.requests || !sleepUntil(window, start.Add(r.due(i))) {
					return
				}
				timings[i] = r.one(window, i, start.Add(r.due(i)))
				if blameless(timings[i].err) {
					abort(timings[i].err)
					return
				}
				r.done()
			}
		})
	}
	g.wait()
	if err := context.Cause(window); err != nil && !errors.Is(err, errOver) {
		return nil, err
	}
	return timings, nil
}

// due is when the i-th request arrives, from the start.
func (r replay) due(i int) time.Duration {
	return time.Duration(math.Round(float64(i) / r.rate * float64(time.Second)))
}

func (r replay) one(window context.Context, i int, due time.Time) timing {
	t := timing{queued: max(0, time.Since(due))}
	t.err = r.send(window, i)
	t.took = time.Since(due)
	_, silent := errors.AsType[*predict.TimeoutError](t.err)
	switch {
	case t.err == nil:
		t.outcome = requestAnswered
	case window.Err() != nil:
		t.err = errOver
	case !silent:
		t.outcome = requestFailed
	}
	return t
}

// sleepUntil reports false when ctx ends before.
func sleepUntil(ctx context.Context, at time.Time) bool {
	if ctx.Err() != nil {
		return false
	}
	wait := time.Until(at)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
