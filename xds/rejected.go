package xds

import (
	"slices"

	"greenlight/policy"
	"greenlight/xds/resource"
)

// rejectedBy is the node's standing rejection of something that m needs as it
// is wanted now; nil if there is none.
func (m *model) rejectedBy(n *node, h *holding) (*nack, kind) {
	if no := m.rejectedRoutes(h); no != nil {
		return no, route
	}
	for _, k := range []kind{cluster, endpoint, listener} {
		var found *nack
		n.each(k, func(w *watch) {
			if w.rejects && found == nil {
				found = m.rejectedIn(w)
			}
		})
		if found != nil {
			return found, k
		}
	}
	return nil, 0
}

// rejectedRoutes finds a rejected configuration in which m's part is as it is
// wanted now and not as the node has it.
func (m *model) rejectedRoutes(h *holding) *nack {
	if h == nil || h.wanted == nil || h.out != nil && agrees(h.out, h.wanted, m.name, m.domains) {
		return nil
	}
	if h.acked == nil {
		return h.refused[h.wanted.version]
	}
	if len(h.hosts) == 0 {
		return nil
	}
	for _, d := range m.domains {
		x := h.wanted.host(d)
		if x == nil || h.hosts[x.version] == nil {
			continue
		}
		if x.models[m.name].content != h.acked.part(d, m.name).content {
			return h.hosts[x.version]
		}
	}
	return nil
}

// rejectedIn finds a rejection of clusters, endpoints or listeners that
// concerns m. A listener concerns all models of its fleet; a set of clusters
// those that its reason names, or else those that it was to change.
func (m *model) rejectedIn(w *watch) *nack {
	if w.kind == listener {
		return w.rejectedListener(m)
	}
	for _, c := range policy.Colors {
		name := resource.ClusterName(m.name, c)
		if a := w.all; a != nil {
			if no := a.refused[a.wanted.version]; no != nil && a.concerns(no, name) {
				return no
			}
		}
		if h := w.held[name]; h != nil {
			if no := h.standing(); no != nil {
				return no
			}
		}
	}
	return nil
}

func (w *watch) rejectedListener(m *model) *nack {
	if a := w.all; a != nil {
		return a.refused[a.wanted.version]
	}
	for _, h := range w.held {
		if w.stream.node.proxyless() && h.name != m.name {
			continue
		}
		if no := h.standing(); no != nil {
			return no
		}
	}
	return nil
}

// standing is the rejection of the wanted version.
func (h *holding) standing() *nack {
	if h.wanted == nil || h.acked != nil && h.acked.version == h.wanted.version {
		return nil
	}
	return h.refused[h.wanted.version]
}

func (a *holdAll) concerns(no *nack, name string) bool { return a.blames(a.wanted, no, name) }

// blames reports whether no, a rejection of g, may be because of a name.
func (a *holdAll) blames(g *generation, no *nack, name string) bool {
	if len(no.named) > 0 {
		return slices.Contains(no.named, name)
	}
	b := g.byName[name]
	if b == nil || a.acked == nil {
		return b != nil
	}
	was := a.acked.byName[name]
	return was == nil || was.version != b.version
}
