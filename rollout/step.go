package rollout

import (
	"time"

	"greenlight/policy"
)

// New is the state of a model that nothing is known of yet.
func New(model string) State { return State{Model: model, Phase: Idle} }

// WakeAt is when Step wants a Tick next; zero when it waits for events only.
func (s State) WakeAt() time.Time {
	switch {
	case s.Deadline.IsZero():
		return s.NextCheck
	case s.NextCheck.IsZero() || s.Deadline.Before(s.NextCheck):
		return s.Deadline
	default:
		return s.NextCheck
	}
}

// Step decides: it answers with the state after e and the work to be done once
// that state is journaled. It never changes s or anything that s points to.
func Step(s State, e Event, p *policy.Model, now time.Time) (State, []Action) {
	return s, nil
}
