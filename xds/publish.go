package xds

import (
	"maps"
	"slices"

	"greenlight/xds/resource"
)

// What is wanted is written here, under Server.mu, into what each node holds.

// resolve is what a node gets when it asks for a name, and the audience that
// it then belongs to. A fleet's own names come first.
func (s *Server) resolve(n *node, k kind, name string) (*blob, *audience) {
	if f := n.fleet; f != nil {
		if k == route && name == f.routes {
			return f.routing, &f.audience
		}
		if b := f.listeners.byName[name]; k == listener && b != nil {
			return b, nil
		}
	}
	b := s.shared[k][name]
	if k == route && b != nil && n.proxyless() {
		for model := range b.hosts[0].models {
			return b, s.models[model].audience
		}
	}
	return b, nil
}

// share makes b the answer for its name.
func (s *Server) share(b *blob) {
	if was := s.shared[b.kind][b.name]; was != nil && was.version == b.version && was.owner == b.owner {
		return
	}
	s.shared[b.kind][b.name] = b
	s.eachNode(func(n *node) { s.retell(n, b.kind, b.name) })
}

// unshare takes a name away.
func (s *Server) unshare(k kind, name string) {
	delete(s.shared[k], name)
	s.eachNode(func(n *node) { s.retell(n, k, name) })
}

// tell lets a fleet's nodes know that a name's answer changed.
func (s *Server) tell(f *fleet, k kind, name string) {
	for n := range f.nodes {
		s.retell(n, k, name)
	}
}

// retell lets a node know that a name's answer changed, if it subscribes to it.
func (s *Server) retell(n *node, k kind, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	held := false
	n.each(k, func(w *watch) {
		if h := w.held[name]; h != nil {
			b, a := s.resolve(n, k, name)
			w.want(h, b, a)
			held = true
		}
	})
	if held {
		n.wakeAll() // what is wanted of one kind may open the gate of another
	}
	if k == route {
		n.countAbsence()
	}
}

// tellAll replaces what a fleet's wildcard subscribers should hold.
func (s *Server) tellAll(f *fleet, g *generation) {
	at := &f.clusters
	if g.kind == listener {
		at = &f.listeners
	}
	if (*at).version == g.version {
		return
	}
	changes := g.changes(*at)
	*at = g
	for n := range f.nodes {
		n.mu.Lock()
		n.each(g.kind, func(w *watch) { s.wantAll(n, w, g, changes) })
		n.mu.Unlock()
	}
}

func (s *Server) wantAll(n *node, w *watch, g *generation, changes map[string]*blob) {
	if a := w.all; a != nil {
		if a.refused[a.wanted.version] != nil || a.refused[g.version] != nil {
			s.touchFleet(n.fleet, soon) // a rejection stands no longer, or again
		}
		a.wanted = g
	}
	for name, b := range changes {
		switch h := w.held[name]; {
		case w.wildcard && (h != nil || b != nil):
			w.want(w.hold(name, true), b, nil)
		case h != nil:
			b, _ := s.resolve(n, g.kind, name)
			w.want(h, b, nil)
		}
	}
	w.stream.wake()
}

// everything is what a wildcard subscription of the node covers.
func (n *node) everything(k kind) *generation {
	switch {
	case n.fleet != nil && k == cluster:
		return n.fleet.clusters
	case n.fleet != nil && k == listener:
		return n.fleet.listeners
	default:
		return newGeneration(k, nil)
	}
}

// reap removes the clusters of models that left, from fleets in which no node
// routes to them any more, and adds those models to due.
func (s *Server) reap(due map[string]struct{}) {
	for _, f := range s.fleets {
		gone := false
		for name, m := range f.leaving {
			if !anyRoutes(maps.Keys(f.nodes), m) {
				delete(f.leaving, name)
				due[name] = struct{}{}
				gone = true
			}
		}
		if gone {
			s.rebuildFleetClusters(f)
			s.forget(f)
		}
	}
	for name, m := range s.leaving {
		if !s.left(name) || anyRoutes(maps.Keys(s.proxyless), m) {
			continue
		}
		delete(s.leaving, name)
		due[name] = struct{}{}
		for _, b := range slices.Concat(m.clusters[:], m.endpoints[:]) {
			if b != nil && s.shared[b.kind][b.name] != nil {
				s.unshare(b.kind, b.name)
			}
		}
	}
}

// left reports whether no fleet keeps the model any more.
func (s *Server) left(name string) bool {
	for _, f := range s.fleets {
		if f.leaving[name] != nil {
			return false
		}
	}
	return true
}

// anyRoutes reports whether some node may still route the model.
func anyRoutes(nodes func(func(*node) bool), m *model) bool {
	for n := range nodes {
		if n.routes(m) {
			return true
		}
	}
	return false
}

// routes reports whether the node may still follow a configuration in which
// the model is. One that has asked and not acknowledged anything may follow
// any.
func (n *node) routes(m *model) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := slices.ContainsFunc(n.prior.routes, func(b *blob) bool { return b.has(m) })
	n.each(route, func(w *watch) {
		for _, h := range w.held {
			if n.proxyless() && h.name != resource.ModelRoutes(m.name) {
				continue
			}
			found = found || h.acked == nil && h.wanted != nil || h.acked != nil && h.acked.has(m) || h.out != nil && h.out.has(m)
		}
	})
	return found
}

// has reports whether b routes the model in any of its domains.
func (b *blob) has(m *model) bool {
	return slices.ContainsFunc(m.domains, func(d string) bool { return b.part(d, m.name).content != "" })
}
