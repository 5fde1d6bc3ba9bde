package xds

import (
	"fmt"

	"greenlight/policy"
	"greenlight/xds/resource"
)

// missing says why the node does not count as running m's routing; empty if it
// does. h is its holding of the routes that m is in.
func (m *model) missing(n *node, h *holding) string {
	if h == nil {
		return "has not asked for the route configuration of its fleet"
	}
	runs := func(b *blob) bool { return b != nil && agrees(b, h.wanted, m.name, m.domains) }
	switch {
	case h.wanted == nil:
		return "its route configuration does not exist"
	case runs(h.acked) && !h.removing && (h.out == nil || runs(h.out)):
		return m.missingCluster(n)
	case h.out != nil || h.removing:
		return "has not ACKed the route configuration that it was sent"
	}
	for i, c := range policy.Colors {
		if name := resource.ClusterName(m.name, c); m.routed("").needs(c) && !n.ready(name, m.since[i]) {
			return fmt.Sprintf("is not sent the routes yet: it %s", n.unready(name))
		}
	}
	return "is not sent the routes yet"
}

// missingCluster says which of m's clusters the node has not answered for as it
// is wanted now; empty if there is none. A gRPC client needs those alone that it
// asks for. What it rejected is no matter of this, but of rejectedBy.
func (m *model) missingCluster(n *node) string {
	for _, b := range m.clusters {
		if b == nil || n.took(b) || n.proxyless() && n.find(cluster, b.name) == nil {
			continue
		}
		return "has not ACKed cluster " + b.name + " as it is now"
	}
	return ""
}

// took reports whether the node's last answer for a cluster was for b, and did
// not reject it.
func (n *node) took(b *blob) bool {
	for _, st := range n.streams {
		w := st.watches[cluster]
		if w == nil {
			continue
		}
		if f := w.flight; f != nil && f.all != nil && !f.all.holds(b) {
			return false // what it has is about to change
		}
		if w.all != nil && w.all.took(b) {
			return true
		}
		if h := w.held[b.name]; h != nil && h.took(b) {
			return true
		}
	}
	return false
}

// took is true for b of a rejected answer too, if the rejection was not because
// of b: a node takes the good clusters of an answer beside the bad ones.
func (a *holdAll) took(b *blob) bool {
	if a.answered == nil || !a.answered.holds(b) {
		return false
	}
	if a.answered == a.acked {
		return true
	}
	no := a.refused[a.answered.version]
	return no == nil || !a.blames(a.answered, no, b.name)
}

// holds reports whether g has what b has.
func (g *generation) holds(b *blob) bool {
	has := g.byName[b.name]
	return has != nil && has.version == b.version
}

func (h *holding) took(b *blob) bool {
	if h.removing || h.acked == nil || h.acked.version != b.version {
		return false
	}
	same := h.out == nil || h.out.version == b.version
	return same && (!h.unsure || h.out == nil && h.refused[b.version] != nil)
}

func (n *node) unready(name string) string {
	if n.warm(name) {
		return "has not ACKed the newest endpoints of " + name
	}
	return n.coldness(name)
}
