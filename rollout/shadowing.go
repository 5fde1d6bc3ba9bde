package rollout

import (
	"fmt"
	"strings"

	"greenlight/rollout/judge"

	"greenlight/policy/calendar"
)

// enterShadow mirrors users' requests to the target, which was validated, before
// any of them meets it.
func (t *turn) enterShadow(why string) {
	sw, plan := t.s.Switch, t.plan().Shadow
	t.takeRecord()
	t.publishMirrored(Mirror{To: sw.To, Percent: plan.Percent})
	t.enter(Shadowing, fmt.Sprintf("%s of users' requests mirrored to %s: %s", percent(plan.Percent), sw.To, why))
	t.s.Deadline = t.now.Add(plan.For)
	t.s.Judging = Judging{
		Since: t.now, Record: t.s.Judging.Record, Slowed: judge.NewAlone(t.s.Judging.Record),
	}
}

// shadow waits until the mirrored requests have been judged, and then gives the
// target its first weight; that publish ends the mirroring.
func (t *turn) shadow() bool {
	if cause := t.invalidated(); cause != "" {
		t.end(Refused, cause)
		return true
	}
	if cause := t.shadowFailed(); cause != "" {
		t.keepJudgement(Fail, cause)
		t.end(Refused, "mirrored traffic: "+cause)
		return true
	}
	if !t.due(t.s.Deadline) {
		return false
	}
	waits, note := t.patient()
	if waits {
		return t.s.Phase != Shadowing
	}
	return t.shiftIfSafe("mirrored for " + calendar.PlainDuration(t.plan().Shadow.For) + note)
}

// lookAtShadow judges one window in which requests are mirrored: the target's
// answers beside those that users got, and the live color beside what it did before.
func (t *turn) lookAtShadow(w Window) {
	sw, rules := t.s.Switch, t.plan().Judge
	j := &t.s.Judging
	j.Last = w.End
	live, idle := t.routed(w).Of(sw.From), w.Shadow.Of(sw.To)
	j.Live.add(live)
	j.Idle.add(idle)
	idle = t.begun(idle, w, t.s.Mirror.Percent)
	c := judgeConfig(rules, shadowShare)
	j.Slowed = j.Slowed.Look(c, sample(live, rules))
	if rules.Off {
		return
	}
	j.Test = j.Test.Look(c, sample(live, rules), sample(idle, rules))
	t.lookAtLimits(idle)
}

// shadowFailed says why mirroring must end: the target does worse, or the live
// color does worse for being mirrored.
func (t *turn) shadowFailed() string {
	sw, rules := t.s.Switch, t.plan().Judge
	c := judgeConfig(rules, shadowShare)
	if f := t.s.Judging.Slowed.Finding(c); f.Worse {
		what := fmt.Sprintf("p%g is %s against %s before", f.Quantile*100, seconds(f.IdleLatency), seconds(f.LiveLatency))
		if f.Metric != "latency" {
			what = fmt.Sprintf("%s of the requests fail against %s before", share100(f.IdleErrors), share100(f.LiveErrors))
		}
		return fmt.Sprintf("mirroring does users of %s harm, so it was stopped: %s; mirror less (shadow.percent), or give what both colors share more room",
			sw.From, what)
	}
	if rules.Off {
		return ""
	}
	if f := t.s.Judging.Test.Finding(c); f.Worse {
		return strings.Replace(t.compared(f), "fails more often", "fails mirrored requests more often", 1)
	}
	return t.limitBroken()
}

// publishMirrored makes m the mirroring, with the weights as they are.
func (t *turn) publishMirrored(m Mirror) {
	t.s.Generation++
	t.s.Mirror = m
	t.republish()
}

// shadowHeld reports whether a person is asked what to make of a shadow that says
// too little. No user has met the target then, and nothing is mirrored.
func (t *turn) shadowHeld() bool { return t.s.Phase == Held && t.s.Resume == Shadowing }

// shadowed reports whether the plan's shadow is over or there is none.
func (t *turn) shadowed() bool {
	if t.plan().Shadow.Percent == 0 {
		return true
	}
	for _, tr := range t.s.Switch.Transitions {
		if tr.To == Shadowing {
			return true
		}
	}
	return false
}
