package xds

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/rollout"
)

func ghost(seen time.Time) rollout.NodeRecord {
	return rollout.NodeRecord{Fleet: "edge", Node: "ghost", Agent: "envoy", LastSeen: seen}
}

// A node whose lease ended does not come back with the next start.
func TestEndedLeaseIsForgottenOnDiskToo(t *testing.T) {
	c := newClock()
	store := &memory{nodes: []rollout.NodeRecord{ghost(c.Now())}}
	s := opened(t, Options{Now: c.Now, Nodes: store, Lease: time.Minute}, fraud())
	s.is(t, "fraud", "a stale node", func(r rollout.Report) bool { return len(r.Stale) == 1 })
	c.add(time.Minute)
	s.endLeases(c.Now())
	if !s.unsaved.Load() {
		t.Error("the end of a lease is not saved")
	}
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	again := opened(t, Options{Now: c.Now, Nodes: store, Lease: time.Minute}, fraud())
	again.is(t, "fraud", "no node", func(r rollout.Report) bool { return len(r.Stale) == 0 })
}

// A record of a clock that ran ahead holds nothing up for longer than a lease.
func TestLastSeenInTheFuture(t *testing.T) {
	c := newClock()
	store := &memory{nodes: []rollout.NodeRecord{ghost(c.Now().AddDate(10, 0, 0))}}
	s := opened(t, Options{Now: c.Now, Nodes: store, Lease: time.Hour}, fraud())
	s.is(t, "fraud", "a lease of an hour", func(r rollout.Report) bool {
		return len(r.Stale) == 1 && r.Stale[0].Since.Equal(c.Now()) && r.Stale[0].Until.Equal(c.Now().Add(time.Hour))
	})
}

// stuck is a NodeStore on a disk that hangs until out is closed.
type stuck struct {
	once    sync.Once
	in, out chan struct{}
}

func (k *stuck) SaveNodes([]rollout.NodeRecord) error {
	k.once.Do(func() { close(k.in) })
	<-k.out
	return nil
}

func (k *stuck) Nodes() ([]rollout.NodeRecord, error) { return nil, nil }

func TestSlowDiskKeepsNoNewsBack(t *testing.T) {
	k := &stuck{in: make(chan struct{}), out: make(chan struct{})}
	called := make(chan string, 100)
	s := opened(t, Options{Nodes: k, Changed: func(m string) { called <- m }}, fraud())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	n := s.running(t, false)
	<-k.in
	for len(called) > 0 {
		<-called
	}
	s.Route(routing(fraud(), 2, allGreen))
	n.settle()
	select {
	case <-called:
	case <-time.After(20 * time.Second):
		t.Errorf("nobody is told of %+v", s.Report("fraud"))
	}
	cancel()
	close(k.out)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A node that was never seen before is on disk within moments, not after the
// next regular save: a server that is killed soon after must know of it.
func TestStrangersAreSavedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		s, err := New(Options{Nodes: store, ReconnectGrace: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		synctest.Wait()
		began := time.Now()
		for _, id := range []string{"a", "b"} {
			s.mu.Lock()
			s.admit(nodeKey{"edge", id}, "envoy 1.40.0")
			s.mu.Unlock()
			synctest.Wait()
		}
		kept, err := store.Nodes()
		if got := len(kept); err != nil || got != 2 || time.Since(began) > 0 {
			t.Errorf("after %v %d of 2 nodes are saved", time.Since(began), got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
