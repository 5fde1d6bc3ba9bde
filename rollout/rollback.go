package rollout

import (
	"fmt"
	"slices"
	"strings"
)

// stop ends the way forward: back if the policy allows Greenlight to go back
// by itself, otherwise a person decides.
func (t *turn) stop(cause string) {
	if t.plan().Rollback.Automatic {
		t.goBack(cause, false)
	} else {
		t.hold(cause)
	}
}

// hold leaves the weights where they are until a person decides.
func (t *turn) hold(cause string) {
	t.s.Switch.Cause = cause
	t.stopClock(Held, cause)
}

// goBack gives all weight to the old color in one publish. Nothing delays it
// but an old color that is itself unhealthy: then the weights stand, and the
// wish to go back does too.
func (t *turn) goBack(cause string, force bool) {
	sw := t.s.Switch
	sw.Cause = cause
	t.wantBack()
	if sick := t.oldUnhealthy(); sick != "" && !force {
		t.stopClock(Held, fmt.Sprintf("%s, but %s", cause, sick))
		t.s.Back = cause
		return
	}
	if t.s.Phase == Drilling {
		d := &sw.Drills[len(sw.Drills)-1]
		d.Problem, d.Ended = cause, t.now
	}
	t.publish(AllOn(sw.From))
	t.enter(RollingBack, cause)
	t.s.Deadline = t.now.Add(t.plan().Confirm.Within)
}

// oldUnhealthy says why the old color can't take the users back. What was last
// heard counts, even from a registry that is not trusted now; an old color of
// which nothing was heard is not taken for unhealthy.
func (t *turn) oldUnhealthy() string {
	if !t.s.Facts.EndpointsKnown {
		return ""
	}
	if other := t.oldReplaced(); other != "" {
		return other
	}
	if old, enough := len(t.s.old()), t.s.enoughToReturn(); t.rolling() && old < enough {
		return fmt.Sprintf("%s has %s in service and needs %d", t.s.Switch.From, count(old, "instance"), enough)
	}
	return t.tooFew(t.s.Switch.From, Least(t.plan()))
}

// oldReplaced says that the old color, which is idle by now, serves another version than
// when it was live: nobody has validated that. Of a color that had no instance to be seen
// when the switch began nothing can be told.
func (t *turn) oldReplaced() string {
	sw := t.s.Switch
	if t.s.Live == sw.From || sw.FromVersion == "" {
		return ""
	}
	was := strings.Split(sw.FromVersion, ", ")
	for _, v := range t.s.Facts.Endpoints.Versions(sw.From) {
		if !slices.Contains(was, v) {
			return fmt.Sprintf("%s serves %q by now, not %q", sw.From, v, sw.FromVersion)
		}
	}
	return ""
}

// leaveHeld goes back as soon as the old color can take the users. A validation
// that a person weighs ends when its target is no longer what was measured.
func (t *turn) leaveHeld() bool {
	sw := t.s.Switch
	if t.validationHeld() || t.shadowHeld() {
		if cause := t.invalidated(); cause != "" {
			t.end(Refused, cause)
			return true
		}
	}
	if t.s.Back == "" {
		t.say(fmt.Sprintf("held: %s: %s", sw.Cause, t.wayOut()))
		return false
	}
	if t.s.Facts.trusted() && t.oldUnhealthy() == "" {
		t.goBack(t.s.Back, false)
		return true
	}
	why := t.oldUnhealthy()
	if why == "" {
		why = fmt.Sprintf("it is not known whether %s is healthy", sw.From)
	}
	t.say(fmt.Sprintf("held: %s, but %s: it goes back by itself when %s is healthy",
		t.s.Back, why, sw.From))
	return false
}

// wayOut says what a person can do about a switch that is held.
func (t *turn) wayOut() string {
	if t.validationHeld() {
		return "promote to accept it, resume to measure again, or abort"
	}
	if t.shadowHeld() {
		return "promote to let users meet it, or abort"
	}
	return "promote, or roll back"
}

// arriveBack ends the switch when every node has the old routing again, or
// rejects it and sends nothing to the new color all the same: such a node will
// not change its mind, and nobody is worse off for it. It never gives up
// waiting for the others: it only gets louder.
func (t *turn) arriveBack() bool {
	sw, f := t.s.Switch, t.s.Facts
	if f.confirmed(t.s.Generation) || f.harmless(t.s.Generation, sw.To) {
		t.s.Live = sw.From
		t.conclude(RolledBack, sw.Cause)
		t.noteTakenBack(sw.ToVersion, sw.Cause)
		t.enter(Idle, fmt.Sprintf("%s has all traffic again, confirmed by %s",
			sw.From, count(f.Report.Acked, "node")))
		return true
	}
	if t.due(t.s.Deadline) || f.settled(t.s.Generation) && f.away() {
		t.say(fmt.Sprintf("going back to %s is not confirmed: %s", sw.From, f.unconfirmed(t.s.Generation)))
	}
	return false
}
