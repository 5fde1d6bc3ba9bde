package predict

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"greenlight/policy"
)

// Limiter holds what may be sent to one color at a time and per second.
type Limiter struct {
	slots chan struct{}
	rate  *rate.Limiter // nil: no limit per second
}

// NewLimiter makes the limiter of a cap. A concurrency below 1 counts as 1.
func NewLimiter(c policy.Cap) *Limiter {
	l := &Limiter{slots: make(chan struct{}, max(c.Concurrency, 1))}
	if c.PerSecond > 0 {
		// No bursts: a live color gets checks evenly between its users' requests.
		l.rate = rate.NewLimiter(rate.Limit(c.PerSecond), 1)
	}
	return l
}

// Acquire waits for its turn; call release when the request is over. The error
// is the cause of ctx's end.
func (l *Limiter) Acquire(ctx context.Context) (release func(), err error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := l.pace(ctx); err != nil {
		l.release()
		return nil, err
	}
	return l.release, nil
}

func (l *Limiter) release() { <-l.slots }

// concurrency is how many requests there may be at a time.
func (l *Limiter) concurrency() int { return cap(l.slots) }

// pace waits until the rate allows one request more.
func (l *Limiter) pace(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if l.rate == nil {
		return nil
	}
	turn := l.rate.Reserve()
	delay := turn.Delay()
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return context.Cause(ctx)
	}
}
