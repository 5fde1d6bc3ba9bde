package registry

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/consul/api"
)

// Waits between failing queries.
const (
	retryFirst = 100 * time.Millisecond
	retryMost  = 10 * time.Second
)

// feed asks for k by blocking queries, by the rules of Consul's documentation:
// an index that went backwards starts the query over, and its answer is not
// used; an index of 0 is taken as 1, or the next query would not wait.
func (c *Consul) feed(ctx context.Context, k key, publish func(answer)) {
	// Nothing is left of the last feed; others dial anew if they have to.
	defer c.transport.CloseIdleConnections()
	var (
		index  uint64
		faults uint64
		retry  = newRetry()
		pace   = newPace(time.Now())
	)
	for pause(ctx, pace.take(time.Now())) {
		entries, got, err := c.query(ctx, k, index)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			// The index is dropped, too: a catalog that was set up anew may need
			// long to reach it, and would not be heard of before.
			faults, index = faults+1, 0
			publish(answer{err: err, faults: faults})
			if !pause(ctx, retry.NextBackOff()) {
				return
			}
		case got < index:
			faults, index = faults+1, 0
		default:
			retry.Reset()
			index = max(got, 1)
			publish(answer{services: map[string][]instance{k.service: instances(entries)}, faults: faults})
		}
	}
}

func newRetry() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = retryFirst, retryMost
	b.Multiplier = 2
	return b
}

// pause waits for d and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// pace is a token bucket over queries: a service that changes all the time is
// followed at a bounded rate, one that changes now and then without any delay.
type pace struct {
	tokens float64
	at     time.Time
}

const (
	paceBurst  = 50
	paceSecond = 200 // queries a second once the burst is used up
)

func newPace(now time.Time) *pace { return &pace{tokens: paceBurst, at: now} }

// take uses one token and says how long to wait for it.
func (p *pace) take(now time.Time) time.Duration {
	p.tokens = min(paceBurst, p.tokens+now.Sub(p.at).Seconds()*paceSecond) - 1
	p.at = now
	if p.tokens >= 0 {
		return 0
	}
	return time.Duration(-p.tokens / paceSecond * float64(time.Second))
}

// instances turns Consul's entries into ours.
func instances(entries []*api.ServiceEntry) []instance {
	out := make([]instance, 0, len(entries))
	for _, e := range entries {
		if e.Service == nil || e.Node == nil {
			continue
		}
		in := instance{
			id: e.Service.ID, node: e.Node.Node,
			address: e.Service.Address, port: e.Service.DefaultPort(),
			tags: e.Service.Tags, meta: e.Service.Meta,
			status:  statusOf(e.Checks),
			weights: weights{e.Service.Weights.Passing, e.Service.Weights.Warning},
		}
		if in.address == "" {
			in.address = e.Node.Address
		}
		if in.weights == (weights{}) {
			// Consul takes no passing weight of 0: an answer without weights
			// comes from something older.
			in.weights = weights{1, 1}
		}
		out = append(out, in)
	}
	return out
}

func statusOf(checks api.HealthChecks) status {
	switch checks.AggregatedStatus() {
	case api.HealthPassing:
		return passing
	case api.HealthWarning:
		return warning
	}
	return critical // also under maintenance, and for a status we don't know
}

// brief takes the URL, which says nothing new, off an error of the client.
func brief(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
