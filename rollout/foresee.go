package rollout

import (
	"reflect"
	"time"

	"greenlight/policy"
)

// Outlook is what a changed policy does to a model, told before it is in force.
type Outlook struct {
	// Routing is what is published at once; nil while the model has no live color.
	Routing *Routing
	// Ends is how the policy's word ends the running switch, or takes the last one
	// back; nil if it does neither.
	Ends *Transition
	// Begins: a switch that waits for its turn no longer has to.
	Begins bool
	// Starts is the switch that the policy's word starts once every node has confirmed
	// the policy, and Started the state then; nil if it starts none.
	Starts  *Command
	Started *State
	// Drift is how what is live still differs from what the policy wants then; empty
	// while they agree, or while a switch is on its way.
	Drift string
}

// Foresee asks Step what becomes of s when p takes the place of before, as if every
// connected node confirmed it. What other events would bring is left out. A changed
// discovery has not spoken yet: what starts then can't be told.
func Foresee(s State, before, p *policy.Model, now time.Time) Outlook {
	events := []Event{PolicyChanged{}}
	rediscovers := !reflect.DeepEqual(before.Discovery, p.Discovery)
	if rediscovers {
		events = []Event{Rediscovering{}, PolicyChanged{}}
	}
	var o Outlook
	next := s
	for _, e := range events {
		var actions []Action
		next, actions = Step(next, e, p, now)
		o.take(actions)
	}
	if next.Live == "" {
		return Outlook{}
	}
	o.Ends = endedByPolicy(s, next)
	o.Begins = s.Phase == Waiting && next.Phase != Waiting && o.Ends == nil
	if !next.Phase.Running() && !rediscovers {
		confirmed, actions := Step(next, Reported{confirmedReport(next)}, p, now)
		o.take(actions)
		next = confirmed
	}
	if o.Starts == nil {
		o.Drift = next.Drift(p)
		return o
	}
	c := *o.Starts
	c.ID = foreseenID
	started, _ := Step(next, c, p, now)
	o.Started = &started
	return o
}

// foreseenID stands for the id of a switch that is only foreseen.
const foreseenID = "(planned)"

func (o *Outlook) take(actions []Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case Publish:
			o.Routing = &a.Routing
		case Propose:
			o.Starts = &a.Command
		}
	}
}

// endedByPolicy is the transition that next has beyond before and that the policy's
// word made.
func endedByPolicy(before, next State) *Transition {
	if next.Switch == nil || before.Switch == nil {
		return nil
	}
	for _, t := range next.Switch.Transitions[len(before.Switch.Transitions):] {
		if t.Actor == ByPolicy {
			return &t
		}
	}
	return nil
}

// confirmedReport is the last report, had every connected node ACKed what s published.
func confirmedReport(s State) Report {
	r := s.Facts.Report
	r.Generation, r.Settled, r.Acked = s.Generation, true, r.Connected
	r.Pending, r.Rejected, r.Stale = nil, nil, nil
	return r
}

// Routing is what the fleets were told last, under policy p.
func (s State) Routing(p *policy.Model) Routing {
	t := turn{s: s}
	return Routing{Generation: s.Generation, Policy: p, Live: t.routedLive(), Weights: s.Weights, Mirror: s.Mirror}
}
