package rollout

import (
	"slices"
	"time"

	"greenlight/policy"
)

// turn is one Step under way. It owns s, but nothing that facts point to.
type turn struct {
	s   State
	p   *policy.Model
	now time.Time
	// actor gave the command that this turn obeys, until a transition carries the name.
	actor    string
	urged    string // the person's word by which a step of this turn waits for no calendar
	actions  []Action
	problems []string // what stops the present phase, in words
}

// own returns a copy of s whose switch can be changed without s noticing.
func (s State) own() State {
	s.Rolled.Batches = slices.Clone(s.Rolled.Batches)
	if s.Switch == nil {
		return s
	}
	sw := *s.Switch
	sw.Transitions = slices.Clone(sw.Transitions)
	sw.Verdicts = slices.Clone(sw.Verdicts)
	sw.Drills = slices.Clone(sw.Drills)
	s.Switch = &sw
	return s
}

// act asks for work; it is done in this order, after the state is journaled.
func (t *turn) act(a Action) { t.actions = append(t.actions, a) }

// say tells the operator what the present phase waits for or suffers from.
func (t *turn) say(problem string) { t.problems = append(t.problems, problem) }

// plan is the policy that the switch began with; there is a switch.
func (t *turn) plan() *policy.Model { return &t.s.Switch.Plan }

// publish makes w the routing. Every transition that moves weight publishes
// first, so that the transition records what was published.
func (t *turn) publish(w Weights) {
	t.s.Generation++
	t.s.Weights, t.s.Mirror = w, Mirror{}
	t.republish()
}

// republish says the present routing again, with the policy of now. What this turn
// wanted published before is no longer wanted.
func (t *turn) republish() {
	t.actions = slices.DeleteFunc(t.actions, func(a Action) bool {
		_, older := a.(Publish)
		return older
	})
	t.noteUse()
	t.act(Publish{Routing{
		Generation: t.s.Generation, Policy: t.p, Live: t.routedLive(), Weights: t.s.Weights, Mirror: t.s.Mirror,
	}})
}

// routedLive is what the preview header's "live" means: a color with all the
// weight is live for the fleets even before every node confirmed that.
func (t *turn) routedLive() policy.Color {
	for _, c := range policy.Colors {
		if t.s.Weights == AllOn(c) {
			return c
		}
	}
	return t.s.Live
}

// enter makes p the phase, with all clocks off and no check running, and
// records why.
func (t *turn) enter(p Phase, reason string) {
	s := &t.s
	s.Switch.Transitions = append(s.Switch.Transitions, Transition{
		At: t.now, From: s.Phase, To: p, Generation: s.Generation, Weights: s.Weights,
		Actor: t.actor, Reason: reason,
	})
	t.actor = ""
	t.cancelChecks()
	t.problems = nil
	s.Phase, s.Since = p, t.now
	s.Deadline, s.NextCheck, s.HoldUntil, s.GiveUpAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.HeldOn = false
	s.Resume, s.Left = "", 0
	s.Back = ""
	s.Passed, s.Open = time.Time{}, ""
	s.Letting, s.Queued = Letting{}, Queued{}
	s.Facts.Turn = Turn{}
}

// stopClock enters Paused or Held, which remember what they stopped.
func (t *turn) stopClock(p Phase, reason string) {
	if t.s.Mirror.Percent > 0 { // nobody would see whether it does harm
		t.publishMirrored(Mirror{})
	}
	resume, left := t.s.Phase, t.left()
	if resume == Paused || resume == Held {
		resume, left = t.s.Resume, t.s.Left
	}
	t.enter(p, reason)
	t.s.Resume, t.s.Left = resume, left
}

// end ends a switch that moved no weight, and with it the mirroring.
func (t *turn) end(o Outcome, cause string) {
	if t.s.Mirror.Percent > 0 {
		t.publishMirrored(Mirror{})
	}
	t.wantBack()
	t.conclude(o, cause)
	t.enter(Idle, cause)
}

// conclude writes down how the switch ended; the caller enters what comes after.
func (t *turn) conclude(o Outcome, cause string) {
	sw := t.s.Switch
	sw.Outcome, sw.Cause, sw.Ended = o, cause, t.now
	t.s.StepIndex = 0
	if o != Succeeded {
		t.noteTry()
	}
}

// moved reports whether users may have met the target of this switch.
func (t *turn) moved() bool {
	sw := t.s.Switch
	return slices.ContainsFunc(sw.Transitions, func(tr Transition) bool {
		return tr.Weights.Of(sw.To) > 0
	})
}

// shifting reports whether this switch has published a step.
func (t *turn) shifting() bool {
	return slices.ContainsFunc(t.s.Switch.Transitions, func(tr Transition) bool {
		return tr.To == Confirming
	})
}

// due reports whether at has come; a cleared time has.
func (t *turn) due(at time.Time) bool { return !t.now.Before(at) }

// left is what is left of the present phase's wait.
func (t *turn) left() time.Duration {
	if t.due(t.s.Deadline) {
		return 0
	}
	return t.s.Deadline.Sub(t.now)
}

// clearPast keeps the loop from being woken again and again for a time that
// has come, while what is missing can only come with another event.
func (t *turn) clearPast() {
	if !t.s.HoldUntil.IsZero() && t.due(t.s.HoldUntil) {
		t.s.HeldOn = true
	}
	for _, at := range []*time.Time{&t.s.Deadline, &t.s.NextCheck, &t.s.HoldUntil, &t.s.GiveUpAt, &t.s.Rolled.Next, &t.s.Queued.Opens} {
		if t.due(*at) {
			*at = time.Time{}
		}
	}
}

// runChecks starts a run under a new id. NextCheck is off while it runs, so
// that no second one starts beside it.
func (t *turn) runChecks(stage string, checks []policy.Check) {
	t.s.Runs++
	t.s.CheckRun = t.s.Runs
	t.s.NextCheck = time.Time{}
	t.act(RunChecks{
		Run: t.s.CheckRun, Stage: stage, Checks: checks, Target: t.s.Switch.To, Live: t.s.Live,
		FailFast: stage != StageValidate,
	})
}

// cancelChecks makes the verdicts of a run that is under way nobody's.
func (t *turn) cancelChecks() {
	if t.s.CheckRun != 0 {
		t.act(CancelChecks{t.s.CheckRun})
		if t.s.CheckRun == t.s.WalkRun {
			t.s.Walked, t.s.WalkRun = false, 0
		}
		t.s.CheckRun = 0
	}
}
