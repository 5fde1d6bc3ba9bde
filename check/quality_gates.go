package check

import (
	"fmt"
	"math"
	"strconv"

	"greenlight/check/stats"
	"greenlight/policy"
	"greenlight/rollout"
)

// measures holds a trial against each rule of its gate. adjusted is its p-value
// among all the tests of the check. A slice has too few rows to exclude small
// losses, so that there only one that is shown counts.
func (t *trial) measures(adjusted float64, slice bool) []rollout.Measure {
	var out []rollout.Measure
	if t.gate.Min != nil {
		out = append(out, t.bound("at least ", "below", *t.gate.Min, func(v, bound float64) bool { return v >= bound }))
	}
	if t.gate.Max != nil {
		out = append(out, t.bound("at most ", "above", *t.gate.Max, func(v, bound float64) bool { return v <= bound }))
	}
	if t.gate.NotWorse != nil {
		out = append(out, t.notWorse(adjusted, slice))
	}
	return out
}

func (t *trial) measure(rule string) rollout.Measure {
	return rollout.Measure{
		Name: string(t.gate.Metric), Idle: t.idle, Live: t.live, Difference: t.difference(),
		Rule: rule, Result: rollout.Pass,
	}
}

func (t *trial) bound(rule, side string, bound float64, holds func(v, bound float64) bool) rollout.Measure {
	m := t.measure(rule + number(bound))
	switch {
	case t.idle == nil:
		m.Result, m.Why = rollout.Inconclusive, fmt.Sprintf("is %v", t.problem)
	case !holds(*t.idle, bound): // NaN holds nothing
		m.Result, m.Why = rollout.Fail, fmt.Sprintf("is %s %s", side, number(bound))
	}
	return m
}

func (t *trial) notWorse(adjusted float64, slice bool) rollout.Measure {
	rule := "not worse than live"
	if t.margin() > 0 {
		rule += fmt.Sprintf(" by more than %s", number(t.margin()))
	}
	if t.test != "" {
		rule += fmt.Sprintf(" (%s, %s)", t.test, share(confidence(t.gate)))
	}
	m := t.measure(rule)
	if t.gain == nil {
		m.Result, m.Why = rollout.Inconclusive, fmt.Sprintf("can't be compared: %v", t.uncompared)
		return m
	}
	m.PValue = &adjusted
	detect := 0.0
	if !slice {
		detect = t.detect()
	}
	switch stats.JudgeNotWorse(*t.gain, adjusted, (1-confidence(t.gate))/2, t.margin(), detect) {
	case stats.Fail:
		m.Result = rollout.Fail
		m.Why = fmt.Sprintf("is worse than live's by %s (%s to %s, %s p = %s)", number(-t.gain.Value),
			number(-t.gain.High), number(-t.gain.Low), t.test, number(adjusted))
	case stats.Inconclusive:
		m.Result = rollout.Inconclusive
		m.Why = fmt.Sprintf("may be worse than live's by up to %s: %s can't exclude a loss of %s; use more rows or allow more (detect)",
			number(-t.gain.Low), plural(t.rows, "row"), number(t.margin()+detect))
	}
	return m
}

// figures adds what expressions may refer to.
func (t *trial) figures(into map[string]float64) {
	name := string(t.gate.Metric)
	if t.idle != nil {
		into[name+".idle"] = *t.idle
	}
	if t.live != nil {
		into[name+".live"] = *t.live
	}
	if t.idle != nil && t.live != nil {
		into[name+".difference"] = *t.idle - *t.live
	}
	if d := t.difference(); d != nil {
		into[name+".difference"], into[name+".low"], into[name+".high"] = d.Value, d.Low, d.High
	}
}

// loss says how bad a trial is: how much worse than live, or, where live has no
// value, than idle on all rows; as a share of that for metrics without bounds.
func (t *trial) loss(whole trial) float64 {
	reference, loss := whole.idle, 0.0
	switch {
	case t.gain != nil:
		reference, loss = t.live, -t.gain.Value
	case t.idle == nil || whole.idle == nil:
		return math.Inf(-1)
	default:
		loss = *whole.idle - *t.idle
		if t.gate.Metric.LowerIsBetter() {
			loss = -loss
		}
	}
	if !t.gate.Metric.Bounded() && t.gate.Metric != policy.R2 && *reference != 0 {
		loss /= math.Abs(*reference)
	}
	return loss
}

// inWords is the metric's values: "accuracy 0.71, live 0.93".
func (t *trial) inWords() string {
	s := string(t.gate.Metric)
	if t.idle == nil {
		return s + " without a value"
	}
	s += " " + number(*t.idle)
	if t.live != nil {
		s += ", live " + number(*t.live)
	}
	return s
}

// share is 0.95 as 95%.
func share(f float64) string { return strconv.FormatFloat(f*100, 'g', 4, 64) + "%" }
