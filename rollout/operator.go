package rollout

import (
	"fmt"
	"strings"
	"time"

	"greenlight/policy"
)

// promote ends the present hold or bake, or goes on from Held. It opens no gate.
func (t *turn) promote(c Command) *Refuse {
	why := c.by("promoted")
	if r := c.refuseHurry(); r != nil {
		return r
	}
	if c.Now && t.s.Phase.Running() {
		t.s.Switch.Now = true
	}
	switch t.s.Phase {
	case Waiting:
		if !c.Now {
			return refuse(NotNow, "the switch waits for its turn: %s: wait, abort it, or let it go on now (greenlight promote --now)", t.s.Queued.Why)
		}
		t.begin(why)
	case Approving:
		if missing := t.unapproved(policy.BeforeShift); missing != "" {
			return refuse(NotNow, "%s (greenlight approve)", missing)
		}
		return t.promoteBarred(why)
	case Holding:
		if why := t.barred(); why != "" {
			return refuse(NotNow, "the next step waits: %s: wait, or let it go on now (greenlight promote --now)", why)
		}
		if missing := t.missing(); len(missing) > 0 {
			return refuse(NotReady, "the next step is not safe: %s", strings.Join(missing, "; "))
		}
		if stuck := t.missingReturn(); stuck != "" {
			return refuse(NotReady, "the next step is not safe: %s", stuck)
		}
		if waits := t.waitsToFollow(); waits != "" {
			return refuse(NotReady, "the next batch waits: %s", waits)
		}
		t.follow(why)
	case Baking:
		t.succeed(why)
	case Held:
		return t.goOn(c, why)
	case Paused:
		return refuse(NotNow, "the switch is paused: resume it first")
	case Confirming:
		return refuse(NotNow, "the step is not confirmed: %s: wait, or roll back",
			t.s.Facts.unconfirmed(t.s.Generation))
	case Preparing, Validating, Shadowing:
		if !t.s.Queued.Opens.IsZero() {
			return t.promoteBarred(why)
		}
		return refuse(NotNow, "the switch is %s and has no hold to end: wait, or abort it", t.s.Phase)
	case RollingBack:
		return refuse(NotNow, "the switch is going back: start another when it has ended")
	case Drilling:
		return refuse(NotNow, "a drill is under way: it ends by itself")
	default:
		return refuse(NotNow, "no switch is running: start one")
	}
	return nil
}

// promoteBarred lets the first weight go, which waits for the calendar: what else the
// phase waits for is still asked.
func (t *turn) promoteBarred(why string) *Refuse {
	if closed := t.barred(); closed != "" {
		return refuse(NotNow, "the first weight waits: %s: wait, or let it go on now (greenlight promote --now)", closed)
	}
	if missing := t.missing(); len(missing) > 0 {
		return refuse(NotReady, "the first weight is not safe: %s", strings.Join(missing, "; "))
	}
	t.urged = why
	return nil
}

// goOn leaves Held forwards: a person has decided that the cause is no reason
// to go back. What endangers users now still is.
func (t *turn) goOn(c Command, why string) *Refuse {
	if cause := t.endangered(); cause != "" {
		return refuse(NotReady, "can't go on: %s", cause)
	}
	resume, left := t.s.Resume, t.s.Left
	missing := t.missing()
	shifts := resume == Holding || resume == Validating || resume == Shadowing
	if stuck := t.missingReturn(); stuck != "" {
		missing = append(missing, stuck)
	}
	if shifts && len(missing) > 0 {
		return refuse(NotReady, "the next step is not safe: %s", strings.Join(missing, "; "))
	}
	if why := t.barred(); shifts && why != "" {
		return refuse(NotNow, "the next step waits: %s: wait, or let it go on now (greenlight promote --now)", why)
	}
	t.s.Switch.Cause = ""
	t.forgive()
	t.wantNothingBack()
	switch {
	case resume == Validating:
		t.acceptValidation(c, why)
	case resume == Holding && t.waitsToFollow() != "": // it gets its patience anew
		t.reenter(Holding, 0, why)
	case resume == Shadowing && t.askApproval(why):
	case resume == Holding, resume == Shadowing:
		t.follow(why)
	case resume == Baking && left == 0:
		t.succeed(why)
	default:
		t.reenter(resume, left, why)
	}
	return nil
}

// reenter takes up a phase that was stopped. ACKs are waited for anew, and
// the phase's checks run at once.
func (t *turn) reenter(p Phase, left time.Duration, why string) {
	if p == Shadowing {
		t.publishMirrored(Mirror{To: t.s.Switch.To, Percent: t.plan().Shadow.Percent})
	}
	t.enter(p, why)
	if p != Validating {
		t.s.Deadline = t.now.Add(left)
	}
	t.awaitAgain()
}

// pause stops the clocks and the checks; weights stand and the guards watch on.
func (t *turn) pause(c Command) *Refuse {
	switch t.s.Phase {
	case Preparing, Validating, Shadowing, Approving, Confirming, Holding, Baking:
		if t.s.Phase == Validating {
			t.s.Switch.Validated = time.Time{}
		}
		t.stopClock(Paused, c.by("paused"))
		return nil
	case Waiting:
		return refuse(NotNow, "the switch has not begun: it waits for its turn; abort it, or give it another place")
	case Paused:
		return refuse(NotNow, "the switch is paused already")
	case Held:
		return refuse(NotNow, "the switch is held and does nothing by itself: %s", t.wayOut())
	case RollingBack:
		return refuse(NotNow, "the switch is going back, which is never stopped")
	case Drilling:
		return refuse(NotNow, "a drill is under way, which ends by itself: abort it to end it now")
	default:
		return refuse(NotNow, "no switch is running")
	}
}

// resume takes up the paused phase with the time that it had left, or validates
// again what could not be concluded.
func (t *turn) resume(c Command) *Refuse {
	switch {
	case t.s.Phase == Paused:
	case t.validationHeld():
		t.s.Switch.Cause = ""
	default:
		return refuse(NotNow, "nothing is paused: the phase is %s", t.s.Phase)
	}
	if missing := t.missing(); t.s.Resume == Shadowing && len(missing) > 0 {
		return refuse(NotReady, "mirroring is not safe: %s", strings.Join(missing, "; "))
	}
	t.reenter(t.s.Resume, t.s.Left, c.by("resumed"))
	return nil
}

// validationHeld reports whether a person is asked what to make of a validation
// that can't be concluded. No user has met the target then.
func (t *turn) validationHeld() bool { return t.s.Phase == Held && t.s.Resume == Validating }

// abort ends the running switch, with all weight where it was.
func (t *turn) abort(c Command) *Refuse {
	switch {
	case !t.s.Phase.Running():
		return refuse(NotNow, "no switch is running: a switch that succeeded can be rolled back")
	case t.s.Phase == RollingBack:
		return refuse(NotNow, "the switch is going back already")
	case t.s.Phase == Drilling:
		t.endDrill(c.by("aborted"))
		return nil
	}
	return t.giveUp(c, "aborted")
}

// rollBack is abort for a running switch, and brings the old color back after
// a success as long as it is there and unchanged.
func (t *turn) rollBack(c Command) *Refuse {
	switch {
	case c.Before != nil:
		return t.undo(c)
	case t.s.Phase == RollingBack:
		return refuse(NotNow, "the switch is going back already")
	case t.s.Phase.Running():
		return t.giveUp(c, "rolled back")
	}
	sw := t.s.Switch
	if sw == nil {
		return refuse(NotNow, "there was no switch to roll back")
	}
	if sw.Outcome != Succeeded {
		return refuse(NotNow, "switch %s was %s: %s is live as before it", sw.ID, sw.Outcome, sw.From)
	}
	if r := t.refuseReturn(c.Force); r != nil {
		return r
	}
	t.goBack(c.went("rolled back"), c.Force)
	return nil
}

// refuseReturn says why the old color of a finished switch can't take over
// again. Force skips its health, and that it was let go, but never its identity:
// another version is another switch, with its own validation.
func (t *turn) refuseReturn(force bool) *Refuse {
	sw, f := t.s.Switch, t.s.Facts
	switch sick := t.oldUnhealthy(); {
	case f.ready(sw.From) > 0 && f.version(sw.From) != sw.FromVersion:
		return refuse(NotReady, "%s no longer serves %s, it serves %s: switch to it instead",
			sw.From, sw.FromVersion, f.version(sw.From))
	case force:
		return nil
	case !sw.LetGo.IsZero():
		return refuse(NotReady, "%s: its instances may end at any moment; force a rollback to go back all the same, or switch to %s",
			t.goneSince(), sw.From)
	case !f.EndpointsKnown:
		return refuse(NotReady, "it is not known whether %s still serves %s: the registry has not answered yet",
			sw.From, sw.FromVersion)
	case sick != "":
		return refuse(NotReady, "%s no longer serves %s: %s", sw.From, sw.FromVersion, sick)
	default:
		return nil
	}
}

// goneSince says since when the old color may be decommissioned.
func (t *turn) goneSince() string {
	how := "was let go"
	if t.s.Phase == Retiring {
		how = "is being let go"
	}
	sw := t.s.Switch
	return fmt.Sprintf("%s %s (announced at %s)", sw.From, how, sw.LetGo.Format(time.RFC3339))
}

// giveUp ends a running switch by a person's word.
func (t *turn) giveUp(c Command, done string) *Refuse {
	cause := c.went(done)
	if !t.moved() {
		t.end(Aborted, cause)
		return nil
	}
	sick := t.oldUnhealthy()
	if t.s.Phase == Drilling && sick != "" && !c.Force { // nobody should be kept there, and a drill can't be held
		return refuse(NotReady, "%s: the users come forward again by themselves; force a rollback to keep them there all the same", sick)
	}
	if t.s.Back != "" && sick != "" && !c.Force {
		return refuse(NotReady, "the switch waits to go back already, but %s: force a rollback to go back all the same", sick)
	}
	t.goBack(cause, c.Force)
	return nil
}

// went is by, and says that the old color's health was not asked for.
func (c Command) went(done string) string {
	if c.Force {
		done += " (forced)"
	}
	return c.by(done)
}
