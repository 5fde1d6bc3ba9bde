package telemetry_test

import (
	"sync"
	"testing"
	"time"

	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"

	"greenlight/examples/lab"
	"greenlight/rollout"
	"greenlight/telemetry"
)

// heard adds up what a server hands on.
type heard struct {
	mu                      sync.Mutex
	requests, late, doubled int
}

func hearing(t *testing.T, now func() time.Time) (*heard, *reporter) {
	t.Helper()
	h := &heard{}
	var s *telemetry.Server
	ready := make(chan struct{})
	s, conn := newHearing(t, telemetry.Options{Now: now, Changed: func(model string) {
		<-ready
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, w := range s.Take(model) {
			h.late += w.Late
			h.doubled += w.Doubled
			for _, r := range w.Users {
				h.requests += r.Colors.Blue.Requests + r.Colors.Green.Requests
			}
		}
	}})
	close(ready)
	go func() { _ = s.Run(t.Context()) }()
	return h, newReporter(t, conn, "e1")
}

func (h *heard) await(t *testing.T, requests, late, doubled int) {
	t.Helper()
	err := lab.Await(t.Context(), nil, "reports", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.requests+h.late+h.doubled >= requests+late+doubled
	})
	must(t, err)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.requests != requests || h.late != late || h.doubled != doubled {
		t.Errorf("%d requests, %d late, %d doubled; want %d, %d, %d", h.requests, h.late, h.doubled, requests, late, doubled)
	}
}

func some(r *reporter, n int, at time.Time) []*datav3.HTTPAccessLogEntry {
	var out []*datav3.HTTPAccessLogEntry
	for range n {
		out = append(out, r.entry(at, "fraud/green", 200, time.Millisecond))
	}
	return out
}

// What comes twice counts once, and what comes long after its time does not count.
func TestReportsThatComeTwiceOrLate(t *testing.T) {
	h, r := hearing(t, nil)
	batch := some(r, 10, time.Now())
	r.send(batch...)
	r.send(batch...)
	h.await(t, 10, 0, 10)
	r.send(some(r, 5, time.Now().Add(-2*time.Minute))...)
	r.send(some(r, 3, time.Now())...)
	h.await(t, 13, 5, 10)
}

// What an Envoy sends again on a new stream, since it did not hear that it had arrived,
// counts once, too.
func TestReportsThatComeAgainOnANewStream(t *testing.T) {
	h, r := hearing(t, nil)
	batch := some(r, 10, time.Now())
	r.send(batch...)
	h.await(t, 10, 0, 0)
	again := newReporter(t, r.conn, "e1")
	again.send(batch...)
	again.send(some(again, 2, time.Now())...)
	h.await(t, 12, 0, 10)
	// Another node's are its own.
	other := newReporter(t, r.conn, "e2")
	other.send(batch...)
	h.await(t, 22, 0, 10)
}

// An Envoy whose clock is an hour off is heard all the same.
func TestReportsOfAnotherClock(t *testing.T) {
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		h, r := hearing(t, nil)
		r.send(some(r, 10, time.Now().Add(off))...)
		h.await(t, 10, 0, 0)
		r.send(some(r, 4, time.Now().Add(off-2*time.Minute))...)
		h.await(t, 10, 4, 0)
	}
}

// Whatever somebody sends, it is dropped or counted, and nobody falls over.
func TestReportsOfStrangers(t *testing.T) {
	h, r := hearing(t, nil)
	odd := func(cluster string, change func(*datav3.HTTPAccessLogEntry)) *datav3.HTTPAccessLogEntry {
		e := r.entry(time.Now(), cluster, 200, time.Millisecond)
		if change != nil {
			change(e)
		}
		return e
	}
	r.send(
		odd("stranger/green", nil), odd("fraud", nil), odd("fraud/red", nil), odd("", nil), odd("/", nil),
		&datav3.HTTPAccessLogEntry{}, odd("fraud/green", func(e *datav3.HTTPAccessLogEntry) { e.CommonProperties = nil }),
	)
	r.send(odd("fraud/green", func(e *datav3.HTTPAccessLogEntry) {
		e.CommonProperties.StartTime, e.CommonProperties.Duration, e.Response, e.Request = nil, nil, nil, nil
		e.CommonProperties.CustomTags = map[string]string{rollout.WeightsTag: "99999/-1"}
	}))
	r.send(some(r, 2, time.Now())...)
	h.await(t, 3, 0, 0)
}
