package xds

import (
	"maps"
	"slices"
	"sync/atomic"
)

// What a report says changes with what is published, with what nodes subscribe
// to, with every answer that is sent and every answer to it. Whoever changes
// one of these marks the models that it concerns, and then pokes Run, which
// takes the mark before Changed is called: so no news is lost, and much of it
// costs one call.

// haste says how soon news is told.
type haste int

const (
	// partial news has more of its kind on its way: it waits for that a while.
	partial haste = iota
	// soon is at once, unless something was told just before.
	soon
	// urgent news is what somebody waits for.
	urgent
	hastes
)

// poke lets Run announce what was touched.
func (s *Server) poke(h haste) {
	select {
	case s.news[h] <- struct{}{}:
	default:
	}
}

// mark sets a flag that Run looks at. Of many who bring partial news only the
// first pokes; the others must not wait behind its patience.
func (s *Server) mark(flag *atomic.Bool, h haste) {
	if h != partial || !flag.Load() {
		flag.Store(true)
		s.poke(h)
	}
}

// touch marks a model.
func (s *Server) touch(f *flags, h haste) { s.mark(&f.touched, h) }

// touchBehind marks the models of a route configuration that some node has not
// confirmed yet.
func (s *Server) touchBehind(a *audience, h haste) { s.mark(&a.touched, h) }

// touchFleet marks every model of a fleet.
func (s *Server) touchFleet(f *fleet, h haste) { s.mark(&f.crowd, h) }

// touchCrowd marks every model, of all fleets: what a node followed before its
// stream may route any.
func (s *Server) touchCrowd() { s.mark(&s.crowd, soon) }

// touchAll marks every model at once. The caller holds Server.mu.
func (s *Server) touchAll() {
	for _, m := range s.models {
		m.flags.touched.Store(true)
	}
	s.poke(urgent)
}

// touchOwners marks the models that a cluster or an assignment belongs to, or
// the listener of a gRPC client.
func (s *Server) touchOwners(blobs ...*blob) {
	for _, b := range blobs {
		if b != nil && b.owner != nil {
			s.touch(b.owner.flags, soon)
		}
	}
}

// moved marks the models that may be waiting to hear that h is on its way, was
// taken, or is gone.
func (w *watch) moved(h *holding, was *blob) {
	s := w.stream.server
	switch f := w.stream.node.fleet; {
	case h.audience != nil:
		s.touchBehind(h.audience, partial)
	case w.kind == route && f != nil:
		s.touchFleet(f, soon) // the fleet's routes of a former name, perhaps
	}
	s.touchOwners(h.wanted, h.out, h.acked, was)
}

// subscribed marks the models that h matters to, when its subscription begins
// or ends. Listeners and routes of a fleet matter to all of its models.
func (w *watch) subscribed(h *holding) {
	if f := w.stream.node.fleet; f != nil && (w.kind == listener || w.kind == route) {
		w.stream.server.touchFleet(f, soon)
		return
	}
	w.moved(h, nil)
}

// shrinks marks the models whose clusters a node is about to lose, or lost.
func (s *Server) shrinks(from, to *generation) {
	if from == nil || from == to {
		return
	}
	for _, b := range from.blobs {
		if to.byName[b.name] == nil {
			s.touchOwners(b)
		}
	}
}

// grows marks the models whose clusters a node newly has.
func (s *Server) grows(from, to *generation) {
	if from == to {
		return
	}
	for _, b := range to.blobs {
		if from == nil || from.byName[b.name] != b {
			s.touchOwners(b)
		}
	}
}

// rejectedBy marks the models that a NACK on w may concern.
func (s *Server) rejectedBy(w *watch) {
	if f := w.stream.node.fleet; f != nil {
		s.touchFleet(f, urgent)
		return
	}
	for _, h := range w.held {
		w.moved(h, nil)
	}
	s.poke(urgent)
}

// announce calls Changed for every model whose report may have changed, after
// it removed what nobody needs any more.
func (s *Server) announce() {
	for _, name := range s.due() {
		s.opts.Changed(name)
	}
}

// due takes the marks of all models.
func (s *Server) due() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := map[string]struct{}{}
	for _, f := range s.fleets {
		f.due(due)
	}
	crowd := s.crowd.Swap(false)
	for name, m := range s.models {
		touched := m.flags.touched.Swap(false) || crowd
		if m.audience.touched.Swap(false) || touched {
			due[name] = struct{}{}
		}
	}
	for name, m := range s.leaving {
		m.flags.touched.Store(false)
		due[name] = struct{}{} // there are few, and not for long
	}
	s.reap(due)
	return slices.Sorted(maps.Keys(due))
}

// due adds the fleet's models whose report may have changed: all of them, or
// those that some node has not confirmed. Of those that leave, some node may
// still route each.
func (f *fleet) due(due map[string]struct{}) {
	crowd, touched := f.crowd.Swap(false), f.audience.touched.Swap(false)
	if !crowd && !touched {
		return
	}
	if crowd {
		for name := range f.models {
			f.unsettled[name] = struct{}{}
		}
	}
	for name := range f.leaving {
		due[name] = struct{}{}
	}
	maps.Copy(due, f.unsettled)
	if f.audience.behind.Load() == 0 {
		clear(f.unsettled)
	}
}
