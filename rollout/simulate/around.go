package simulate

import (
	"greenlight/policy"
	"greenlight/rollout"
)

// What changes around the model, and how the model hears of it.

// SetSide makes side what the registry knows of c.
func (w *World) SetSide(c policy.Color, side Side) {
	w.registry.set(c, side)
	w.observe()
}

// SetTrouble makes the registry one that is not trusted; empty, one that is.
func (w *World) SetTrouble(problem string) {
	w.given.Registry.Problem = problem
	w.registry.trouble(problem, w.now)
	w.observe()
}

// SetNodes changes the fleets.
func (w *World) SetNodes(g Nodes) {
	w.given.Nodes = g
	back := w.fleet.shape(g, w.now, w.policies.force.Route.Fleets)
	for _, n := range back {
		n.warm = rollout.ByColor[bool]{}
		w.fleet.send(n)
	}
	for _, n := range w.fleet.nodes {
		if n.away.Equal(w.now) {
			w.plan(g.Lease, w.hear)
		}
	}
	w.hear()
	w.answers()
}

// SetNack lets a node reject what it is sent next, or has not answered yet.
func (w *World) SetNack(n Nack) { w.fleet.nack = n }

// SetTraffic changes what users ask, and how they are answered.
func (w *World) SetTraffic(t Traffic) { w.given.Traffic = t }

// SetChecks changes what checks come to from now on.
func (w *World) SetChecks(c Checks) { w.given.Checks = c }

// SetRetire changes what becomes of who is asked to let instances go.
func (w *World) SetRetire(r Retire) { w.given.Retire = r }

// SetOthers changes why other models hold up a switch that waits for its turn.
func (w *World) SetOthers(why string) {
	w.given.Others = why
	w.turn()
}

// turn tells a switch that waits whether its turn has come.
func (w *World) turn() {
	if !w.down && w.state.Phase == rollout.Waiting {
		w.apply(rollout.TurnCame{Turn: rollout.Turn{Granted: w.given.Others == "", Why: w.given.Others}})
	}
}

// observe tells the model what the registry says.
func (w *World) observe() {
	w.changed = w.now
	set := w.registry.answer()
	if w.down {
		return
	}
	w.apply(rollout.Observed{Endpoints: set})
}

// serve gives the nodes the endpoints of both colors, if it is known which those are. A
// color that a node may send to is never emptied.
func (w *World) serve() {
	f := w.state.Facts
	if !f.EndpointsKnown {
		return
	}
	in := w.state.InService(f.Endpoints)
	warmer := false
	for _, c := range policy.Colors {
		before := w.fleet.served.Of(c)
		now := len(in.Of(c)) > 0 || before && (w.state.Weights.Of(c) > 0 || w.fleet.mayAny(c))
		*w.fleet.served.At(c) = now
		warmer = warmer || now && !before
		if now || !before {
			continue
		}
		for _, n := range w.fleet.nodes {
			*n.warm.At(c) = false
		}
	}
	if warmer {
		w.answers()
	}
}

// publish sends a routing to every node.
func (w *World) publish(r rollout.Routing) {
	w.passTraffic()
	r.Policy = w.policies.publishable(r.Policy)
	w.fleet.published = &r
	if w.Answer != nil {
		w.given.Nodes.Ack, w.fleet.nack = w.Answer(r)
	}
	for _, n := range w.fleet.nodes {
		w.fleet.send(n)
		if n.out != nil {
			n.due = w.now.Add(w.given.Nodes.Ack)
		}
	}
	w.planHere(0, w.hear)
	w.answers()
}

// answers lets the nodes answer when they have had their time.
func (w *World) answers() {
	ack := w.given.Nodes.Ack
	for _, n := range w.fleet.nodes {
		if n.due.IsZero() || !n.due.After(w.now) {
			n.due = w.now.Add(ack)
		}
	}
	w.plan(ack, func() {
		w.passTraffic()
		if w.down {
			return
		}
		if w.fleet.answer(w.now) {
			w.changed = w.now
		}
		w.hear()
	})
}

// hear takes what the fleets say now.
func (w *World) hear() {
	if w.down {
		return
	}
	r := w.fleet.report(w.now)
	w.policies.note(w.fleet.published, r)
	w.apply(rollout.Reported{Report: r})
}
