package rollout

import (
	"fmt"

	"greenlight/policy"
)

// obey does what c asks, or says why not; then nothing has changed.
func (t *turn) obey(c Command) *Refuse {
	if c.Actor == "" {
		return refuse(Invalid, "a command needs an actor: say who asks")
	}
	t.actor = c.Actor
	before := t.s.Phase
	if r := t.carryOut(c); r != nil {
		return r
	}
	t.notePerson(c, before)
	return nil
}

func (t *turn) carryOut(c Command) *Refuse {
	switch c.Verb {
	case Start:
		return t.start(c)
	case Promote:
		return t.promote(c)
	case Pause:
		return t.pause(c)
	case Resume:
		return t.resume(c)
	case Abort:
		return t.abort(c)
	case RollBack:
		return t.rollBack(c)
	case Practise:
		return t.drill(c)
	case Approve:
		return t.approve(c)
	case Requeue:
		return t.requeue(c)
	default:
		return refuse(Invalid, "unknown command %q", c.Verb)
	}
}

// refuse words a refusal: what, why, and what to do.
func refuse(code RefusalCode, format string, args ...any) *Refuse {
	return &Refuse{Code: code, Message: fmt.Sprintf(format, args...)}
}

// by is "promoted by ann: looks good".
func (c Command) by(done string) string {
	return done + " by " + c.Actor + because(c.Reason)
}

// start begins a switch. It may take the place of a retirement: the color that
// was about to be let go is then the target, or stays idle.
func (t *turn) start(c Command) *Refuse {
	if c.Target == "" && t.s.Live != "" {
		c.Target = t.s.Live.Other()
	}
	if r := t.refuseStart(c); r != nil {
		return r
	}
	f, from := t.s.Facts, t.s.Live
	reason := c.by("started")
	if t.s.Phase == Retiring {
		reason += fmt.Sprintf(" (%s does not retire after all)", t.s.Switch.From)
	}
	t.s.Switch = &Switch{
		ID: c.ID, Model: t.s.Model, From: from, To: c.Target,
		FromVersion: f.version(from), ToVersion: f.version(c.Target),
		Actor: c.Actor, Reason: c.Reason, Key: c.Key, Forced: c.Force, Again: c.Again, Now: c.Now, Writers: Writers{Author: c.Proven},
		Started: t.now, Plan: *t.p,
	}
	if c.ByPolicy {
		t.s.Switch.Writers = t.s.Word.Writers
	}
	t.s.StepIndex, t.s.Rolled = 0, Rolled{}
	t.lineUp(reason)
	return nil
}

// refuseStart says why c can't start a switch. What the caller expects of the
// live color is asked before the target, so that a pipeline that lost a race
// hears who won it.
func (t *turn) refuseStart(c Command) *Refuse {
	s := t.s
	switch {
	case s.Phase.Running():
		return refuse(NotNow, "switch %s of %s to %s is running (%s): wait for it or abort it",
			s.Switch.ID, s.Model, s.Switch.To, s.Phase)
	case s.Live == "":
		return refuse(NotReady, "%s has no live color yet: %s", s.Model, t.unmet())
	case !c.Target.Valid():
		return refuse(Invalid, "target = %q; must be %s or %s", c.Target, policy.Blue, policy.Green)
	case c.ExpectLive != "" && c.ExpectLive != s.Live:
		return refuse(Precondition, "%s is live, not %s", s.Live, c.ExpectLive)
	case c.ExpectVersion != "" && !s.Facts.EndpointsKnown:
		return refuse(NotReady, "the live version is not known: the registry has not answered yet")
	case c.ExpectVersion != "" && c.ExpectVersion != s.Facts.version(s.Live):
		return refuse(Precondition, "%s is live with version %q, not %q",
			s.Live, s.Facts.version(s.Live), c.ExpectVersion)
	case s.Rolled.Restore:
		return refuse(NotReady, "instances of %s that were let go by switch %s are not back yet: wait for them", s.Switch.From, s.Switch.ID)
	case c.Target == s.Live:
		return refuse(Invalid, "%s is live already", c.Target)
	case t.unwanted(c.Target) && !c.Override && !c.ByPolicy:
		return refuse(NotWanted, "%s says what is live: %s; change it there, or override it, which is shown as drift until they agree (greenlight switch --override)",
			t.p.Source, t.p.Wanted)
	case c.Override && !c.ByPolicy && c.Reason == "":
		return refuse(Invalid, "an override needs a reason: the policy wants %s live", t.p.Wanted)
	case c.refuseHurry() != nil:
		return c.refuseHurry()
	case c.Force && c.Reason == "":
		return refuse(Invalid, "a forced switch needs a reason: users meet %s unvalidated", c.Target)
	default:
		return t.refuseTakenBack(c)
	}
}
