package rollout

import (
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// untold says what users' traffic still owes before a step or the bake may pass;
// empty when it has spoken, or when the policy does not ask for it.
func (t *turn) untold() string {
	rules, asked := t.asked()
	if !asked || t.s.Judging.Waived != "" {
		return ""
	}
	j, sw := t.s.Judging, t.s.Switch
	bothCarry := t.s.Weights != AllOn(sw.To)
	switch silent := t.s.Silent(); {
	case len(silent) > 0:
		return fmt.Sprintf("%s of users is silent%s", count(len(silent), "node"), names(silent))
	case j.Idle.Requests < rules.MinRequests:
		return fmt.Sprintf("%s was seen to answer %d of the %s that a judgement needs", sw.To, j.Idle.Requests, count(rules.MinRequests, "request"))
	case bothCarry && j.Live.Requests < rules.MinRequests:
		return fmt.Sprintf("%s was seen to answer %d of the %s that a judgement needs", sw.From, j.Live.Requests, count(rules.MinRequests, "request"))
	case t.finding().Suspicious:
		return "not decided yet: " + t.compared(t.finding())
	default:
		return ""
	}
}

// patient ends the time of a step or the bake, which is over, as users' traffic
// allows: it waits up to judge.maxHold for a judgement, and then does what the
// policy says. While the calendar is closed nothing is late: traffic may speak until it
// opens, and maxHold begins then. It answers true when the switch must not go on now.
func (t *turn) patient() (waits bool, note string) {
	untold := t.untold()
	rules := t.plan().Judge
	if untold == "" {
		return false, t.users()
	}
	if t.s.Phase != Baking && t.barred() != "" {
		t.s.HoldUntil, t.s.HeldOn = time.Time{}, false
		return true, ""
	}
	if t.s.HoldUntil.IsZero() && !t.s.HeldOn {
		t.s.HoldUntil = t.now.Add(rules.MaxHold)
	}
	if !t.s.HeldOn && !t.due(t.s.HoldUntil) {
		t.say("held on for users' traffic: " + untold)
		return true, ""
	}
	cause := fmt.Sprintf("users' traffic says too little, also after %s more: %s", calendar.PlainDuration(rules.MaxHold), untold)
	switch rules.Otherwise {
	case policy.ThinPromote:
		t.s.Judging.Waived = cause + ", and the policy says to promote"
		return false, t.users()
	case policy.ThinRollback:
		t.keepJudgement(Inconclusive, cause)
		if t.s.Phase == Shadowing { // no user has met the target
			t.end(Refused, cause)
		} else {
			t.stop(cause)
		}
	default:
		t.keepJudgement(Inconclusive, cause)
		t.hold(cause)
	}
	return true, ""
}

// users is what users' traffic said, as the end of a reason.
func (t *turn) users() string {
	switch _, text := t.summary(); text {
	case "":
		return ""
	default:
		return "; " + text
	}
}

// summary is the judgement on a step or a bake that ends.
func (t *turn) summary() (Result, string) {
	j, rules := t.s.Judging, t.plan().Judge
	switch {
	case rules.Off, j.Idle.Requests == 0 && !rules.Asked:
		return Inconclusive, ""
	case j.Waived != "":
		return Inconclusive, j.Waived
	case j.Idle.Requests < rules.MinRequests:
		return Inconclusive, fmt.Sprintf("%s was seen to answer only %s", t.s.Switch.To, count(j.Idle.Requests, "request"))
	default:
		return Pass, t.speaks()
	}
}

// closeJudgement keeps the judgement on what ends now, for the history.
func (t *turn) closeJudgement() {
	if t.s.Phase != Holding && t.s.Phase != Baking && t.s.Phase != Shadowing {
		return
	}
	if result, text := t.summary(); text != "" {
		t.keepJudgement(result, text)
	}
}
