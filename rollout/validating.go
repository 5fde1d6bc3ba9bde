package rollout

import (
	"fmt"
	"slices"

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
		return t.shiftIfSafe("validation passed")
	case t.s.CheckRun != 0:
		return false
	case !f.trusted(): // what would be measured may not be what gets weight
		t.say("the validation starts when the registry is trusted")
		return false
	case len(t.plan().Validate) == 0:
		sw.Validated = t.now
		return t.shiftIfSafe("nothing to validate")
	default:
		t.runChecks(t.plan().Validate)
		return false
	}
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
	if t.s.Phase == Validating {
		t.judgeValidation(c.Verdicts)
	} else {
		t.judgeBake(c.Verdicts)
	}
}

// judgeValidation lets nothing pass that was not seen to pass.
func (t *turn) judgeValidation(verdicts []Verdict) {
	for _, c := range t.plan().Validate {
		i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.Check == c.Name })
		if i < 0 {
			t.end(Refused, fmt.Sprintf("check %s gave no verdict", c.Name))
			return
		}
		if verdicts[i].Result != Pass {
			t.end(Refused, verdicts[i].text())
			return
		}
	}
	t.s.Switch.Validated = t.now
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

// text is the sentence that a cause or a problem quotes.
func (v Verdict) text() string {
	word := map[Result]string{Pass: "passed", Fail: "failed"}[v.Result]
	if word == "" {
		word = "was inconclusive"
	}
	return fmt.Sprintf("check %s %s: %s", v.Check, word, v.Summary)
}

// newest finds the newest verdict with result r among checks.
func (t *turn) newest(checks []policy.Check, r Result) (Verdict, bool) {
	for _, v := range t.s.Switch.Verdicts {
		named := slices.ContainsFunc(checks, func(c policy.Check) bool { return c.Name == v.Check })
		if named && v.Result == r {
			return v, true
		}
	}
	return Verdict{}, false
}
