package rollout

import (
	"fmt"
	"slices"
	"strings"

	"greenlight/policy"
)

// ruling is what the verdicts of one complete run come to. What the policy lets
// pass is in none of its fields.
type ruling struct {
	failed  string   // the first failure, or what counts as one; empty when there is none
	missing string   // the first check that gave no verdict at all
	open    string   // the first inconclusive verdict that a person has to weigh
	asked   []string // the checks that gave such verdicts
}

// rule weighs the verdicts of a run of checks. A failure counts before what is
// inconclusive: it may be why the rest was not measured to the end. otherwise is
// what an inconclusive verdict means where a check doesn't say.
func rule(checks []policy.Check, otherwise policy.OnInconclusive, verdicts []Verdict) ruling {
	var r ruling
	var asFailed string
	for _, c := range checks {
		v, found := verdictOf(c, verdicts)
		switch {
		case !found:
			note(&r.missing, fmt.Sprintf("check %s gave no verdict", c.Name))
		case v.Result == Pass:
		case v.Result == Fail:
			note(&r.failed, v.text())
		case onInconclusive(c, otherwise) == policy.InconclusiveFails:
			note(&asFailed, v.text())
		case onInconclusive(c, otherwise) == policy.InconclusiveHolds:
			note(&r.open, v.text())
			r.asked = append(r.asked, c.Name)
		}
	}
	note(&r.failed, asFailed)
	return r
}

// note keeps the first text.
func note(first *string, text string) {
	if *first == "" {
		*first = text
	}
}

func verdictOf(c policy.Check, verdicts []Verdict) (Verdict, bool) {
	i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.Check == c.Name })
	if i < 0 {
		return Verdict{}, false
	}
	return verdicts[i], true
}

func onInconclusive(c policy.Check, otherwise policy.OnInconclusive) policy.OnInconclusive {
	if c.OnInconclusive == "" {
		return otherwise
	}
	return c.OnInconclusive
}

// waived names the inconclusive verdicts that checks passed with, as the end of
// a reason; empty when there are none. All of checks have verdicts.
func (t *turn) waived(checks []policy.Check) string {
	var out []string
	for _, c := range checks {
		if v, found := verdictOf(c, t.s.Switch.Verdicts); found && v.Result != Pass && c.OnInconclusive == policy.InconclusivePasses {
			out = append(out, v.text())
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ", and the policy lets pass that " + strings.Join(out, "; ")
}

// text is the sentence that a cause or a problem quotes.
func (v Verdict) text() string {
	word := map[Result]string{Pass: "passed", Fail: "failed"}[v.Result]
	if word == "" {
		word = "was inconclusive"
	}
	return fmt.Sprintf("check %s %s: %s", v.Check, word, v.Summary)
}
