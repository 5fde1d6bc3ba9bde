package rollout

import (
	"fmt"

	"greenlight/policy"
)

// undo goes back to what was live before an earlier switch, if its color still
// runs that version. Where that is what the running or the last switch came from,
// it is that one's rollback; otherwise it is a switch of its own, all at once and
// without validation: those very instances were live before.
func (t *turn) undo(c Command) *Refuse {
	sw, b := t.s.Switch, *c.Before
	switch {
	case sw == nil:
		return refuse(NotNow, "there was no switch to roll back")
	case t.s.Phase == RollingBack:
		return refuse(NotNow, "the switch is going back already")
	case t.s.Phase.Running() && (sw.From != b.Color || sw.FromVersion != b.Version):
		return refuse(NotNow, "switch %s is running: roll it back first", sw.ID)
	case t.s.Phase.Running(), t.isLast(b):
		c.Before = nil
		return t.rollBack(c)
	}
	if r := t.refuseUndo(b); r != nil {
		return r
	}
	t.s.Switch = &Switch{
		ID: c.ID, Model: t.s.Model, From: t.s.Live, To: b.Color,
		FromVersion: t.s.Facts.version(t.s.Live), ToVersion: b.Version,
		Actor: c.Actor, Reason: c.Reason, Undoes: b.ID, Started: t.now, Plan: *t.p,
	}
	next := t.s.Switch
	next.Plan.Shift, next.Plan.Rolling = []policy.Step{{Weight: policy.Full}}, nil
	if missing := t.missingEndpoints(); missing != "" {
		t.s.Switch = sw
		return refuse(NotReady, "%s can't take the users now: %s", b.Color, missing)
	}
	t.s.StepIndex, t.s.Rolled = 0, Rolled{}
	t.s.Judging = Judging{Since: t.now, Record: t.s.Facts.Traffic.Records.Of(next.From)}
	t.enter(Preparing, c.by("goes back to before switch "+b.ID))
	t.s.Deadline = t.now.Add(t.plan().Prepare.Within)
	return nil
}

// undoPrepared gives the users back to what was live before, unless that has changed
// while the nodes got ready.
func (t *turn) undoPrepared() {
	sw := t.s.Switch
	if now := t.s.Facts.version(sw.To); now != sw.ToVersion {
		t.end(Refused, fmt.Sprintf("%s serves %q now, not %q as before switch %s", sw.To, now, sw.ToVersion, sw.Undoes))
		return
	}
	t.shift("every node is ready for it")
}

// isLast reports whether b is what the last switch, which succeeded, came from.
func (t *turn) isLast(b Earlier) bool {
	sw := t.s.Switch
	return sw.Outcome == Succeeded && sw.From == b.Color && sw.FromVersion == b.Version && t.s.Live == sw.To
}

// refuseUndo says why what was live before b can't be live again.
func (t *turn) refuseUndo(b Earlier) *Refuse {
	f := t.s.Facts
	switch now := f.version(b.Color); {
	case !f.EndpointsKnown:
		return refuse(NotReady, "it is not known whether %s still serves %q: the registry has not answered yet", b.Color, b.Version)
	case f.ready(b.Color) == 0:
		return refuse(NotReady, "what was live before switch %s is gone: %s has no ready endpoint%s", b.ID, b.Color, t.elsewhere(b))
	case f.rejection(t.s.Generation) != "":
		return refuse(NotReady, "%s can't take the users now: %s", b.Color, f.rejection(t.s.Generation))
	case now == "" && b.Version == "":
		return refuse(NotReady, "it can't be told whether %s still runs what was live before switch %s: the registry names no version; switch to it instead", b.Color, b.ID)
	case now != b.Version:
		return refuse(NotReady, "what was live before switch %s is gone: %s serves %q now, not %q%s", b.ID, b.Color, now, b.Version, t.elsewhere(b))
	case t.s.Rolled.Restore:
		return refuse(NotReady, "instances of %s that were let go by switch %s are not back yet: wait for them", t.s.Switch.From, t.s.Switch.ID)
	case t.s.Live == b.Color:
		return refuse(NotNow, "%s with version %q is live already, as before switch %s", b.Color, b.Version, b.ID)
	default:
		return nil
	}
}

// elsewhere tells that the other color serves the version that is gone.
func (t *turn) elsewhere(b Earlier) string {
	other := b.Color.Other()
	switch {
	case t.s.Facts.version(other) != b.Version:
		return ""
	case other == t.s.Live:
		return fmt.Sprintf("; %s, which is live, serves %q", other, b.Version)
	default:
		return fmt.Sprintf("; %s serves %q: switch to it instead", other, b.Version)
	}
}

// undone ends a switch that went back to what was live before another one: what
// was left is kept as it is.
func (t *turn) undone(text string) {
	sw := t.s.Switch
	t.becomeLive(sw.To)
	t.conclude(Succeeded, "")
	t.s.Tried = without(t.s.Tried, sw.ToVersion)
	t.noteTakenBack(sw.FromVersion, "gone back to before switch "+sw.Undoes+because(sw.Reason))
	t.enter(Idle, fmt.Sprintf("%s has all traffic again, %s", sw.To, text))
}
