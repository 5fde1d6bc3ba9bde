package xds

import (
	"cmp"
	"context"
	"slices"
	"time"

	"greenlight/rollout"
)

const (
	// quietGap is how long news is gathered before Changed is called again;
	// urgentGap the same when somebody waits for it, and partialGap when more is
	// on its way, which a thousand nodes need about that long for.
	quietGap   = 50 * time.Millisecond
	urgentGap  = 2 * time.Millisecond
	partialGap = 100 * time.Millisecond
	// leaseTick is how often ended leases are looked for.
	leaseTick = time.Second
	// saveEvery is how often a changed set of nodes is saved.
	saveEvery = 2 * time.Second
	// saveRest is how many times as long as a save the rest after it is.
	saveRest = 4
)

// departed is a node that is not connected and may still route as it did.
type departed struct {
	agent string
	prior prior
	since time.Time
	until time.Time
}

// remember takes over the nodes that were known before a restart. What they
// route is not known, and their leases begin anew, now: a record's LastSeen is
// only when it was written, and the node may have been connected until the
// server was killed. A lease so never ends too early, however old the record.
// A LastSeen that is still to come was written by a clock that ran ahead.
func (s *Server) remember(known []rollout.NodeRecord) {
	now := s.opts.Now()
	for _, r := range known {
		since := r.LastSeen
		if since.After(now) {
			since = now
		}
		key := nodeKey{r.Fleet, r.Node}
		for range 1 + r.Twins {
			d := &departed{agent: r.Agent, prior: prior{unknown: true}, since: since, until: now.Add(s.opts.Lease)}
			s.stale[key] = append(s.stale[key], d)
		}
		s.awaited[key] = struct{}{}
	}
}

// watch waits for one of three things: news, the passing of time, and the end.
// Saving, and reading secrets anew, have goroutines of their own: a slow disk must
// not keep news back.
func (s *Server) watch(ctx context.Context) error {
	tick := time.NewTicker(leaseTick)
	defer tick.Stop()
	gap := time.NewTimer(0)
	defer gap.Stop()
	kept := make(chan error, 1)
	go func() { kept <- s.keepNodes(ctx) }()
	reread := make(chan struct{})
	go func() { defer close(reread); s.keepTokens(ctx) }()
	var next, last time.Time // next: when gap ends; zero while nothing is to be announced
	within := func(wait time.Duration) {
		if at := time.Now().Add(wait); next.IsZero() || at.Before(next) {
			next = at
			gap.Reset(max(0, wait))
		}
	}
	for {
		select {
		case <-ctx.Done():
			<-reread
			return <-kept
		case <-s.news[urgent]:
			within(urgentGap - time.Since(last))
		case <-s.news[soon]:
			within(quietGap - time.Since(last))
		case <-s.news[partial]:
			within(partialGap)
		case <-gap.C:
			next = time.Time{}
			s.announce()
			last = time.Now()
		case <-tick.C:
			s.endLeases(s.opts.Now())
		}
	}
}

// keepNodes saves the known nodes when they changed, and at the end. A node
// that was never seen before is saved at once: were the server killed before,
// the next one would not know that there is somebody to wait for.
func (s *Server) keepNodes(ctx context.Context) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.save()
		case <-s.strangers:
		case <-tick.C:
		}
		if !s.unsaved.Load() {
			continue
		}
		began := time.Now()
		if err := s.save(); err != nil {
			s.log.Error("known nodes not saved; trying again", "error", err)
		}
		// Each save writes all nodes; a crowd that joins one by one shares them.
		select {
		case <-time.After(saveRest * time.Since(began)):
		case <-ctx.Done():
		}
	}
}

// endLeases forgets the nodes whose lease ran out, and notes when the wait for
// nodes from before a restart is over.
func (s *Server) endLeases(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for key, gone := range s.stale {
		left := slices.DeleteFunc(slices.Clone(gone), func(d *departed) bool { return !now.Before(d.until) })
		if len(left) == len(gone) {
			continue
		}
		s.setStale(key, left)
		delete(s.awaited, key)
		s.unsaved.Store(true)
		changed = true
	}
	if len(s.awaited) > 0 && s.graceOver(now) {
		clear(s.awaited)
		changed = true
	}
	if changed {
		s.touchAll()
	}
}

func (s *Server) graceOver(now time.Time) bool {
	return !s.openedAt.IsZero() && now.Sub(s.openedAt) >= s.opts.ReconnectGrace
}

// settled reports whether nodes known from before a restart had their time.
func (s *Server) settled(now time.Time) bool {
	return !s.openedAt.IsZero() && (len(s.awaited) == 0 || s.graceOver(now))
}

// save keeps the known nodes. That is due when one came or went, and at the end;
// a connected node's LastSeen is not refreshed in between, see remember.
func (s *Server) save() error {
	if s.opts.Nodes == nil {
		return nil
	}
	s.unsaved.Store(false)
	if err := s.opts.Nodes.SaveNodes(s.records()); err != nil {
		s.unsaved.Store(true)
		return err
	}
	return nil
}

// records is every known node, connected or stale: one for each key.
func (s *Server) records() []rollout.NodeRecord {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.opts.Now()
	var out []rollout.NodeRecord
	for key, all := range s.connected {
		twins := len(s.stale[key])
		if doubled(all) {
			twins += len(all) - 1
		}
		out = append(out, rollout.NodeRecord{Fleet: key.fleet, Node: key.id, Agent: all[len(all)-1].agent, LastSeen: now, Twins: twins})
	}
	for key, gone := range s.stale {
		if len(s.connected[key]) > 0 {
			continue
		}
		d := gone[len(gone)-1]
		out = append(out, rollout.NodeRecord{Fleet: key.fleet, Node: key.id, Agent: d.agent, LastSeen: d.since, Twins: len(gone) - 1})
	}
	slices.SortFunc(out, func(a, b rollout.NodeRecord) int {
		return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Node, b.Node))
	})
	return out
}
