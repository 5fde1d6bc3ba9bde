package report

import (
	"slices"

	"greenlight/policy"
	"greenlight/rollout"
)

// badge is a result in a word, a sign and a color.
type badge struct{ Class, Sign, Word string }

func badgeOf(r rollout.Result) badge {
	switch r {
	case rollout.Pass:
		return badge{"pass", "✓", "pass"}
	case rollout.Fail:
		return badge{"fail", "✗", "fail"}
	case rollout.Inconclusive:
		return badge{"unclear", "?", "inconclusive"}
	default:
		return badge{"none", "–", "not judged"}
	}
}

func outcomeBadge(o rollout.Outcome) badge {
	switch o {
	case rollout.Succeeded:
		return badge{"pass", "✓", "succeeded"}
	case rollout.Refused, rollout.RolledBack:
		return badge{"fail", "✗", string(o)}
	case rollout.Aborted:
		return badge{"none", "–", "aborted"}
	default:
		return badge{"none", "…", "running"}
	}
}

// overall is the worst of all verdicts; empty if nothing was measured. An
// inconclusive one that the switch's plan lets pass counts as a pass.
func overall(a rollout.Assessment) rollout.Result {
	worst := rollout.Result("")
	for _, s := range a.Stages {
		for _, v := range s.Verdicts {
			result := v.Result
			if result == rollout.Inconclusive && letPass(a.Switch, s.Name, v.Check) {
				result = rollout.Pass
			}
			if severity(result) > severity(worst) {
				worst = result
			}
		}
	}
	return worst
}

func severity(r rollout.Result) int {
	return slices.Index([]rollout.Result{"", rollout.Pass, rollout.Inconclusive, rollout.Fail}, r)
}

// letPass reports whether the plan says that check passes in stage when it is
// inconclusive. Users' traffic that says too little stops a switch only if the plan
// asks for its word.
func letPass(sw *rollout.Switch, stage, check string) bool {
	switch {
	case sw == nil:
		return false
	case check == rollout.JudgementCheck:
		return !sw.Plan.Judge.Asked || sw.Plan.Judge.Otherwise == policy.ThinPromote
	}
	return slices.ContainsFunc(rollout.StageChecks(&sw.Plan, stage), func(c policy.Check) bool {
		return c.Name == check && c.OnInconclusive == policy.InconclusivePasses
	})
}
