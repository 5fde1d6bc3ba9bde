package check

import (
	"fmt"
	"strconv"
	"strings"

	"greenlight/policy"
	"greenlight/rollout"
)

// judgeValue holds the value of the judged color, and that of the other one if
// there are two, against the check's gates.
func judgeValue(c *policy.PrometheusCheck, values []float64) finding {
	idle := values[0]
	f := finding{figures: map[string]float64{"value.idle": idle}}
	var live *float64
	if len(values) > 1 {
		live = &values[1]
		f.figures["value.live"] = *live
		if *live != 0 {
			f.figures["ratio"] = idle / *live
		}
	}
	add := func(rule string, result rollout.Result, why string) {
		m := rollout.Measure{Name: "value", Idle: &idle, Live: live, Rule: rule, Result: result}
		if result != rollout.Pass {
			m.Why = why
		}
		f.measures = append(f.measures, m)
	}
	if c.Min != nil {
		add("at least "+number(*c.Min), passIf(idle >= *c.Min), number(idle)+" is less than "+number(*c.Min))
	}
	if c.Max != nil {
		add("at most "+number(*c.Max), passIf(idle <= *c.Max), number(idle)+" is more than "+number(*c.Max))
	}
	if c.OfLive != nil {
		share := number(*c.OfLive*100) + "%"
		result, why := ofLive(idle, *live, *c.OfLive)
		add("at most "+share+" of live", result, why)
	}
	f.result, f.summary = worst(f.measures)
	if f.result == rollout.Fail {
		for _, m := range f.measures {
			if m.Result == rollout.Fail {
				f.evidence = append(f.evidence, rollout.Evidence{
					Endpoint: c.Server, Case: c.Query, Expected: m.Rule, Got: valueInWords(m),
				})
			}
		}
	}
	return f
}

// ofLive compares with a share of live's value. Of 0 every share is 0: only 0
// and less is within it. Of a negative value a larger share is less, which
// nobody can have meant.
func ofLive(idle, live, share float64) (rollout.Result, string) {
	switch {
	case live < 0:
		return rollout.Inconclusive, fmt.Sprintf("live's value %s is negative, a share of it means nothing; compare with min and max", number(live))
	case idle <= share*live:
		return rollout.Pass, ""
	case live == 0:
		return rollout.Fail, fmt.Sprintf("%s is more than live's 0", number(idle))
	default:
		return rollout.Fail, fmt.Sprintf("%s is %s%% of live's %s", number(idle), number(idle/live*100), number(live))
	}
}

// worst is the result of all measures together, and why.
func worst(measures []rollout.Measure) (rollout.Result, string) {
	for _, result := range [...]rollout.Result{rollout.Fail, rollout.Inconclusive} {
		var why []string
		for _, m := range measures {
			if m.Result == result {
				why = append(why, m.Why+" (must be "+m.Rule+")")
			}
		}
		if len(why) > 0 {
			return result, strings.Join(why, "; ")
		}
	}
	var rules []string
	for _, m := range measures {
		rules = append(rules, m.Rule)
	}
	return rollout.Pass, valueInWords(measures[0]) + " is " + strings.Join(rules, " and ")
}

func valueInWords(m rollout.Measure) string {
	if m.Live == nil {
		return number(*m.Idle)
	}
	return fmt.Sprintf("%s (live %s)", number(*m.Idle), number(*m.Live))
}

func passIf(ok bool) rollout.Result {
	if ok {
		return rollout.Pass
	}
	return rollout.Fail
}

// number is f as a person reads it.
func number(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }
