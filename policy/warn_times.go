package policy

import "greenlight/policy/calendar"

// times looks at how long a switch watches the new color, and what follows.
func (w *warner) times() {
	w.unwatchedBake()
	w.unwatchedSteps()
	m := w.model
	if !m.Rollback.Automatic && m.Shape != ShapeRolling && w.allAtOnce() {
		w.warn("spec.rollback.automatic", RuleManualRollback,
			"rollback.automatic = false, and no step is held or checked; all users meet the new color at once and stay on it, however bad it is, until a person goes back; hold a step at a small weight, or remove it")
	}
	if m.Bake.For == 0 && m.Retire.After == 0 && m.Retire.Hooked() && m.Shape != ShapeRolling {
		w.warn("spec.retire.after", RuleNoWayBack,
			"retire.after = 0s and bake.for = 0s; the old color is let go as soon as the new one has all traffic, and a rollback has nowhere to go; write in one of them how long a mistake needs to show")
	}
	if m.Retire.Off && (m.Cost.InstanceHour > 0 || m.Cost.AtMost > 0) {
		w.warn("spec.retire.off", RuleRetireOff,
			"retire.off = true, and cost gives instances a price; both colors cost without end; write retire.after, or retire.repurpose: staging if the old color serves as that")
	}
}

// unwatchedBake notes a bake whose time is over before its checks run: they do for
// the first time after bake.every.
func (w *warner) unwatchedBake() {
	b := w.model.Bake
	if len(b.Checks) == 0 || b.For >= b.Every {
		return
	}
	at := "spec.bake.for"
	if !w.has(at) {
		at = "spec.bake.every"
	}
	w.warn(at, RuleBakeUnwatched, "bake.for = %s is over before its checks run for the first time, after every = %s; make for at least that long, or write checks: []",
		calendar.PlainDuration(b.For), calendar.PlainDuration(b.Every))
}

// unwatchedSteps notes steps that pass as soon as they are confirmed. The last
// one is the bake's.
func (w *warner) unwatchedSteps() {
	if w.model.Shape != ShapeSteps {
		return
	}
	for i, s := range w.model.Shift[:len(w.model.Shift)-1] {
		if w.unwatched(s) {
			at := item("spec.shift.steps", i)
			w.warn(at, RuleStepUnwatched, "%s = %s has no hold, and nothing is checked at it; it passes as soon as it is confirmed; write hold, shift.checks or judge, or remove the step", shown(at), s.Weight)
		}
	}
}

// unwatched reports whether nothing is waited for at a step.
func (w *warner) unwatched(s Step) bool {
	asked := w.model.Judge.Asked && !w.model.Judge.Off
	return s.Hold == 0 && len(w.model.StepChecks.Checks) == 0 && !asked
}

// allAtOnce reports whether nothing stops a shift on its way to all traffic.
func (w *warner) allAtOnce() bool {
	for _, s := range w.model.Shift[:len(w.model.Shift)-1] {
		if !w.unwatched(s) {
			return false
		}
	}
	return true
}
