package check

import (
	"errors"
	"math"

	"greenlight/check/stats"
	"greenlight/policy"
	"greenlight/rollout"
)

// defaultConfidence is that of the intervals that no gate names one for.
const defaultConfidence = 0.95

// trial is what one gate's metric comes to on some rows. Nil means that there
// is no such value; problem or uncompared says why.
type trial struct {
	gate       policy.Gate
	rows       int
	idle, live *float64
	// gain is idle's value less live's, turned around where less is better: more
	// is better.
	gain   *stats.Interval
	pWorse float64 // of one test alone; 1 if there was none
	test   string

	problem    error // the judged color has no value
	uncompared error // there is nothing to say of the difference
}

// confidence of the interval of the gate's difference.
func confidence(g policy.Gate) float64 {
	if g.NotWorse != nil {
		return g.NotWorse.Confidence
	}
	return defaultConfidence
}

// try measures a gate's metric on rows; live is nil if it was not asked. Its
// error is that of cancel.
func try(g policy.Gate, idle, live *answers, rows []int32, cancel func() error) (trial, error) {
	t := trial{gate: g, rows: len(rows), pWorse: 1}
	first, second, both := t.values(idle, live, rows)
	switch {
	case !both:
		return t, nil
	case first.right != nil:
		t.countPairs(first.right, second.right)
		return t, nil
	}
	return t, t.bootstrap(first, second, cancel)
}

// values measures both colors; it reports whether both have a value.
func (t *trial) values(idle, live *answers, rows []int32) (first, second measured, both bool) {
	if first, t.idle, t.problem = valueOf(idle, t.gate.Metric, rows); t.problem != nil {
		t.uncompared = t.problem
		return first, second, false
	}
	if live == nil {
		t.uncompared = errors.New("live was not asked")
		return first, second, false
	}
	second, t.live, t.uncompared = valueOf(live, t.gate.Metric, rows)
	return first, second, t.uncompared == nil
}

func valueOf(a *answers, m policy.Metric, rows []int32) (measured, *float64, error) {
	of, err := a.metric(m, rows)
	if err != nil {
		return of, nil, err
	}
	value, err := of.value(nil)
	if err != nil {
		return of, nil, err
	}
	return of, &value, nil
}

// margin is the loss that the gate accepts.
func (t *trial) margin() float64 {
	if t.gate.NotWorse == nil {
		return 0
	}
	return t.gate.NotWorse.Margin
}

// detect is the loss beyond the margin that must not go unnoticed, in units of
// the metric.
func (t *trial) detect() float64 {
	d := t.gate.NotWorse.Detect
	if m := t.gate.Metric; !m.Bounded() && m != policy.R2 {
		return d * math.Abs(*t.live)
	}
	return d
}

// countPairs compares shares of right rows: the rows on which the colors
// disagree say everything.
func (t *trial) countPairs(idle, live []bool) {
	onlyIdle, onlyLive := 0, 0
	for i := range idle {
		if idle[i] && !live[i] {
			onlyIdle++
		}
		if live[i] && !idle[i] {
			onlyLive++
		}
	}
	gain := stats.PairedProportions(onlyIdle, onlyLive, len(idle), confidence(t.gate))
	t.gain, t.test = &gain, "McNemar"
	if t.margin() > 0 {
		t.test = "Tango"
	}
	t.pWorse = stats.PairedPWorse(onlyIdle, onlyLive, len(idle), t.margin())
}

func (t *trial) bootstrap(idle, live measured, cancel func() error) error {
	t.test = "paired bootstrap"
	var result stats.BootstrapResult
	result, t.uncompared = stats.Bootstrap{
		Rows: t.rows, Confidence: confidence(t.gate),
		Statistic: func(w []float64) (float64, float64, error) {
			first, err := idle.value(w)
			if err != nil {
				return 0, 0, err
			}
			second, err := live.value(w)
			return first, second, err
		},
	}.Run(cancel)
	if stopped := cancel(); stopped != nil || t.uncompared != nil {
		return stopped
	}
	gain := result.Difference
	if t.gate.Metric.LowerIsBetter() {
		gain = stats.Interval{Value: -gain.Value, Low: -gain.High, High: -gain.Low}
		t.pWorse = result.PAtLeast(t.margin())
	} else {
		t.pWorse = result.PAtMost(-t.margin())
	}
	t.gain = &gain
	return nil
}

// difference is idle's value less live's.
func (t *trial) difference() *rollout.Interval {
	if t.gain == nil {
		return nil
	}
	i := rollout.Interval{Value: t.gain.Value, Low: t.gain.Low, High: t.gain.High, Confidence: confidence(t.gate)}
	if t.gate.Metric.LowerIsBetter() {
		i.Value, i.Low, i.High = -i.Value, -i.High, -i.Low
	}
	return &i
}
