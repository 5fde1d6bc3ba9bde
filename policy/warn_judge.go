package policy

import "greenlight/policy/calendar"

// judge looks at what users' traffic is judged by.
func (w *warner) judge(fleets map[string]*choice[Fleet]) {
	j := w.model.Judge
	if j.Off || !j.Asked {
		return
	}
	switch silent := w.allSilent(fleets); {
	case j.Errors.RelativeOff && j.Latency.RelativeOff && j.Errors.Max == nil && len(j.Latency.Max) == 0:
		w.warn("spec.judge", RuleJudgeBlind, "judge compares neither errors nor latency and has no limit; it waits for %d requests and decides nothing; remove relative: false, write errorRate or a percentile, or write judge: {off: true}", j.MinRequests)
	case w.seesNoRequest():
		w.warn("spec.judge", RuleJudgeBlind, "all users move at once, and bake.for and judge.maxHold are 0s; judge sees only what is answered while the nodes confirm; write bake.for or judge.maxHold, or judge: {off: true}")
	case silent:
		w.warn("spec.judge", RuleJudgeBlind, "no fleet of the model reports users' requests (telemetry.off), so judge sees none; remove telemetry.off from one, or write judge: {off: true}")
	}
	if j.Errors.Max != nil && *j.Errors.Max >= wideErrors && !j.Errors.ClientErrors {
		w.warn("spec.judge.errorRate", RuleWideLimit, "judge.errorRate = <%s; so many of users' requests may fail; write what users would put up with, like <1%%", plainRatio(*j.Errors.Max))
	}
	if !j.Errors.RelativeOff {
		w.wide("spec.judge.errors.tolerate", j.Errors.Tolerate, "the new color's odds of failing may be so many times the other one's")
	}
	if !j.Latency.RelativeOff {
		w.wide("spec.judge.latency.tolerate", j.Latency.Tolerate, "the new color may take so many times as long as the other one")
	}
	w.beyondTimeout()
}

// seesNoRequest reports whether the switch leaves no time to judge: neither copies
// before the shift, nor users in its one step.
func (w *warner) seesNoRequest() bool {
	m := w.model
	return len(m.Shift) == 1 && m.Shape != ShapeRolling && m.Shadow.Percent == 0 && m.Bake.For == 0 && m.Judge.MaxHold == 0
}

// beyondTimeout notes limits of the latency that are longer than the route lets
// a request take.
func (w *warner) beyondTimeout() {
	timeout := w.model.Route.Timeout
	for _, l := range w.model.Judge.Latency.Max {
		if timeout > 0 && l.Max > timeout {
			at := "spec.judge." + quantileKey(l.Quantile)
			w.warn(at, RuleWideLimit, "%s = <%s, and route.timeout gives a request up after %s; write a limit below the timeout", shown(at), calendar.PlainDuration(l.Max), calendar.PlainDuration(timeout))
		}
	}
}

// allSilent reports whether every fleet of the model is known to report nothing.
// One that keeps its own listeners may report by an access log of its own.
func (w *warner) allSilent(fleets map[string]*choice[Fleet]) bool {
	for _, name := range w.model.Route.Fleets {
		c := fleets[name]
		if c == nil || c.removed {
			return false
		}
		if f := c.standing(); f == nil || f.Telemetry == nil || !f.Telemetry.Off {
			return false
		}
	}
	return true
}
