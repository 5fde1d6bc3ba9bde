package rollout

import (
	"fmt"
	"slices"
	"strings"

	"greenlight/policy"
)

// validate measures the target before a user meets it, and then gives it its
// first weight. What was measured must still be there.
func (t *turn) validate() bool {
	sw, f := t.s.Switch, t.s.Facts
	if cause := t.invalidated(); cause != "" {
		t.end(Refused, cause)
		return true
	}
	switch {
	case !sw.Validated.IsZero():
		return t.firstWeight("validation passed" + t.waived(t.plan().Validate))
	case t.s.CheckRun != 0:
		return false
	case !f.trusted(): // what would be measured may not be what gets weight
		t.say("the validation starts when the registry is trusted")
		return false
	case len(t.plan().Validate) == 0:
		sw.Validated = t.now
		return t.firstWeight("nothing to validate")
	default:
		t.runChecks(StageValidate, t.plan().Validate)
		return false
	}
}

// firstWeight follows the validation: it goes to users, or before that to copies
// of their requests.
func (t *turn) firstWeight(why string) bool {
	if t.shadowed() || len(t.missing()) > 0 {
		return t.shiftIfSafe(why)
	}
	t.enterShadow(why)
	return true
}

// invalidated says why the target is no longer what is being validated.
func (t *turn) invalidated() string {
	sw, f := t.s.Switch, t.s.Facts
	if cause := f.rejection(t.s.Generation); cause != "" {
		return cause
	}
	if !f.trusted() {
		return ""
	}
	if cause := t.tooFew(sw.To, t.need()); cause != "" {
		return cause
	}
	return t.versionChanged()
}

// versionChanged says that the target serves anything but what was fixed in
// Preparing; two versions at once are a change too. The caller trusts the registry.
func (t *turn) versionChanged() string {
	sw := t.s.Switch
	if v := t.s.Facts.Endpoints.Versions(sw.To); len(v) == 1 && v[0] == sw.ToVersion {
		return ""
	}
	return fmt.Sprintf("%s changed from version %q to %q during the switch", sw.To, sw.ToVersion, t.s.Facts.version(sw.To))
}

// checked takes the verdicts of the run that is awaited, and of no other.
func (t *turn) checked(c Checked) {
	if t.s.CheckRun == 0 || c.Run != t.s.CheckRun {
		return
	}
	t.s.CheckRun = 0
	t.keep(c.Verdicts)
	if c.Run == t.s.WalkRun {
		t.judgeWalk(c.Verdicts)
		return
	}
	switch plan := t.plan(); t.s.Phase {
	case Validating:
		t.judgeValidation(c.Verdicts)
	case Holding:
		t.judgeWatch(plan.StepChecks.Checks, plan.StepChecks.Every, c.Verdicts)
	default: // no other phase runs checks but the bake
		t.judgeWatch(plan.Bake.Checks, plan.Bake.Every, c.Verdicts)
	}
}

// judgeValidation lets nothing pass that was not seen to pass, but what the
// policy leaves to a person, or lets pass.
func (t *turn) judgeValidation(verdicts []Verdict) {
	r := rule(t.plan().Validate, policy.InconclusiveFails, verdicts)
	note(&r.failed, r.missing)
	switch {
	case r.failed != "":
		t.end(Refused, r.failed)
	case r.open != "":
		t.hold("the validation has no result: " + r.open)
	default:
		t.s.Switch.Validated = t.now
	}
}

// acceptValidation gives the target its first weight on a person's word. Only
// what is inconclusive can be accepted; what failed has ended the switch.
func (t *turn) acceptValidation(c Command, why string) {
	sw := t.s.Switch
	asked := rule(t.plan().Validate, policy.InconclusiveFails, sw.Verdicts).asked
	sw.Validated = t.now
	sw.Accepted = &Acceptance{Actor: c.Actor, Reason: c.Reason, At: t.now, Checks: asked}
	why = fmt.Sprintf("%s, accepting that %s inconclusive", why, were(asked))
	if !t.askApproval(why) {
		t.shift(why)
	}
}

// were is "check a was", "checks a, b were".
func were(names []string) string {
	if len(names) == 1 {
		return "check " + names[0] + " was"
	}
	return "checks " + strings.Join(names, ", ") + " were"
}

// keep replaces each check's older verdict.
func (t *turn) keep(verdicts []Verdict) {
	sw := t.s.Switch
	for _, v := range verdicts {
		i := slices.IndexFunc(sw.Verdicts, func(old Verdict) bool { return old.Check == v.Check })
		if i < 0 {
			sw.Verdicts = append(sw.Verdicts, v)
		} else {
			sw.Verdicts[i] = v
		}
	}
}
