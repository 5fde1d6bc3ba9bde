package rollout

import (
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// watch runs the checks of a phase in which users meet the target, again and
// again, with a pause after each run, so that a slow check never runs twice at once.
func (t *turn) watch(stage string, checks []policy.Check) {
	if t.s.Open != "" {
		t.say(t.s.Open)
	}
	if t.due(t.s.NextCheck) && t.s.CheckRun == 0 && len(checks) > 0 && t.s.Facts.EndpointsKnown {
		t.runChecks(stage, checks)
	}
}

// judgeWatch goes back on the first failure. What is inconclusive is measured
// again until the phase's time is over.
func (t *turn) judgeWatch(checks []policy.Check, every time.Duration, verdicts []Verdict) {
	r := rule(checks, policy.InconclusiveHolds, verdicts)
	if r.failed != "" {
		t.stop(r.failed)
		return
	}
	note(&r.open, r.missing)
	t.s.Passed, t.s.Open = t.now, r.open
	if r.open != "" {
		t.s.Passed = time.Time{}
	}
	t.s.NextCheck = t.now.Add(every)
}

// shiftFurther takes the next step when the hold is over and the step's checks
// have passed since the step was confirmed.
func (t *turn) shiftFurther() bool {
	step, checks := t.step(), t.plan().StepChecks.Checks
	over := t.due(t.s.Deadline)
	switch {
	case !over:
	case t.checksSpeakFor(checks):
		waits, note := t.patient()
		if waits {
			if t.s.Phase != Holding {
				return true
			}
			break
		}
		why := "confirmed, and no hold"
		if step.Hold > 0 {
			why = "held for " + calendar.PlainDuration(step.Hold)
		}
		why += t.waived(checks) + note
		if t.rolling() && t.rollFurther(why) || !t.rolling() && t.shiftIfSafe(why) {
			return true
		}
	case t.s.Open != "" && t.s.CheckRun == 0:
		t.hold("the hold is over, but " + t.s.Open)
		return true
	}
	t.watch(percent(step.Weight), checks)
	if over && t.s.Passed.IsZero() && t.s.CheckRun == 0 && len(checks) > 0 {
		t.say("the next step waits until the checks of this one can run: the registry has not answered yet")
	}
	return false
}

// checksSpeakFor reports whether the step's checks have passed. A run that is
// under way is waited for, unless the next step has already been found unsafe:
// that wait has an end of its own.
func (t *turn) checksSpeakFor(checks []policy.Check) bool {
	if len(checks) == 0 {
		return true
	}
	return !t.s.Passed.IsZero() && (t.s.CheckRun == 0 || !t.s.GiveUpAt.IsZero())
}
