package xds

import (
	"slices"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/mem"
)

// takeSotw takes a state-of-the-world request: an answer to what was sent, a
// subscription, or both.
func (st *stream) takeSotw(req *discoveryv3.DiscoveryRequest) error {
	k, ok := st.kindOf(req.GetTypeUrl())
	if err := st.identify(req.GetNode(), k, req.GetResourceNames()); err != nil || !ok {
		return err
	}
	if len(req.GetResourceNames()) > maxNames {
		return tooMany(k)
	}
	var reason *string
	if req.GetErrorDetail() != nil {
		reason = &req.ErrorDetail.Message
	}
	n := st.node
	n.mu.Lock()
	w := st.watches[k]
	answers := w != nil && w.settle(req.GetResponseNonce(), reason)
	same := w != nil && slices.Equal(w.names, req.GetResourceNames())
	n.wakeAll()
	n.mu.Unlock()
	if !answers || !same {
		st.subscribe(k, req, !answers && reason == nil)
	}
	return nil
}

// subscribe sets what the stream is told of kind k. With again everything is
// answered anew: a node repeats a request when it lost or rebuilt what it had,
// and may wait for the answer.
func (st *stream) subscribe(k kind, req *discoveryv3.DiscoveryRequest, again bool) {
	s, n, names := st.server, st.node, req.GetResourceNames()
	s.mu.RLock()
	defer s.mu.RUnlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	w := st.watches[k]
	first := w == nil
	if first {
		w = st.newWatch(k)
		if k == route && req.GetVersionInfo() != "" {
			n.prior.unknown = true
		}
	}
	if slices.Contains(names, "*") || len(names) == 0 && k.whole() && (first || w.all != nil) {
		w.holdEverything(n.everything(k), again)
		names = nil
	} else if w.all != nil {
		s.shrinks(w.all.answered, newGeneration(k, nil))
		w.all = nil
	}
	w.names = slices.Clone(req.GetResourceNames())
	s.setNames(w, names, again)
	if first && k == route && req.GetVersionInfo() != "" {
		for _, h := range w.held {
			h.has = true
		}
	}
	n.countAbsence()
	n.wakeAll()
}

func (w *watch) holdEverything(g *generation, again bool) {
	if w.all == nil {
		w.all = &holdAll{again: true}
	}
	w.all.wanted = g
	w.all.again = w.all.again || again
}

// setNames makes names the whole subscription.
func (s *Server) setNames(w *watch, names []string, again bool) {
	asked := make(map[string]struct{}, len(names))
	for _, name := range names {
		asked[name] = struct{}{}
		known := w.held[name] != nil
		h := w.hold(name, false)
		h.again = h.again || again || !known
		b, a := s.resolve(w.stream.node, w.kind, name)
		w.want(h, b, a)
		if !known {
			w.subscribed(h)
		}
	}
	for name, h := range w.held {
		if _, ok := asked[name]; ok {
			continue
		}
		if w.kind == route {
			w.stream.node.forgetRoutes(h)
		}
		w.subscribed(h)
		w.drop(h)
	}
}

// forgetRoutes is called for routes that the node itself let go: it routes by
// them no longer.
func (n *node) forgetRoutes(h *holding) {
	n.prior.routes = slices.DeleteFunc(n.prior.routes, func(b *blob) bool { return b.name == h.name })
}

// composeAll answers a wildcard subscription.
func (w *watch) composeAll() *frame {
	a := w.all
	g := a.wanted
	if a.refused[g.version] != nil {
		if !a.again || a.acked == nil {
			return nil
		}
		g = a.acked
	} else if !a.again && !a.unsure && a.acked != nil && a.acked.version == g.version {
		return nil
	}
	if w.withheld("*") {
		return nil
	}
	a.again = false
	w.stream.server.shrinks(a.acked, g)
	nonce := w.stream.nonce()
	w.flight = &flight{nonce: nonce, all: g, into: a}
	return &frame{mem.BufferSlice{g.body(), nonceField(nonce)}}
}

// composeWhole answers a subscription by name of a kind in which what is
// missing counts as removed: all names are in the answer, or none.
func (w *watch) composeWhole() *frame {
	var tell bool
	for _, h := range w.dirty {
		gone := h.wanted == nil && h.acked != nil
		if gone || w.pick(h) != nil {
			tell = true
		}
		w.tidy(h)
	}
	if !tell {
		return nil
	}
	var items []*holding
	for _, h := range w.held {
		b := w.pick(h)
		if b == nil && h.wanted != nil {
			b = h.acked
		}
		if b != nil || h.acked != nil {
			h.removing = b == nil
			w.sent(h, b)
			items = append(items, h)
		}
		delete(w.dirty, h.name)
	}
	return w.send(items)
}

// composeSome answers a subscription by name with what changed.
func (w *watch) composeSome() *frame {
	var items []*holding
	for _, h := range w.dirty {
		if b := w.pick(h); b != nil {
			w.sent(h, b)
			items = append(items, h)
			continue
		}
		w.tidy(h)
	}
	if len(items) == 0 {
		return nil
	}
	return w.send(items)
}

// send frames items. An answer with one item carries that item's version.
func (w *watch) send(items []*holding) *frame {
	slices.SortFunc(items, byName)
	version := ""
	if len(items) == 1 && items[0].out != nil {
		version = items[0].out.version
	} else {
		version = versionOf(items)
	}
	nonce := w.stream.nonce()
	w.flight = &flight{nonce: nonce, items: items}
	pieces := make(mem.BufferSlice, 0, 2*len(items)+2)
	pieces = append(pieces, head(w.kind, version))
	for _, h := range items {
		if h.out != nil {
			pieces = append(pieces, h.out.sotw, h.out.value)
		}
	}
	return &frame{append(pieces, nonceField(nonce))}
}
