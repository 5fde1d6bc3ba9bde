package check

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/cenkalti/backoff/v5"

	"greenlight/policy"
	"greenlight/rollout"
)

// The pauses before an inconclusive measurement is made again: 1 s, 2 s, 4 s, …
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// measureAgain measures until something can be said, at most c.Retries times
// more. It gives up early when the next pause would outlast ctx. A failure is
// never measured again: it would be asking until the answer pleases.
func (r *Runner) measureAgain(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	pauses := &backoff.ExponentialBackOff{InitialInterval: firstPause, Multiplier: 2, MaxInterval: longestPause}
	pauses.Reset()
	for times := 1; ; times++ {
		f := r.measure(ctx, job, c, p)
		again := f.result == rollout.Inconclusive && f.outstanding == 0 && !f.final && times <= c.Retries
		if again && pause(ctx, pauses.NextBackOff()) {
			continue
		}
		if times > 1 {
			f.summary += fmt.Sprintf("; measured %d times", times)
		}
		return f
	}
}

// pause waits. It reports false, without waiting if it can, when ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// measure measures once. Whatever a data set or an answer makes the code stumble
// over, only this check suffers from it, and nobody takes it for a pass.
func (r *Runner) measure(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) (f finding) {
	defer func() {
		stumbled := recover()
		if stumbled == nil {
			return
		}
		stack := debug.Stack()
		if elsewhere, ok := stumbled.(panicked); ok {
			stumbled, stack = elsewhere.value, elsewhere.stack
		}
		r.log.Error("a check panicked", "model", job.Model, "check", c.Name, "panic", fmt.Sprint(stumbled), "stack", string(stack))
		f = inconclusive("internal error: %s; the server's log has the stack", shorten(fmt.Sprint(stumbled)))
	}()
	measure := r.kinds[c.Kind()]
	if measure == nil {
		return inconclusive("the policy names nothing to measure")
	}
	return measure(r, ctx, job, c, p)
}
