package rollout

import (
	"fmt"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// shift publishes the next step's weight. The caller has looked at missing.
func (t *turn) shift(why string) {
	t.closeJudgement()
	t.takeRecord()
	sw := t.s.Switch
	if t.urged != "" {
		why, t.urged = t.urged+"; "+why, ""
	}
	if t.shifting() && !t.rolling() {
		t.s.StepIndex++
	}
	sw.Needed = t.need()
	weight := t.plan().Shift[t.s.StepIndex].Weight
	if t.rolling() {
		sw.Needed, weight = t.s.Facts.ready(sw.To), t.followed()
	}
	t.publish(Split(sw.To, weight))
	t.watchUsersAnew()
	t.enter(Confirming, fmt.Sprintf("%s to %s: %s", percent(weight), sw.To, why))
	t.s.Deadline = t.now.Add(t.plan().Confirm.Within)
}

// shiftIfSafe publishes the next step, which is due, or says what it waits for.
// It does not wait for ever: after prepare.within the switch stops. But silence
// of the registry or of a fleet is no reason to take weight back, so with users
// on the target only the time counts in which both speak.
func (t *turn) shiftIfSafe(why string) bool {
	if t.askApproval(why) {
		return true
	}
	if closed := t.barred(); closed != "" { // nothing is wrong: it waits
		t.s.GiveUpAt = time.Time{}
		return false
	}
	if stuck := t.missingReturn(); stuck != "" { // nothing to give up for: it waits
		t.s.GiveUpAt = time.Time{}
		t.say("the next step waits: " + stuck)
		return false
	}
	missing := t.missing()
	if len(missing) == 0 {
		t.shift(why)
		return true
	}
	text := strings.Join(missing, "; ")
	patience := t.plan().Prepare.Within
	silent := !t.s.Facts.trusted() || !t.s.Facts.heard(t.s.Generation)
	switch {
	case t.moved() && silent:
		t.s.GiveUpAt = time.Time{}
	case t.s.GiveUpAt.IsZero():
		t.s.GiveUpAt = t.now.Add(patience)
	case !t.due(t.s.GiveUpAt):
	case t.moved():
		t.stop(fmt.Sprintf("the next step was not safe within %s: %s", calendar.PlainDuration(patience), text))
		return true
	default:
		t.end(Refused, fmt.Sprintf("%s can't get its first weight: %s", t.s.Switch.To, text))
		return true
	}
	t.say("the next step waits: " + text)
	return false
}

// confirm waits for every node's word on the published step.
func (t *turn) confirm() bool {
	f := t.s.Facts
	if f.confirmed(t.s.Generation) {
		t.confirmed()
		return true
	}
	missing := f.unconfirmed(t.s.Generation)
	due, within := t.due(t.s.Deadline), t.plan().Confirm.Within
	if due || f.settled(t.s.Generation) && f.away() {
		t.say("not confirmed yet: " + missing)
	}
	if !due {
		return false
	}
	if !f.heard(t.s.Generation) { // nobody has spoken of it: that is no node's fault, and nobody could confirm the way back
		t.s.Deadline = t.now.Add(within)
		return false
	}
	cause := fmt.Sprintf("%s to %s was not confirmed within %s: %s",
		percent(t.s.Weights.Of(t.s.Switch.To)), t.s.Switch.To, calendar.PlainDuration(within), missing)
	if t.plan().Confirm.Otherwise == policy.OtherwiseHold {
		t.hold(cause)
	} else {
		t.stop(cause)
	}
	return true
}

// confirmed goes on from a step that every node runs.
func (t *turn) confirmed() {
	text := fmt.Sprintf("confirmed by %s", count(t.s.Facts.Report.Connected, "node"))
	if t.s.Switch.Undoes != "" {
		t.undone(text)
		return
	}
	if t.s.Weights == AllOn(t.s.Switch.To) {
		t.becomeLive(t.s.Switch.To)
		t.s.Walked, t.s.WalkRun = false, 0
		t.enter(Baking, text)
		t.s.Deadline = t.now.Add(t.plan().Bake.For)
		t.s.NextCheck = t.now.Add(t.plan().Bake.Every)
		return
	}
	t.enter(Holding, text)
	t.s.Deadline = t.now.Add(t.step().Hold)
}

// percent is "5%" or "0.25%".
func percent(w policy.Weight) string {
	return fmt.Sprintf("%g%%", float64(w)*100/float64(policy.Full))
}
