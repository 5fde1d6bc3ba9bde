package xds

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// nodeKey names a node: its node.cluster and node.id.
type nodeKey struct{ fleet, id string }

// node is one connected Envoy or gRPC client: its ADS stream and all of its
// non-aggregated streams. Two connections with one id are two nodes, because
// neither may answer for the other.
type node struct {
	key   nodeKey
	fleet *fleet // nil for a gRPC client, which belongs to the models that it asks for
	agent string
	since time.Time
	// followed: a younger connection with its id came. doubled: the ADS stream
	// spoke even then, so that two nodes must go by one id: a node that
	// reconnected is silent on its old connection.
	followed, doubled atomic.Bool

	mu      sync.Mutex // guards what follows, and the watches of all streams
	streams []*stream
	prior   prior
	// absent: the node has not asked for its fleet's route configuration, which
	// counts as one behind in the fleet's audience.
	absent bool
	delta  bool
}

// prior is the routing that a node may still follow from before its stream, or
// from a stream of its that ended. The first acknowledged routes replace it.
type prior struct {
	unknown bool // it may route anything anywhere
	routes  []*blob
}

func (p *prior) add(b *blob) {
	if b != nil && !slices.Contains(p.routes, b) {
		p.routes = append(p.routes, b)
	}
}

// join adds what another connection of the node followed.
func (p *prior) join(o *prior) {
	p.unknown = p.unknown || o.unknown
	for _, b := range o.routes {
		p.add(b)
	}
}

// follows notes that the node acknowledged the routes h: it follows no older
// ones of that name, and nothing old at all when it has acknowledged all routes
// that it asks for.
func (n *node) follows(h *holding) {
	if n.prior.unknown || len(n.prior.routes) > 0 {
		n.streams[0].server.touchCrowd()
	}
	n.forgetRoutes(h)
	if n.followsAll() {
		n.prior = prior{}
	}
}

// followsAll reports whether the node acknowledged all routes that it asks for.
func (n *node) followsAll() bool {
	asked, all := false, true
	n.each(route, func(w *watch) {
		for _, h := range w.held {
			asked, all = true, all && (h.acked != nil || h.wanted == nil)
		}
	})
	return asked && all
}

func (n *node) proxyless() bool { return n.fleet == nil }

// agentOf is what a node calls itself: "envoy 1.40.0", "gRPC Go 1.85.0".
func agentOf(id *corev3.Node) string {
	version := id.GetUserAgentVersion()
	if v := id.GetUserAgentBuildVersion().GetVersion(); v != nil {
		version = fmt.Sprintf("%d.%d.%d", v.GetMajorNumber(), v.GetMinorNumber(), v.GetPatch())
	}
	return strings.TrimSpace(id.GetUserAgentName() + " " + version)
}

func isProxyless(agent string) bool { return strings.HasPrefix(agent, "gRPC") }

// find is the node's holding of a name; nil if it does not subscribe to it.
func (n *node) find(k kind, name string) *holding {
	for _, st := range n.streams {
		if w := st.watches[k]; w != nil {
			if h := w.held[name]; h != nil {
				return h
			}
		}
	}
	return nil
}

// each calls do with every watch of kind k.
func (n *node) each(k kind, do func(*watch)) {
	for _, st := range n.streams {
		if w := st.watches[k]; w != nil {
			do(w)
		}
	}
}

// wakeAll lets every stream that has something to tell look whether it may do so
// now: what one stream acknowledged may be what another waits for.
func (n *node) wakeAll() {
	for _, st := range n.streams {
		for _, w := range st.watches {
			if w != nil && w.flight == nil && w.waiting() {
				st.wake()
				break
			}
		}
	}
}

// countAbsence keeps the fleet's audience right when subscriptions change.
func (n *node) countAbsence() {
	if n.fleet == nil {
		return
	}
	absent := true
	n.each(route, func(w *watch) {
		for _, h := range w.held {
			if h.audience == &n.fleet.audience {
				absent = false
			}
		}
	})
	switch {
	case absent && !n.absent:
		n.fleet.audience.behind.Add(1)
	case !absent && n.absent:
		n.fleet.audience.behind.Add(-1)
	}
	n.absent = absent
}

// overlaps reports whether the node already has a stream for what a new stream
// st asks: then that is another connection, and another node. An ADS stream and
// single ones are of one node only if they share the connection.
func (n *node) overlaps(st *stream, k kind, names []string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, has := range n.streams {
		if has.aggregated && st.aggregated {
			return true
		}
		if has.aggregated != st.aggregated && (st.peer == "" || has.peer != st.peer) {
			return true
		}
		w := has.watches[k]
		if w == nil {
			continue
		}
		if len(names) == 0 || len(w.held) == 0 {
			return true
		}
		for _, name := range names {
			if w.held[name] != nil {
				return true
			}
		}
	}
	return false
}

// enter makes st a stream of the node that id describes.
func (s *Server) enter(st *stream, id *corev3.Node, k kind, names []string) {
	key := nodeKey{id.GetCluster(), id.GetId()}
	agent := agentOf(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.newest(key)
	if n == nil || n.overlaps(st, k, names) {
		n = s.admit(key, agent)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.streams = append(n.streams, st)
	n.delta = st.delta
	st.node = n
}

// newest is the connected node of that key that came last; nil if there is none.
func (s *Server) newest(key nodeKey) *node {
	if all := s.connected[key]; len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// admit makes a new node. It may still follow what the node of that key followed
// that went away last.
func (s *Server) admit(key nodeKey, agent string) *node {
	n := &node{key: key, agent: agent, since: s.opts.Now()}
	stranger := len(s.connected[key]) == 0 && len(s.stale[key]) == 0
	for _, old := range s.connected[key] {
		old.followed.Store(true)
	}
	s.connected[key] = append(s.connected[key], n)
	if isProxyless(agent) {
		s.proxyless[n] = struct{}{}
	} else {
		n.fleet = s.fleet(key.fleet)
		n.fleet.nodes[n] = struct{}{}
		n.countAbsence()
	}
	if gone := s.stale[key]; len(gone) > 0 {
		last := len(gone) - 1
		n.prior = gone[last].prior
		s.setStale(key, gone[:last])
		s.touchCrowd()
	}
	if _, ok := s.awaited[key]; ok && len(s.stale[key]) == 0 {
		delete(s.awaited, key)
		if len(s.awaited) == 0 {
			s.touchAll()
		}
	}
	s.crowdChanged(n)
	if stranger {
		select {
		case s.strangers <- struct{}{}:
		default:
		}
	}
	return n
}

// leave ends a stream. A node without streams is gone.
func (s *Server) leave(st *stream) {
	n := st.node
	if n == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.streams = slices.DeleteFunc(n.streams, func(o *stream) bool { return o == st })
	if w := st.watches[route]; w != nil {
		for _, h := range w.held {
			n.prior.add(h.acked)
			n.prior.add(h.out)
			w.drop(h)
		}
	}
	n.countAbsence()
	s.crowdChanged(n)
	if len(n.streams) > 0 {
		return
	}
	if n.fleet != nil {
		delete(n.fleet.nodes, n)
		if n.absent {
			n.fleet.audience.behind.Add(-1)
		}
	}
	delete(s.proxyless, n)
	s.depart(n)
	if n.fleet != nil {
		s.forget(n.fleet)
	}
}

// depart makes a node that is gone stale. If it only was the old connection of
// one that came back, then that is the one that may still follow its routes.
func (s *Server) depart(n *node) {
	youngest := s.newest(n.key) == n
	doubled := doubled(s.connected[n.key])
	rest := slices.DeleteFunc(s.connected[n.key], func(o *node) bool { return o == n })
	s.connected[n.key] = rest
	if len(rest) == 0 {
		delete(s.connected, n.key)
	}
	if !youngest && !doubled {
		rest[len(rest)-1].inherit(&n.prior)
		return
	}
	now, gone := s.opts.Now(), s.stale[n.key]
	d := &departed{agent: n.agent, prior: n.prior, since: now, until: now.Add(s.opts.Lease)}
	if last := len(gone) - 1; last >= 0 && !doubled {
		d.prior.join(&gone[last].prior) // the same node, by its young connection
		gone = gone[:last]
	}
	s.stale[n.key] = append(gone, d)
}

// doubled reports whether connections with one id are of several nodes.
func doubled(all []*node) bool {
	return slices.ContainsFunc(all, func(o *node) bool { return o.doubled.Load() })
}

// inherit takes over what an older connection followed, unless the node has
// acknowledged other routes since. No one else holds the locks of two nodes.
func (n *node) inherit(p *prior) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.followsAll() {
		n.prior.join(p)
	}
}

// setStale replaces what is kept of the nodes of a key that are gone.
func (s *Server) setStale(key nodeKey, gone []*departed) {
	if len(gone) == 0 {
		delete(s.stale, key)
		return
	}
	s.stale[key] = gone
}

// spoke notes that a request came in on an ADS stream of the node. It reports whether
// that tells of two nodes with one id for the first time.
func (n *node) spoke() bool {
	return n.followed.Load() && !n.doubled.Swap(true)
}

// crowdChanged notes that nodes came or went.
func (s *Server) crowdChanged(n *node) {
	s.unsaved.Store(true)
	if n.fleet != nil {
		s.touchFleet(n.fleet, soon)
		return
	}
	for _, m := range s.models {
		m.flags.touched.Store(true)
	}
	s.poke(soon)
}

// eachNode calls do with every connected node.
func (s *Server) eachNode(do func(*node)) {
	for _, f := range s.fleets {
		for n := range f.nodes {
			do(n)
		}
	}
	for n := range s.proxyless {
		do(n)
	}
}
