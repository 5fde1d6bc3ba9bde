package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"greenlight/policy"
)

// steady reports whether as many requests of the present weights end in w as begin. Before
// that the color that takes longer seems to get less than its share: what is under way is
// not reported.
func (t *turn) steady(w Window) bool {
	longest := t.longestAnswer()
	return longest > 0 && t.haveEnded(w, longest)
}

// longestAnswer is how long users' requests may take. Where no timeout says it, it is twice
// what nearly all of the old color's took; 0 where that is not known either.
func (t *turn) longestAnswer() time.Duration {
	switch r := t.s.Judging.Record; {
	case t.p.Route.Timeout > 0 && t.plan().Route.Timeout > 0:
		return t.longestRequest()
	case r.Thin():
		return 0
	default:
		return 2 * r.Slowest()
	}
}

// sticky reports whether users stay on a color, by the route that stands or by the one that
// the switch began with.
func (t *turn) sticky() bool { return t.p.Route.Sticky.On() || t.plan().Route.Sticky.On() }

// named nodes and instances are bounded: a fleet may have ten thousand.
const maxWho = 1000

// noteWho adds up by node and by instance, for the names in a judgement.
func (t *turn) noteWho(w Window) {
	tr := &t.s.Facts.Traffic
	nodes := slices.Clone(tr.Shares)
	for _, n := range w.Nodes {
		if !t.routedNow(n.Weights, w) {
			continue
		}
		i := slices.IndexFunc(nodes, func(o NodeWindow) bool { return o.Fleet == n.Fleet && o.Node == n.Node })
		switch {
		case i >= 0:
			nodes[i].Requests.Blue += n.Requests.Blue
			nodes[i].Requests.Green += n.Requests.Green
		case len(nodes) < maxWho:
			nodes = append(nodes, n)
		}
	}
	tr.Shares = nodes
	instances := slices.Clone(tr.Instances)
	for _, e := range w.Endpoints {
		i := slices.IndexFunc(instances, func(o EndpointWindow) bool { return o.Color == e.Color && o.Address == e.Address })
		switch {
		case i >= 0:
			instances[i].Requests += e.Requests
			instances[i].Errors += e.Errors
		case len(instances) < maxWho:
			instances = append(instances, e)
		}
	}
	tr.Instances = instances
}

// astray says that the new color's share is not its weight, and whose fault it seems.
func (t *turn) astray() string {
	j := t.s.Judging
	if t.s.Phase != Holding && t.s.Phase != Held || !j.Share.Off(rarelyOff) {
		return ""
	}
	return fmt.Sprintf("%s gets %s of the traffic, not %s, by %s%s", t.s.Switch.To, share100(j.Share.Observed()),
		percent(t.s.Weights.Of(t.s.Switch.To)), count(j.Share.Requests(), "request"), t.strayNodes())
}

// strayNodes names the nodes that stray most from the weights.
func (t *turn) strayNodes() string {
	to := t.s.Switch.To
	weight := float64(t.s.Weights.Of(to)) / float64(policy.Full)
	type stray struct {
		ref   NodeRef
		score float64
	}
	var all []stray
	for _, n := range t.s.Facts.Traffic.Shares {
		got, sent := n.Requests.Of(to), n.Requests.Blue+n.Requests.Green
		if sent == 0 {
			continue
		}
		miss := float64(got) - weight*float64(sent)
		all = append(all, stray{
			ref:   NodeRef{Fleet: n.Fleet, Node: n.Node, Detail: fmt.Sprintf("sent %s there", share100(float64(got)/float64(sent)))},
			score: miss * miss / (float64(sent)*weight*(1-weight) + 1),
		})
	}
	slices.SortStableFunc(all, func(a, b stray) int { return cmp.Compare(b.score, a.score) })
	var nodes []NodeRef
	for _, s := range all {
		if s.score > 9 || len(nodes) == 0 { // three standard deviations, or the worst
			nodes = append(nodes, s.ref)
		}
	}
	return names(nodes)
}
