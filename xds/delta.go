package xds

import (
	"slices"
	"strings"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/mem"
)

// takeDelta takes an incremental request: an answer to what was sent, changes
// of the subscription, or both.
func (st *stream) takeDelta(req *discoveryv3.DeltaDiscoveryRequest) error {
	k, ok := st.kindOf(req.GetTypeUrl())
	names := slices.DeleteFunc(slices.Clone(req.GetResourceNamesSubscribe()), func(s string) bool { return s == "*" })
	if err := st.identify(req.GetNode(), k, names); err != nil || !ok {
		return err
	}
	var reason *string
	if req.GetErrorDetail() != nil {
		reason = &req.ErrorDetail.Message
	}
	n := st.node
	n.mu.Lock()
	w := st.watches[k]
	if w != nil {
		w.settle(req.GetResponseNonce(), reason)
	}
	n.wakeAll()
	n.mu.Unlock()
	if w == nil || len(req.GetResourceNamesSubscribe())+len(req.GetResourceNamesUnsubscribe()) > 0 {
		return st.resubscribe(k, req)
	}
	return nil
}

// resubscribe changes what the stream is told of kind k.
func (st *stream) resubscribe(k kind, req *discoveryv3.DeltaDiscoveryRequest) error {
	s, n := st.server, st.node
	s.mu.RLock()
	defer s.mu.RUnlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	w := st.watches[k]
	first := w == nil
	if first {
		w = st.newWatch(k)
		if k.whole() && len(req.GetResourceNamesSubscribe()) == 0 {
			s.holdWildcard(w)
		}
	}
	for _, name := range req.GetResourceNamesSubscribe() {
		if name == "*" {
			s.holdWildcard(w)
			continue
		}
		known := w.held[name] != nil
		h := w.hold(name, false)
		h.again = true
		b, a := s.resolve(n, k, name)
		w.want(h, b, a)
		if !known {
			w.subscribed(h)
		}
	}
	if first {
		w.recall(req.GetInitialResourceVersions())
	}
	for _, name := range req.GetResourceNamesUnsubscribe() {
		w.unsubscribe(name)
	}
	if len(w.held) > maxNames {
		return tooMany(k)
	}
	n.countAbsence()
	n.wakeAll()
	return nil
}

// holdWildcard subscribes to everything that the node's fleet has of a kind.
func (s *Server) holdWildcard(w *watch) {
	w.wildcard = true
	for _, b := range w.stream.node.everything(w.kind).blobs {
		w.want(w.hold(b.name, true), b, nil)
	}
}

// recall takes over what a reconnecting node says it has. Versions come from
// content, so an equal version is equal content.
func (w *watch) recall(versions map[string]string) {
	for name, version := range versions {
		h := w.held[name]
		if h == nil {
			if !w.wildcard || len(w.held) >= maxNames {
				continue
			}
			h = w.hold(name, true)
			w.dirty[name] = h
		}
		h.has = true
		if h.wanted != nil && h.wanted.version == version {
			h.acked, h.again = h.wanted, false
			w.accepted(h, nil)
		} else if w.kind == route {
			w.stream.node.prior.unknown = true
		}
	}
}

func (w *watch) unsubscribe(name string) {
	if name == "*" {
		w.wildcard = false
		for _, h := range w.held {
			if h.implied {
				w.subscribed(h)
				w.drop(h)
			}
		}
		return
	}
	h := w.held[name]
	if h == nil {
		return
	}
	if w.wildcard {
		h.implied = true // the wildcard still covers it
		return
	}
	if w.kind == route {
		w.stream.node.forgetRoutes(h)
	}
	w.subscribed(h)
	w.drop(h)
}

// composeDelta tells what changed, was asked for, or is gone.
func (w *watch) composeDelta() *frame {
	var items []*holding
	for _, h := range w.dirty {
		if w.gone(h) {
			h.out, h.removing, h.again = nil, true, false
			h.count()
			w.moved(h, nil)
			delete(w.dirty, h.name)
			items = append(items, h)
			continue
		}
		if b := w.pick(h); b != nil {
			w.sent(h, b)
			items = append(items, h)
			w.rewarm(h)
			continue
		}
		w.tidy(h)
	}
	if len(items) == 0 && (!w.fresh || !w.wildcard) {
		return nil
	}
	w.fresh = false
	slices.SortFunc(items, byName)
	nonce := w.stream.nonce()
	w.flight = &flight{nonce: nonce, items: items}
	return &frame{w.deltaPieces(items, nonce)}
}

// rewarm lets a cluster's endpoints follow the cluster. An Envoy that speaks
// delta warms a changed cluster anew and does not ask for its endpoints, which
// it is subscribed to already; without them it would wait for its time-out.
func (w *watch) rewarm(h *holding) {
	if w.kind != cluster {
		return
	}
	w.stream.node.each(endpoint, func(e *watch) {
		if held := e.held[h.name]; held != nil {
			held.again = true
			e.dirty[h.name] = held
			e.stream.wake()
		}
	})
}

// gone reports whether the node has to be told that there is no such resource.
func (w *watch) gone(h *holding) bool {
	if h.wanted != nil || w.withheld(h.name) {
		return false
	}
	if h.acked == nil && !h.has && !h.again {
		delete(w.dirty, h.name)
		return false
	}
	return true
}

func (w *watch) deltaPieces(items []*holding, nonce string) mem.BufferSlice {
	pieces := make(mem.BufferSlice, 0, 2*len(items)+3)
	pieces = append(pieces, head(w.kind, versionOf(items)))
	var removed []byte
	for _, h := range items {
		if h.removing {
			removed = appendString(removed, deltaRemoved, h.name)
		} else {
			pieces = append(pieces, h.out.delta, h.out.value)
		}
	}
	return append(pieces, mem.SliceBuffer(removed), nonceField(nonce))
}

func byName(a, b *holding) int { return strings.Compare(a.name, b.name) }

// versionOf is a version for what is on its way to a node.
func versionOf(items []*holding) string {
	versions := make([]string, 0, 2*len(items))
	for _, h := range items {
		version := ""
		if h.out != nil {
			version = h.out.version
		}
		versions = append(versions, h.name, version)
	}
	return digestOf(versions...)
}
