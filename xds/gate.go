package xds

import (
	"slices"

	"greenlight/policy"
	"greenlight/xds/resource"
)

// Make before break: a node is told to send users to a cluster only when it has
// answered for that cluster and for its endpoints. An acknowledged route alone
// is no proof: Envoy takes a route to a cluster that is still warming, and
// answers 503.

// answered reports whether the node has the cluster: it acknowledged it, or it
// rejected the answer that held it and asks for its endpoints all the same. A
// cluster whose removal is on its way is as good as gone.
func (n *node) answered(name string) bool {
	found := false
	n.each(cluster, func(w *watch) {
		if w.all != nil {
			leaves := w.flight != nil && w.flight.all != nil && w.flight.all.byName[name] == nil
			found = found || !leaves && w.all.holds(name, n)
		}
		if h := w.held[name]; h != nil && h.wanted != nil && !h.removing {
			found = found || h.acked != nil || h.unsure && n.find(endpoint, name) != nil
		}
	})
	return found
}

func (a *holdAll) holds(name string, n *node) bool {
	if a.answered == nil || a.answered.byName[name] == nil {
		return false
	}
	return a.answered == a.acked || a.acked != nil && a.acked.byName[name] != nil || n.find(endpoint, name) != nil
}

// warm reports whether the node can send to the cluster: it has it, and
// acknowledged endpoints in it.
func (n *node) warm(name string) bool {
	e := n.find(endpoint, name)
	return e != nil && e.acked != nil && e.acked.endpoints > 0 && n.answered(name)
}

// ready is warm with endpoints of the issue since or newer: what a color held
// for an older model must get no users. Newer ones that are on their way are
// not waited for, or endpoints that change at each answer would keep a node
// from going back; unless they would leave the cluster empty. A cluster for
// which there are no endpoints at all can't be warmer than empty. A gRPC client
// that does not ask for the cluster has nothing to warm.
func (n *node) ready(name string, since uint64) bool {
	e := n.find(endpoint, name)
	if n.proxyless() && e == nil && n.find(cluster, name) == nil {
		return true
	}
	if e == nil || e.acked == nil || !n.answered(name) {
		return false
	}
	if e.wanted == nil || e.wanted.endpoints == 0 {
		return true
	}
	if e.acked.endpoints == 0 || e.out != nil && e.out.endpoints == 0 {
		return false
	}
	newest := e.acked.version == e.wanted.version || e.refused[e.wanted.version] != nil
	return newest || e.acked.issue >= since
}

// cold is the clusters to which x would send users, or copies of their requests, in the place of was, which
// may be nil, and which the node is not ready for.
func (n *node) cold(x, was *host) []string {
	var out []string
	for name, part := range x.models {
		out = append(out, n.coldOf(name, part, was)...)
	}
	return out
}

// coldOf is those clusters of one model of a host. A part that did not change
// asks for nothing.
func (n *node) coldOf(name string, part routed, was *host) []string {
	if was != nil && was.models[name].content == part.content {
		return nil
	}
	var out []string
	for i, c := range policy.Colors {
		if cl := resource.ClusterName(name, c); part.needs(c) && !n.ready(cl, part.since[i]) {
			out = append(out, cl)
		}
	}
	return out
}

// blend is what the node may be given of host x in the place of was, either of
// which may be the result: x, but with the parts of models that it is not ready
// for as they were. Then models that x has no longer stay too: what takes their
// place may be what is held.
func (n *node) blend(x, was *host) *host {
	had := map[string]routed{}
	if was != nil {
		had = was.models
	}
	models, held := make(map[string]routed, len(x.models)), false
	for name, part := range x.models {
		if len(n.coldOf(name, part, was)) > 0 {
			held = true
			if part = had[name]; part.content == "" {
				continue
			}
		}
		models[name] = part
	}
	if !held {
		return x
	}
	for name, part := range had {
		if _, stays := x.models[name]; !stays {
			models[name] = part
		}
	}
	if len(models) == 0 || claimedTwice(models) {
		return was
	}
	if h, err := hostOf(x.domain, models); err == nil {
		return h
	}
	return was
}

// claimedTwice reports whether two models match the same requests: one was to
// take over from the other, so neither may be changed alone.
func claimedTwice(models map[string]routed) bool {
	prefixes := make(map[string]struct{}, len(models))
	for _, r := range models {
		prefixes[r.part.Policy.Route.Prefix] = struct{}{}
	}
	return len(prefixes) < len(models)
}

// gated is the route configuration that the node may be given now: the wanted
// one, or the part of it that is ready beside the rest as the node has it. It
// is nil when there is nothing that it may be given.
func (w *watch) gated(h *holding) *blob {
	n, want, base := w.stream.node, h.wanted, h.acked
	if base == nil {
		return w.first(h)
	}
	instead := map[string]*host{}
	var given []*host // that the node does not have
	for _, x := range changedHosts(want, base) {
		was := base.host(x.domain)
		y := n.allowed(h, x, was)
		if y != x {
			instead[x.domain] = y
		}
		if y != nil && (was == nil || y.version != was.version) {
			given = append(given, y)
		}
	}
	for _, x := range h.after(given) {
		instead[x.domain] = base.host(x.domain)
	}
	if len(instead) == 0 {
		return want
	}
	return mix(want, base, instead)
}

// allowed is what the node may be given of host x in the place of was, and has
// not rejected.
func (n *node) allowed(h *holding, x, was *host) *host {
	if h.hosts[x.version] != nil {
		return was
	}
	if n.proxyless() {
		if len(n.cold(x, was)) > 0 {
			return was // its routes are of one model
		}
		return x
	}
	if y := n.blend(x, was); y == nil || h.hosts[y.version] == nil {
		return y
	}
	return was
}

// mix is want, with other hosts instead of some, or none where they are nil.
// base is what the node has: the result, if it is equal.
func mix(want, base *blob, instead map[string]*host) *blob {
	var hosts []*host
	for _, x := range want.hosts {
		if y, ok := instead[x.domain]; ok {
			x = y
		}
		if x != nil {
			hosts = append(hosts, x)
		}
	}
	same := func(a, b *host) bool { return a.domain == b.domain && a.version == b.version }
	if slices.EqualFunc(hosts, base.hosts, same) {
		return base
	}
	return newRoutes(want.name, hosts)
}
