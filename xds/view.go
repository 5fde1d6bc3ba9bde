package xds

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"greenlight/rollout"
)

// Fleets is every fleet and what each of its nodes holds, by name. gRPC clients
// stand in the fleet of their node.cluster.
func (s *Server) Fleets() []rollout.FleetView {
	s.mu.RLock()
	defer s.mu.RUnlock()
	byName := map[string]*rollout.FleetView{}
	view := func(name string) *rollout.FleetView {
		if byName[name] == nil {
			byName[name] = &rollout.FleetView{Name: name}
		}
		return byName[name]
	}
	for name, f := range s.fleets {
		view(name).Routes = f.routes
	}
	for key, all := range s.connected {
		v := view(key.fleet)
		v.Nodes = append(v.Nodes, all[len(all)-1].view())
	}
	for key, gone := range s.stale {
		v, d := view(key.fleet), gone[len(gone)-1]
		v.Nodes = append(v.Nodes, rollout.NodeView{Node: key.id, Agent: d.agent, Since: d.since, Until: d.until})
	}
	var out []rollout.FleetView
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		v := byName[name]
		slices.SortFunc(v.Nodes, func(a, b rollout.NodeView) int { return cmp.Compare(a.Node, b.Node) })
		out = append(out, *v)
	}
	return out
}

func (n *node) view() rollout.NodeView {
	n.mu.Lock()
	defer n.mu.Unlock()
	v := rollout.NodeView{Node: n.key.id, Agent: n.agent, Connected: true, Since: n.since, Delta: n.delta}
	for _, k := range []kind{listener, route, cluster, endpoint} {
		t := rollout.TypeView{Type: k.String()}
		asked := false
		n.each(k, func(w *watch) {
			asked = true
			w.viewInto(&t)
		})
		if asked {
			v.Types = append(v.Types, t)
		}
	}
	return v
}

// viewInto adds w to the view of its type. Several streams of a type are shown
// as one, by a digest over what they hold.
func (w *watch) viewInto(t *rollout.TypeView) {
	wanted, acked := w.versions()
	if t.Wanted != "" {
		wanted, acked = digestOf(t.Wanted, wanted), digestOf(t.Acked, acked)
	}
	t.Wanted, t.Acked = wanted, acked
	t.AckedAt = latest(t.AckedAt, w.ackedAt)
	no := w.newestRejection()
	if no != nil && !no.at.Before(t.RejectedAt) {
		t.Rejected, t.RejectedAt = no.reason, no.at
	}
}

// versions is what the node should hold and what it ACKed; "" when nothing.
func (w *watch) versions() (wanted, acked string) {
	if w.all != nil {
		if w.all.acked != nil {
			acked = w.all.acked.version
		}
		return w.all.wanted.version, acked
	}
	version := func(b *blob) string {
		if b == nil {
			return ""
		}
		return b.version
	}
	if len(w.held) == 1 {
		for _, h := range w.held {
			return version(h.wanted), version(h.acked)
		}
	}
	var wants, has []string
	for _, name := range slices.Sorted(maps.Keys(w.held)) {
		h := w.held[name]
		if h.wanted != nil {
			wants = append(wants, name, h.wanted.version)
		}
		if h.acked != nil {
			has = append(has, name, h.acked.version)
		}
	}
	if len(has) > 0 {
		acked = digestOf(has...)
	}
	return digestOf(wants...), acked
}

// newestRejection is the newest NACK of something that is still wanted.
func (w *watch) newestRejection() *nack {
	var out *nack
	consider := func(no *nack) {
		if no != nil && (out == nil || no.at.After(out.at)) {
			out = no
		}
	}
	if w.all != nil {
		consider(w.all.refused[w.all.wanted.version])
	}
	for _, h := range w.held {
		consider(h.standing())
		if h.wanted == nil {
			continue
		}
		for _, x := range h.wanted.hosts {
			if no := h.hosts[x.version]; no != nil && (h.acked == nil || h.acked.host(x.domain) == nil || h.acked.host(x.domain).version != x.version) {
				consider(no)
			}
		}
	}
	return out
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
