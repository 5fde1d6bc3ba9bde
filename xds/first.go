package xds

import (
	"slices"
	"time"
)

// The first routes of a node are worth waiting for: it opens its ports when it
// has them, and then better for all models. But one model that the node can't
// be given must not keep it from following all others.

// firstWithin is how long a node without routes waits for endpoints; an Envoy
// waits no longer for its own either.
const firstWithin = 15 * time.Second

// first is what a node may be given that has not acknowledged any routes here:
// all of them, or those of the models that it can serve, when the others stand
// rejected or it has waited long enough. It is nil while it waits.
func (w *watch) first(h *holding) *blob {
	n, base := w.stream.node, &blob{}
	for _, b := range n.prior.routes {
		if h.has && b.name == h.name {
			base = b // it says that it has routes, and these it was given last
		}
	}
	instead := map[string]*host{}
	var lacks []string
	for _, x := range h.wanted.hosts {
		cold := n.cold(x, base.host(x.domain))
		if len(cold) == 0 {
			continue
		}
		instead[x.domain] = n.blend(x, base.host(x.domain))
		lacks = append(lacks, cold...)
	}
	switch {
	case len(instead) == 0:
		return h.wanted
	case n.proxyless() || !w.hopeless(h, lacks):
		return nil // a gRPC client's routes are of one model
	}
	b := mix(h.wanted, base, instead)
	if len(b.hosts) == 0 {
		return nil
	}
	if h.refused[b.version] == nil {
		slices.Sort(lacks)
		w.stream.server.log.Warn("node is given its first routes without the models that it can't serve",
			"fleet", n.key.fleet, "node", n.key.id, "clusters", slices.Compact(lacks))
	}
	return b
}

// hopeless reports whether there is nothing of lacks to wait for. Of a node
// that may still follow routes from before, only a rejection says so: routes
// that it needs could be taken away.
func (w *watch) hopeless(h *holding, lacks []string) bool {
	rejected := !slices.ContainsFunc(lacks, func(name string) bool { return !w.stream.node.rejects(name) })
	if rejected || h.has {
		return rejected
	}
	now := w.stream.server.opts.Now()
	if h.waits.IsZero() {
		h.waits = now
		time.AfterFunc(firstWithin, w.stream.wake)
	}
	return now.Sub(h.waits) >= firstWithin
}

// rejects reports whether the node's rejection of a cluster, by name, or of its
// endpoints is why it is not ready for it.
func (n *node) rejects(name string) bool {
	if e := n.find(endpoint, name); e != nil && e.standing() != nil {
		return true
	}
	if n.answered(name) {
		return false
	}
	found := false
	n.each(cluster, func(w *watch) {
		if a := w.all; a != nil {
			no := a.refused[a.wanted.version]
			found = found || no != nil && slices.Contains(no.named, name)
		}
		if h := w.held[name]; h != nil {
			no := h.standing()
			found = found || no != nil && names(no.reason, name)
		}
	})
	return found
}
