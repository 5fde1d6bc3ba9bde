package rollout

import (
	"fmt"

	"greenlight/policy/calendar"
)

// bake watches the target under all of the load while the old color is warm.
// It ends only when no check is running and the registry is trusted.
func (t *turn) bake() bool {
	t.noteQuiet()
	checks := t.plan().Bake.Checks
	t.rollOut()
	t.walkRoute()
	t.watch(StageBake, checks)
	if !t.due(t.s.Deadline) || t.s.CheckRun != 0 {
		return false
	}
	if !t.s.Walked {
		t.say("the bake ends when the fleets have told where they take users' requests")
		return false
	}
	if !t.s.Facts.trusted() {
		t.say("the bake ends when the registry is trusted again")
		return false
	}
	if t.s.Open != "" {
		t.hold("the bake is over, but " + t.s.Open)
		return true
	}
	waits, note := t.patient()
	if waits {
		return t.s.Phase != Baking
	}
	if r := t.s.Readiness(); r.Short {
		t.say("the bake goes on, for it could not go back: " + r.Why)
		return false
	}
	if t.rolling() && !t.rolledOut() {
		t.say("the bake ends when every old instance was let go")
		return false
	}
	t.succeed("baked for " + calendar.PlainDuration(t.plan().Bake.For) + t.waived(checks) + note)
	return true
}

// succeed ends the switch on the target's side. What is known of the old
// color's quiet is kept, so that requests under way are not waited for twice.
func (t *turn) succeed(reason string) {
	t.closeJudgement()
	t.conclude(Succeeded, "")
	t.s.Tried = without(t.s.Tried, t.s.Switch.ToVersion)
	quiet := t.s.Letting.Quiet
	if t.rolling() && t.rolledOut() {
		t.s.Switch.LetGo = t.now
		t.enter(Idle, reason+fmt.Sprintf("; every instance of %s was let go", t.s.Switch.From))
		return
	}
	if t.plan().Retire.Off {
		t.enter(Idle, reason)
		return
	}
	t.enter(Retiring, reason)
	t.s.Letting.Quiet = quiet
	t.s.Deadline = t.now.Add(t.plan().Retire.After)
}
