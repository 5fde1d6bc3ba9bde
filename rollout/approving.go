package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// Approved is one person's word for something that the policy has approved.
type Approved struct {
	Before policy.Act `json:"before"`
	By     string     `json:"by"`
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
}

// unapproved says who has to approve what yet; empty when nobody has to.
func (t *turn) unapproved(act policy.Act) string {
	need := t.plan().Needs(act)
	if need == nil {
		return ""
	}
	given := t.approvers(act)
	missing := need.Count - len(given)
	if missing <= 0 {
		return ""
	}
	text := fmt.Sprintf("%d more of %s must approve it before %s", missing, strings.Join(need.By, ", "), actWords[act])
	if len(given) > 0 {
		text += "; approved by " + strings.Join(given, ", ")
	}
	return text
}

var actWords = map[policy.Act]string{policy.BeforeShift: "users meet it", policy.BeforeRetire: "the old color is let go"}

// askApproval enters Approving if users have not met the target yet and somebody
// has to approve that they do.
func (t *turn) askApproval(why string) bool {
	missing := t.unapproved(policy.BeforeShift)
	if t.s.Phase == Approving || t.shifting() || t.s.Switch.Undoes != "" || missing == "" {
		return false
	}
	t.closeJudgement()
	if t.s.Mirror.Percent > 0 {
		t.publishMirrored(Mirror{})
	}
	t.enter(Approving, why+": "+missing)
	t.s.Deadline = t.now.Add(t.plan().Needs(policy.BeforeShift).Within)
	return true
}

// approving waits for the persons who have to approve that users meet the target,
// which must stay what was validated.
func (t *turn) approving() bool {
	if cause := t.invalidated(); cause != "" {
		t.end(Refused, cause)
		return true
	}
	missing := t.unapproved(policy.BeforeShift)
	switch {
	case missing == "":
		return t.shiftIfSafe("approved by " + strings.Join(t.approvers(policy.BeforeShift), ", "))
	case t.due(t.s.Deadline):
		t.end(Refused, fmt.Sprintf("not approved within %s: %s", calendar.PlainDuration(t.plan().Needs(policy.BeforeShift).Within), missing))
		return true
	default:
		t.say(missing + " (greenlight approve)")
		return false
	}
}

// approvers are those who have given their word for act.
func (t *turn) approvers(act policy.Act) []string {
	var names []string
	for _, a := range t.s.Switch.Approvals {
		if a.Before == act {
			names = append(names, a.By)
		}
	}
	return names
}

// forgetApprovals asks for the words again that were given before users meet the
// target: what they spoke of is measured anew.
func (t *turn) forgetApprovals() { t.s.Switch.Approvals = nil }

// approve takes one person's word.
func (t *turn) approve(c Command) *Refuse {
	act, open := t.toApprove()
	if !open {
		return refuse(NotNow, "nothing waits for approval")
	}
	need, sw := t.plan().Needs(act), t.s.Switch
	switch {
	case t.started(c.Actor):
		return refuse(Invalid, "%s started switch %s: somebody else has to approve it", c.Actor, sw.ID)
	case !slices.ContainsFunc(append(c.Groups, c.Actor), func(g string) bool { return slices.Contains(need.By, g) }):
		return refuse(Invalid, "%s may not approve it: it takes %s", c.Actor, strings.Join(need.By, " or "))
	case slices.ContainsFunc(sw.Approvals, func(a Approved) bool { return a.Before == act && strings.EqualFold(a.By, c.Actor) }):
		return refuse(NotNow, "%s has approved it already", c.Actor)
	}
	sw.Approvals = append(slices.Clone(sw.Approvals), Approved{Before: act, By: c.Actor, Reason: c.Reason, At: t.now})
	return nil
}

// toApprove is what waits for approval now.
func (t *turn) toApprove() (policy.Act, bool) {
	act := policy.BeforeShift
	switch t.s.Phase {
	case Approving:
	case Retiring:
		act = policy.BeforeRetire
	default:
		return "", false
	}
	return act, t.unapproved(act) != ""
}

// started reports whether a person is who the switch goes back to: who asked for
// it, or who is behind the commit that did.
func (t *turn) started(who string) bool {
	sw := t.s.Switch
	if strings.EqualFold(who, sw.Actor) || sw.isWriter(who) {
		return true
	}
	return sw.Actor == ByPolicy && writersOf(sw.Plan.Source.Commit).isWriter(who)
}

// awaitRetirement waits for the persons who have to approve that the old color is
// let go. Without them it is kept.
func (t *turn) awaitRetirement() (waits, ended bool) {
	missing := t.unapproved(policy.BeforeRetire)
	l := &t.s.Letting
	if missing == "" {
		if !l.Until.IsZero() {
			l.Until, t.s.Deadline = time.Time{}, t.now
		}
		return false, false
	}
	if l.Until.IsZero() {
		l.Until = t.now.Add(t.plan().Needs(policy.BeforeRetire).Within)
	}
	if t.due(l.Until) {
		t.enter(Idle, fmt.Sprintf("%s is kept: not approved within %s: %s", t.s.Switch.From, calendar.PlainDuration(t.plan().Needs(policy.BeforeRetire).Within), missing))
		return true, true
	}
	t.s.Deadline = l.Until
	t.say(missing + " (greenlight approve)")
	return true, false
}
