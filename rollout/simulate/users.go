package simulate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

const (
	// quietWindows is how many empty windows follow the last request, as in telemetry.
	quietWindows = 60
	// namedNodes is the most nodes whose requests are told apart.
	namedNodes = 20
)

// users counts users' requests into the open window. What is not a whole request yet
// is carried on, so that in the long run each share is exactly what was given.
type users struct {
	times   times
	begun   time.Time // of the open window
	counted time.Time // up to here
	routed  []rollout.Routed
	shadow  rollout.ByColor[rollout.Tally]
	nodes   []rollout.NodeWindow
	turn    int // whose turn the next odd request of a group is
	carried map[carryKey]float64
	chance  *chance // nil: they are typical
	seed    uint64  // of chance
	touched bool
	quiet   int // empty windows since the last request; -1: there was none
}

// carryKey is what a fraction is of.
type carryKey struct {
	color policy.Color
	what  string
}

// begin forgets everything: nobody has heard of a request yet.
func (u *users) begin(now time.Time) {
	u.quiet, u.carried = -1, map[carryKey]float64{}
	u.open(now)
}

func (u *users) open(now time.Time) {
	u.begun, u.counted = now, now
	u.routed, u.shadow, u.nodes, u.touched = nil, rollout.ByColor[rollout.Tally]{}, nil, false
}

// drawFrom makes seed the one that requests are drawn from; 0 makes them typical.
func (u *users) drawFrom(seed uint64) {
	switch seed {
	case u.seed:
	case 0:
		u.chance, u.seed = nil, 0
	default:
		u.chance, u.seed = newChance(seed), seed
	}
}

// arrive is how many requests came where so many are expected.
func (u *users) arrive(c policy.Color, what string, expected float64) int {
	if u.chance != nil {
		return u.chance.arrivals(expected)
	}
	return u.whole(c, what, expected, math.MaxInt)
}

// hit is how many of n requests went wrong, a share of which does; most of them at most.
func (u *users) hit(c policy.Color, what string, n int, share float64, most int) int {
	if u.chance != nil {
		return min(u.chance.hits(n, share), most)
	}
	return u.whole(c, what, float64(n)*share, most)
}

// took is how long n requests took.
func (u *users) took(l Latency, n int) judge.Sketch {
	if u.chance != nil {
		return u.chance.times(l, n, &u.times)
	}
	return u.times.sample(l, n)
}

// whole is how many of a number that grows by more are whole, most of them at most,
// and carries the rest on.
func (u *users) whole(c policy.Color, what string, more float64, most int) int {
	key := carryKey{c, what}
	sum := u.carried[key] + more
	n := min(int(sum+1e-9), most)
	u.carried[key] = sum - float64(n)
	return n
}

// passTraffic counts the requests up to now, by what the nodes have ACKed.
func (w *World) passTraffic() {
	u, t := &w.users, w.given.Traffic
	d := w.now.Sub(u.counted)
	if d <= 0 {
		return
	}
	u.counted = w.now
	u.drawFrom(t.Seed)
	if w.down || t.Unreported || t.Rate <= 0 {
		return
	}
	for _, g := range w.fleet.groups() {
		rate := t.Rate * d.Seconds() * float64(len(g.nodes)) / float64(len(w.fleet.nodes))
		var sent rollout.ByColor[int]
		for _, c := range policy.Colors {
			n := u.arrive(c, "users", rate*share(g.weights.Of(c)))
			*sent.At(c) = n
			u.add(g.weights, c, u.tally(c, "", n, *t.Of(c)))
		}
		u.addNodes(g, sent)
		if to := g.mirror.To; g.mirror.Percent > 0 {
			n := u.arrive(to, "copies", rate*share(g.mirror.Percent))
			at := u.shadow.At(to)
			*at = at.Plus(u.tally(to, "mirrored ", n, *t.Of(to)))
			u.touched = u.touched || n > 0
		}
	}
}

func share(w policy.Weight) float64 { return float64(w) / float64(policy.Full) }

// tally is n requests to c.
func (u *users) tally(c policy.Color, of string, n int, b Behaviour) rollout.Tally {
	failed := u.hit(c, of+"errors", n, b.Errors, n)
	wrong := u.hit(c, of+"client errors", n, b.ClientErrors, n-failed)
	return rollout.Tally{
		Requests: n, Scaled: float64(n), Errors: failed, Rejected: wrong,
		Classes: [6]int{2: n - failed - wrong, 4: wrong, 5: failed}, Latency: u.took(b.Latency, n),
	}
}

// add counts users' requests that were routed by weights.
func (u *users) add(weights rollout.Weights, c policy.Color, t rollout.Tally) {
	if t.Requests == 0 {
		return
	}
	u.touched = true
	i := slices.IndexFunc(u.routed, func(r rollout.Routed) bool { return r.Weights == weights })
	if i < 0 {
		i = len(u.routed)
		u.routed = append(u.routed, rollout.Routed{Weights: weights})
	}
	at := u.routed[i].Colors.At(c)
	*at = at.Plus(t)
}

// addNodes divides a group's requests among its nodes.
func (u *users) addNodes(g group, sent rollout.ByColor[int]) {
	named := g.nodes[:min(len(g.nodes), namedNodes)]
	for i, n := range named {
		var own rollout.ByColor[int]
		for _, c := range policy.Colors {
			total := sent.Of(c)
			*own.At(c) = total / len(g.nodes)
			if (i+u.turn)%len(g.nodes) < total%len(g.nodes) {
				*own.At(c)++
			}
		}
		if own.Blue+own.Green == 0 {
			continue
		}
		same := func(o rollout.NodeWindow) bool {
			return o.Fleet == n.fleet && o.Node == n.name && o.Weights == g.weights
		}
		if at := slices.IndexFunc(u.nodes, same); at >= 0 {
			u.nodes[at].Requests.Blue += own.Blue
			u.nodes[at].Requests.Green += own.Green
			continue
		}
		u.nodes = append(u.nodes, rollout.NodeWindow{Fleet: n.fleet, Node: n.name, Weights: g.weights, Requests: own})
	}
	u.turn++
}

// close ends the open window; nil when there is nothing to tell.
func (u *users) close(now time.Time) *rollout.Window {
	w := rollout.Window{Begin: u.begun, End: now, Users: u.routed, Shadow: u.shadow, Nodes: u.nodes}
	switch {
	case u.touched:
		u.quiet = 0
	case u.quiet < 0 || u.quiet >= quietWindows:
		u.open(now)
		return nil
	default:
		u.quiet++
	}
	u.open(now)
	slices.SortFunc(w.Users, func(a, b rollout.Routed) int { return cmp.Compare(a.Weights.Blue, b.Weights.Blue) })
	slices.SortFunc(w.Nodes, func(a, b rollout.NodeWindow) int {
		return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Weights.Blue, b.Weights.Blue))
	})
	return &w
}

// group is connected nodes that route alike.
type group struct {
	weights rollout.Weights
	mirror  rollout.Mirror
	nodes   []*node
}

// groups is the nodes that carry users and report them.
func (f *fleet) groups() []group {
	var out []group
	for _, n := range f.nodes {
		if !n.connected() || n.held.weights == (rollout.Weights{}) {
			continue
		}
		i := slices.IndexFunc(out, func(g group) bool { return g.weights == n.held.weights && g.mirror == n.held.mirror })
		if i < 0 {
			i = len(out)
			out = append(out, group{weights: n.held.weights, mirror: n.held.mirror})
		}
		out[i].nodes = append(out[i].nodes, n)
	}
	return out
}
