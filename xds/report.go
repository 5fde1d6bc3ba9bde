package xds

import (
	"cmp"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// Report says where the fleets stand with a model's last routing.
func (s *Server) Report(name string) rollout.Report {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := &tally{
		now: s.opts.Now(), sends: map[*blob][2]bool{},
		report: rollout.Report{
			Settled:   s.settled(s.opts.Now()),
			Envoys:    map[string]int{},
			Cold:      map[policy.Color]int{},
			ColdNodes: map[policy.Color][]rollout.NodeRef{},
			MaySend:   map[policy.Color]int{},
			Sending:   map[policy.Color]int{},
			Behind:    map[policy.Color]int{},
		},
	}
	m := s.models[name]
	if m == nil {
		m = s.leaving[name]
	}
	if m == nil || !m.complete() {
		return t.report
	}
	t.model = m
	t.report.PreviewClosed = m.token.fault
	for i, c := range policy.Colors {
		t.clusters[i] = resource.ClusterName(name, c)
	}
	t.report.Generation = m.routing.Generation
	for _, fleetName := range m.fleets {
		f := s.fleets[fleetName]
		for n := range f.nodes {
			t.count(n, f.routing)
		}
		t.report.Entries = append(t.report.Entries, f.entries()...)
	}
	for n := range s.proxyless {
		t.count(n, s.shared[route][resource.ModelRoutes(name)])
	}
	for _, f := range s.fleets {
		if !slices.Contains(m.fleets, f.name) {
			for n := range f.nodes {
				t.countLeaving(n, f.leaving[name] != nil)
			}
		}
	}
	for key, gone := range s.stale {
		for _, d := range gone {
			t.countStale(key, d)
		}
	}
	return t.done()
}

// tally gathers one model's report.
type tally struct {
	model    *model
	clusters [2]string // names by color
	// sends remembers which colors a route configuration sends users to:
	// nearly all nodes follow the same few.
	sends  map[*blob][2]bool
	now    time.Time
	report rollout.Report
}

// count adds a connected node that should run want.
func (t *tally) count(n *node, want *blob) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var h *holding
	if want != nil {
		h = n.find(route, want.name)
	}
	if n.proxyless() && h == nil {
		return
	}
	r := &t.report
	r.Connected++
	if !n.proxyless() {
		r.Envoys[n.key.fleet]++
	}
	may := t.maySend(n)
	for i, c := range policy.Colors {
		t.countColor(n, c, t.clusters[i], may[i])
	}
	if no, k := t.model.rejectedBy(n, h); no != nil {
		r.Rejected = append(r.Rejected, rollout.Rejection{Fleet: n.key.fleet, Node: n.key.id, Type: k.String(), Reason: no.reason, At: no.at})
		return
	}
	if detail := t.model.missing(n, h); detail != "" {
		r.Pending = append(r.Pending, rollout.NodeRef{Fleet: n.key.fleet, Node: n.key.id, Detail: detail})
		return
	}
	r.Acked++
}

// countColor adds what a connected node may send to c, and whether it can.
func (t *tally) countColor(n *node, c policy.Color, name string, may bool) {
	r := &t.report
	if may {
		r.MaySend[c]++
		r.Sending[c]++
	}
	if n.proxyless() && n.find(cluster, name) == nil {
		return
	}
	t.countBehind(n, c, name)
	if n.warm(name) {
		return
	}
	r.Cold[c]++
	r.ColdNodes[c] = append(r.ColdNodes[c], rollout.NodeRef{Fleet: n.key.fleet, Node: n.key.id, Detail: n.coldness(name)})
}

// countBehind adds a connected node that may hold other endpoints of a cluster than
// those that are wanted.
func (t *tally) countBehind(n *node, c policy.Color, name string) {
	if e := n.find(endpoint, name); e == nil || !e.confirmed() {
		t.report.Behind[c]++
	}
}

// countLeaving adds what a connected node may send that should not route the
// model: it is of a fleet which the model is leaving, or follows routes from
// before its stream. Nothing is asked of it.
func (t *tally) countLeaving(n *node, leaving bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !leaving && !n.prior.unknown && len(n.prior.routes) == 0 {
		return
	}
	may := t.maySend(n)
	for i, c := range policy.Colors {
		if may[i] {
			t.report.MaySend[c]++
			t.report.Sending[c]++
			t.countBehind(n, c, t.clusters[i])
		}
	}
}

// coldness says what a node lacks of a cluster.
func (n *node) coldness(name string) string {
	e := n.find(endpoint, name)
	switch {
	case !n.answered(name):
		return "has not ACKed cluster " + name
	case e == nil:
		return "has not asked for the endpoints of " + name
	case e.acked == nil:
		return "has not ACKed the endpoints of " + name
	default:
		return "has no endpoints of " + name
	}
}

// countStale adds a node that is not connected and may route the model, whatever
// its fleet: the model may have been in another.
func (t *tally) countStale(key nodeKey, d *departed) {
	if !t.now.Before(d.until) {
		return
	}
	m, p := t.model, &d.prior
	if !p.unknown && !slices.ContainsFunc(p.routes, func(b *blob) bool { return b.has(m) }) {
		return
	}
	t.report.Stale = append(t.report.Stale, rollout.Stale{Fleet: key.fleet, Node: key.id, Since: d.since, Until: d.until})
	for _, c := range policy.Colors {
		if p.maySend(m, c) {
			t.report.MaySend[c]++
		}
	}
}

func (p *prior) maySend(m *model, c policy.Color) bool {
	if p.unknown {
		return true
	}
	return slices.ContainsFunc(p.routes, func(b *blob) bool { return b.maySend(m.name, m.domains, c) })
}

// maySend reports, by color, whether users' requests may go there by what the
// node acknowledged, by what is on its way, or by what it had before.
func (t *tally) maySend(n *node) [2]bool {
	var may [2]bool
	for i, c := range policy.Colors {
		may[i] = n.prior.maySend(t.model, c)
	}
	add := func(b *blob) {
		if b == nil {
			return
		}
		to, known := t.sends[b]
		if !known {
			for i, c := range policy.Colors {
				to[i] = b.maySend(t.model.name, t.model.domains, c)
			}
			t.sends[b] = to
		}
		may[0], may[1] = may[0] || to[0], may[1] || to[1]
	}
	n.each(route, func(w *watch) {
		for _, h := range w.held {
			add(h.acked)
			add(h.out)
		}
	})
	return may
}

// done sorts and cuts the lists.
func (t *tally) done() rollout.Report {
	r := &t.report
	byRef := func(a, b rollout.NodeRef) int {
		return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Node, b.Node))
	}
	r.Pending = cut(r.Pending, byRef)
	for c, nodes := range r.ColdNodes {
		r.ColdNodes[c] = cut(nodes, byRef)
	}
	r.Rejected = cut(r.Rejected, func(a, b rollout.Rejection) int {
		return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Type, b.Type))
	})
	r.Stale = cut(r.Stale, func(a, b rollout.Stale) int {
		return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Node, b.Node))
	})
	r.Entries = cut(r.Entries, func(a, b rollout.Entry) int {
		return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Node, b.Node))
	})
	return *r
}

func cut[T any](list []T, by func(a, b T) int) []T {
	slices.SortFunc(list, by)
	return list[:min(len(list), rollout.ReportList):min(len(list), rollout.ReportList)]
}
