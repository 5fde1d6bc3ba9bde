package simulate

import (
	"fmt"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// fleet is the nodes that route the model.
type fleet struct {
	nodes     []*node
	published *rollout.Routing // the last one; nil before
	// settled is false after a restart until the nodes are back.
	settled bool
	served  rollout.ByColor[bool] // the colors' clusters hold endpoints
	nack    Nack
	behind  int             // nodes that have not ACKed the newest endpoints
	entries []rollout.Entry // where users' requests are taken
}

// node is one Envoy.
type node struct {
	fleet, name string
	held        routing   // what it ACKed last
	out         *routing  // what it was sent and has not answered
	due         time.Time // when it answers
	silent      bool      // it does not answer
	away, until time.Time
	rejected    *rollout.Rejection
	warm        rollout.ByColor[bool]
}

// routing is what a node needs to know of a rollout.Routing.
type routing struct {
	generation uint64
	weights    rollout.Weights
	mirror     rollout.Mirror
}

// Nack lets a node reject what it is sent next.
type Nack struct {
	Node   string // empty: the first that answers
	Reason string
	Type   string // "route", "cluster", …
	Times  int    // how many routings it rejects; 0 when it rejects none
}

func (n *node) connected() bool { return n.away.IsZero() }

// may reports whether the node may send users to c: by what it ACKed, or by what it
// was sent.
func (n *node) may(c policy.Color) bool {
	return n.held.weights.Of(c) > 0 || n.out != nil && n.out.weights.Of(c) > 0
}

// mayAny is may of any node.
func (f *fleet) mayAny(c policy.Color) bool {
	return slices.ContainsFunc(f.nodes, func(n *node) bool { return n.may(c) })
}

// resize makes the fleet one of so many nodes, named after the policy's fleets.
func (f *fleet) resize(count int, fleets []string) {
	for i := len(f.nodes); i < count; i++ {
		name := "edge"
		if len(fleets) > 0 {
			name = fleets[i%len(fleets)]
		}
		f.nodes = append(f.nodes, &node{fleet: name, name: fmt.Sprintf("%s-%d", name, i/max(1, len(fleets))+1)})
	}
	f.nodes = f.nodes[:max(0, min(count, len(f.nodes)))]
}

// shape makes the last nodes absent, and the last of the others silent. It answers
// with those that have come back, or are new.
func (f *fleet) shape(g Nodes, now time.Time, fleets []string) (back []*node) {
	before := len(f.nodes)
	f.resize(g.Count, fleets)
	f.behind = g.Behind
	for i, n := range f.nodes {
		away := i >= len(f.nodes)-g.Away
		switch {
		case away && n.connected():
			n.away, n.until = now, now.Add(g.Lease)
		case !away && (!n.connected() || i >= before):
			n.away, n.until = time.Time{}, time.Time{}
			back = append(back, n)
		}
		n.silent = !away && i >= len(f.nodes)-g.Away-g.Silent
	}
	return back
}

// answer lets the nodes whose time has come answer what they were sent, and reports
// whether one did.
func (f *fleet) answer(now time.Time) (did bool) {
	f.settled = true
	for _, n := range f.nodes {
		if !n.connected() || n.silent || n.due.After(now) {
			continue
		}
		n.warm = f.served
		if n.out == nil {
			continue
		}
		did = true
		if f.nack.Times > 0 && (f.nack.Node == "" || f.nack.Node == n.name) {
			f.nack.Times--
			n.rejected = &rollout.Rejection{Fleet: n.fleet, Node: n.name, Type: f.nack.Type, Reason: f.nack.Reason, At: now}
			n.out = nil
			continue
		}
		n.held, n.out, n.rejected = *n.out, nil, nil
	}
	return did
}

// send gives the published routing to a node.
func (f *fleet) send(n *node) {
	if f.published == nil || !n.connected() {
		return
	}
	r := f.published
	n.out, n.rejected = &routing{r.Generation, r.Weights, r.Mirror}, nil
}

// report is what the fleets say of the model.
func (f *fleet) report(now time.Time) rollout.Report {
	r := rollout.Report{
		Settled: f.settled, Envoys: map[string]int{}, Cold: map[policy.Color]int{}, ColdNodes: map[policy.Color][]rollout.NodeRef{},
		MaySend: map[policy.Color]int{}, Sending: map[policy.Color]int{},
	}
	if f.published == nil {
		return r
	}
	r.Generation, r.Entries = f.published.Generation, f.entries
	if f.behind > 0 {
		r.Behind = map[policy.Color]int{policy.Blue: f.behind, policy.Green: f.behind}
	}
	for _, n := range f.nodes {
		if n.connected() {
			n.count(&r, f.published.Generation)
			continue
		}
		if !now.Before(n.until) {
			continue
		}
		if len(r.Stale) < rollout.ReportList {
			r.Stale = append(r.Stale, rollout.Stale{Fleet: n.fleet, Node: n.name, Since: n.away, Until: n.until})
		}
		for _, c := range policy.Colors {
			if n.may(c) {
				r.MaySend[c]++
			}
		}
	}
	return r
}

// count adds a connected node.
func (n *node) count(r *rollout.Report, generation uint64) {
	r.Connected++
	r.Envoys[n.fleet]++
	ref := rollout.NodeRef{Fleet: n.fleet, Node: n.name}
	for _, c := range policy.Colors {
		if n.may(c) {
			r.MaySend[c]++
			r.Sending[c]++
		}
		if n.warm.Of(c) {
			continue
		}
		r.Cold[c]++
		if len(r.ColdNodes[c]) < rollout.ReportList {
			r.ColdNodes[c] = append(r.ColdNodes[c], ref)
		}
	}
	switch {
	case n.rejected != nil:
		if len(r.Rejected) < rollout.ReportList {
			r.Rejected = append(r.Rejected, *n.rejected)
		}
	case n.held.generation == generation && n.out == nil:
		r.Acked++
	case len(r.Pending) < rollout.ReportList:
		ref.Detail = "has not ACKed the route configuration that it was sent"
		r.Pending = append(r.Pending, ref)
	}
}
