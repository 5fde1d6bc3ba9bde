package scenario

import (
	"cmp"
	"maps"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/simulate"
)

// What is written changes only what it names: the rest of the world stays.

// world is how it is at the start.
func (g *rawGiven) world() simulate.Given {
	out := simulate.Typical()
	if g == nil {
		return out
	}
	if r := g.Registry; r != nil {
		for _, c := range policy.Colors {
			*out.Registry.Of(c) = r.of(c).over(*out.Registry.Of(c))
		}
		out.Registry.Problem = value(r.Problem, "")
	}
	out.Nodes = g.Nodes.over(out.Nodes)
	out.Traffic = g.Traffic.over(out.Traffic)
	out.Checks = checksOver(g.Checks, out.Checks)
	out.Retire = g.Retire.over(out.Retire)
	out.Others = value(g.Others, "")
	return out
}

// change makes the world what the entry says.
func (e *rawEntry) change(w *simulate.World) {
	now := w.Given()
	if r := e.Registry; r != nil {
		for _, c := range policy.Colors {
			if side := r.of(c); side != nil {
				w.SetSide(c, side.over(*now.Registry.Of(c)))
			}
		}
		if r.Problem != nil {
			w.SetTrouble(*r.Problem)
		}
	}
	if e.Nodes != nil {
		w.SetNodes(e.Nodes.over(now.Nodes))
	}
	if e.Traffic != nil {
		w.SetTraffic(e.Traffic.over(now.Traffic))
	}
	if e.Checks != nil {
		w.SetChecks(checksOver(e.Checks, now.Checks))
	}
	if e.Retire != nil {
		w.SetRetire(e.Retire.over(now.Retire))
	}
	if e.Others != nil {
		w.SetOthers(*e.Others)
	}
	if n := e.Nack; n != nil {
		w.SetNack(simulate.Nack{
			Node: value(n.Node, ""), Reason: *n.Reason, Type: value(n.Type, nackTypes[0]), Times: int(value(n.Times, 1)),
		})
	}
}

func (r *rawRegistry) of(c policy.Color) *rawSide {
	if c == policy.Blue {
		return r.Blue
	}
	return r.Green
}

func (s *rawSide) over(old simulate.Side) simulate.Side {
	if s == nil {
		return old
	}
	return simulate.Side{
		Ready:   int(value(s.Ready, number(old.Ready))),
		Unready: int(value(s.Unready, number(old.Unready))),
		Version: value(s.Version, old.Version),
	}
}

func (n *rawNodes) over(old simulate.Nodes) simulate.Nodes {
	if n == nil {
		return old
	}
	return simulate.Nodes{
		Count: int(value(n.Count, number(old.Count))), Ack: time.Duration(value(n.Ack, span(old.Ack))),
		Silent: int(value(n.Silent, number(old.Silent))), Away: int(value(n.Away, number(old.Away))),
		Lease: time.Duration(value(n.Lease, span(old.Lease))),
	}
}

func (t *rawTraffic) over(old simulate.Traffic) simulate.Traffic {
	if t == nil {
		return old
	}
	out := old
	out.Rate = float64(value(t.Rate, rate(old.Rate)))
	out.Seed = uint64(value(t.Seed, number(old.Seed)))
	out.Unreported = !value(t.Reported, !old.Unreported)
	both := rawBehaviour{t.Errors, t.ClientErrors, t.Latency}
	for _, c := range policy.Colors {
		*out.Of(c) = t.of(c).over(both.over(*out.Of(c)))
	}
	return out
}

func (t *rawTraffic) of(c policy.Color) *rawBehaviour {
	if c == policy.Blue {
		return t.Blue
	}
	return t.Green
}

func (b *rawBehaviour) over(old simulate.Behaviour) simulate.Behaviour {
	if b == nil {
		return old
	}
	out := simulate.Behaviour{
		Errors:       float64(value(b.Errors, portion(old.Errors))),
		ClientErrors: float64(value(b.ClientErrors, portion(old.ClientErrors))),
		Latency:      old.Latency,
	}
	if l := b.Latency; l != nil {
		out.Latency.P50 = time.Duration(value(l.P50, span(old.Latency.P50)))
		out.Latency.P90 = time.Duration(value(l.P90, span(old.Latency.P90)))
		out.Latency.P99 = time.Duration(value(l.P99, span(old.Latency.P99)))
	}
	return out
}

func checksOver(raw map[string]rawCheck, old simulate.Checks) simulate.Checks {
	out := simulate.Checks{All: old.All, By: maps.Clone(old.By)}
	if all, named := raw[allChecks]; named { // those before are meant as well
		out.All, out.By = all.over(old.All), nil
	}
	for name, c := range raw {
		if name == allChecks {
			continue
		}
		if out.By == nil {
			out.By = map[string]simulate.Check{}
		}
		before, known := out.By[name]
		if !known {
			before = out.All
		}
		out.By[name] = c.over(before)
	}
	return out
}

// over is c where it speaks; a new result does not keep the summary of the old one.
func (c rawCheck) over(old simulate.Check) simulate.Check {
	out := simulate.Check{
		Result: rollout.Result(value(c.Result, result(old.Result))), Takes: time.Duration(value(c.Takes, span(old.Takes))),
		Summary: old.Summary,
	}
	if c.Result != nil || c.Summary != nil {
		out.Summary = value(c.Summary, "")
	}
	return out
}

func (r *rawRetire) over(old simulate.Retire) simulate.Retire {
	if r == nil {
		return old
	}
	out := simulate.Retire{
		Problem: old.Problem, Takes: time.Duration(value(r.Takes, span(old.Takes))),
		Replaced: time.Duration(value(r.Replaced, span(old.Replaced))),
	}
	switch {
	case r.Problem != nil:
		out.Problem = *r.Problem
	case r.Result != nil && *r.Result == itFails:
		out.Problem = cmp.Or(old.Problem, "503 Service Unavailable")
	}
	if r.Result != nil && *r.Result == itDoes {
		out.Problem = ""
	}
	return out
}
