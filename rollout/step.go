package rollout

import (
	"strings"
	"time"

	"greenlight/policy"
)

// New is the state of a model that nothing is known of yet.
func New(model string) State { return State{Model: model, Phase: Idle} }

// WakeAt is when Step wants a Tick next; zero when it waits for events only.
// After a Step at now that did not refuse a command, it is zero or after now.
func (s State) WakeAt() time.Time {
	var wake time.Time
	for _, t := range []time.Time{s.Deadline, s.NextCheck, s.HoldUntil, s.GiveUpAt, s.Rolled.Next, s.Queued.Opens, s.looksAt()} {
		if !t.IsZero() && (wake.IsZero() || t.Before(wake)) {
			wake = t
		}
	}
	return wake
}

// Step decides: it answers with the state after e and the work to be done once
// that state is journaled. It never changes s or anything that s points to.
//
// A phase does not react to particular events: after each event everything that
// is known is looked at again, so that it does not matter which of two events
// came first, or whether one came twice.
func Step(s State, e Event, p *policy.Model, now time.Time) (State, []Action) {
	t := &turn{s: s.own(), p: p, now: now}
	if c, ok := e.(Command); ok {
		if refusal := t.obey(c); refusal != nil {
			return s, []Action{*refusal}
		}
	} else {
		t.hear(e)
	}
	t.meet()
	t.judgePolicy()
	t.guard()
	t.weighUsers()
	t.heed()
	for t.advance() {
	}
	t.roll()
	t.clearPast()
	t.noteLooked()
	t.countTwice()
	t.s.Problem = strings.Join(append(t.problems, t.standing()...), "; ")
	return t.s, t.actions
}

// hear takes in what an event other than a command says.
func (t *turn) hear(e Event) {
	switch e := e.(type) {
	case Recovered:
		t.recover()
	case Observed:
		t.observed(e.Endpoints)
	case Rediscovering:
		t.rediscover()
	case Reported:
		t.s.Facts.Report, t.s.Facts.ReportKnown = e.Report, true
	case Checked:
		t.checked(e)
	case Measured:
		t.measured(e)
	case PolicyChanged:
		t.policyChanged(e.Back)
	case TurnCame:
		t.s.Facts.Turn = e.Turn
	case Retired:
		t.retired(e)
	}
}

// advance takes the switch to its next phase if all that the present one waits
// for is there, and reports whether it did.
func (t *turn) advance() bool {
	switch t.s.Phase {
	case Waiting:
		return t.waitTurn()
	case Approving:
		return t.approving()
	case Preparing:
		return t.prepare()
	case Validating:
		return t.validate()
	case Shadowing:
		return t.shadow()
	case Confirming:
		return t.confirm()
	case Holding:
		return t.shiftFurther()
	case Baking:
		return t.bake()
	case Held:
		return t.leaveHeld()
	case RollingBack:
		return t.arriveBack()
	case Retiring:
		return t.retire()
	case Drilling:
		return t.practise()
	default: // Idle and Paused end by a person's word
		return false
	}
}

// meet chooses the live color when endpoints are seen for the first time. A
// color that the policy names is waited for: all weight on a color without
// endpoints would answer users with errors.
func (t *turn) meet() {
	e := t.s.Facts.Endpoints
	if t.s.Live != "" || len(e.Blue)+len(e.Green) == 0 {
		return
	}
	first := policy.Green
	if len(e.Blue) > 0 {
		first = policy.Blue
	}
	if w, _ := t.s.wanted(t.p.Wanted); !t.p.Wanted.None() && w != "" && len(e.Of(w)) > 0 {
		first = w
	}
	if named := t.p.InitialLive; named != "" {
		if len(e.Of(named)) == 0 { // standing says so
			return
		}
		first = named
	}
	t.s.Live = first
	t.s.Since = t.now
	t.publish(AllOn(t.s.Live))
}
