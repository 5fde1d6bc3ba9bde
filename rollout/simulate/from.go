package simulate

import (
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// From is a world in which the model stands as state says and has heard what is in its
// facts. It has no users of its own: Measure tells of them.
func From(state rollout.State, entry policy.Entry, at time.Time, nodes Nodes) *World {
	g := Typical()
	g.Nodes = nodes
	w := &World{now: at, model: state.Model, given: g, state: state, changed: at, Look: func() {}}
	w.policies.entry, w.policies.force = entry, entry.Model
	w.registry.model, w.registry.fixed, w.registry.good = state.Model, &state.Facts.Endpoints, state.Facts.Endpoints
	for _, c := range policy.Colors {
		*w.fleet.served.At(c) = len(state.Facts.Endpoints.Of(c)) > 0
	}
	w.fleet.settled = true
	w.fleet.shape(nodes, at, entry.Model.Route.Fleets)
	w.fleet.published = &rollout.Routing{Generation: state.Generation, Policy: entry.Model, Live: state.Live, Weights: state.Weights, Mirror: state.Mirror}
	for _, n := range w.fleet.nodes {
		n.held, n.warm = routing{state.Generation, state.Weights, state.Mirror}, w.fleet.served
	}
	w.users.begin(at)
	w.hear()
	return w
}

// SetEndpoints makes e what the registry says, but for those who moved: of those that
// came so many are not ready at present.
func (w *World) SetEndpoints(e rollout.EndpointSet, away rollout.ByColor[int]) {
	w.registry.fixed, w.registry.moved.away = &e, away
	w.observe()
}

// SetRecord makes r what the running switch's old color did before it, if no user has met
// the new one.
func (w *World) SetRecord(r judge.Record) {
	if sw := w.state.Switch; sw != nil && w.state.Phase.Running() && w.state.Weights.Of(sw.To) == 0 {
		w.state.Judging.Record = r
		*w.state.Facts.Traffic.Records.At(sw.From) = r
	}
}

// Measure tells the model of a window of users' requests.
func (w *World) Measure(window rollout.Window) {
	if !w.down {
		w.apply(rollout.Measured{Windows: []rollout.Window{window}})
	}
}

// Split is how a part of the nodes routes.
type Split struct {
	Weights rollout.Weights
	Mirror  rollout.Mirror
	Share   float64 // of the nodes that report
}

// Splits is how the nodes route now.
func (w *World) Splits() []Split {
	var out []Split
	nodes := 0
	groups := w.fleet.groups()
	for _, g := range groups {
		nodes += len(g.nodes)
	}
	for _, g := range groups {
		out = append(out, Split{g.weights, g.mirror, float64(len(g.nodes)) / float64(nodes)})
	}
	return out
}
