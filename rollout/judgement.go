package rollout

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout/judge"
)

// JudgementCheck is the name under which the verdicts on users' traffic stand
// among those of the checks. No check can have it: it holds a space.
const JudgementCheck = "user traffic"

// judgementKind is Verdict.Kind of these.
const judgementKind = "judge"

// share100 is a share as people read it: "0.5%", "12%".
func share100(s float64) string { return strconv.FormatFloat(rounded(s*100), 'f', -1, 64) + "%" }

// rounded keeps three figures.
func rounded(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return v
	}
	return out
}

// seconds is a time as people read it: "12.3ms", "1.2s".
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= time.Second:
		return calendar.PlainDuration(d.Round(10 * time.Millisecond))
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}

// compared puts a comparison in words.
func (t *turn) compared(f judge.Finding) string {
	sw := t.s.Switch
	against := string(sw.From)
	if t.s.Weights == AllOn(sw.To) {
		against = string(sw.From) + " before it"
	}
	if f.Metric == "latency" {
		return fmt.Sprintf("%s is slower than %s: p%g is %s against %s, by %d and %d requests (evidence %s, %s is enough)",
			sw.To, against, f.Quantile*100, seconds(f.IdleLatency), seconds(f.LiveLatency),
			f.IdleRequests, f.LiveRequests, odds(f.Evidence), odds(f.Needed))
	}
	if t.blind() {
		return fmt.Sprintf("%s fails %s of %d requests (evidence %s, %s is enough); %s was seen to answer too little before it to compare with, and this is an outage",
			sw.To, share100(f.IdleErrors), f.IdleRequests, odds(f.Evidence), odds(f.Needed), sw.From)
	}
	return fmt.Sprintf("%s fails more often than %s: %s of %d requests against %s of %d (evidence %s, %s is enough)",
		sw.To, against, share100(f.IdleErrors), f.IdleRequests, share100(f.LiveErrors), f.LiveRequests,
		odds(f.Evidence), odds(f.Needed))
}

// odds is an e-value: how many times likelier the worse color is than an equal one.
func odds(e float64) string {
	if e >= 1e6 {
		return "over a million to 1"
	}
	return strconv.FormatFloat(rounded(e), 'f', -1, 64) + " to 1"
}

// worstInstance names the target's instance that fails most, if it stands out.
func (t *turn) worstInstance() string {
	var worst EndpointWindow
	failed, asked := 0, 0
	for _, e := range t.s.Facts.Traffic.Instances {
		if e.Color != t.s.Switch.To || e.Requests == 0 {
			continue
		}
		failed, asked = failed+e.Errors, asked+e.Requests
		if worst.Requests == 0 || e.Errors*worst.Requests > worst.Errors*e.Requests {
			worst = e
		}
	}
	others := asked - worst.Requests
	if worst.Errors == 0 || others == 0 || float64(worst.Errors)/float64(worst.Requests) < 2*float64(failed-worst.Errors)/float64(others) {
		return ""
	}
	return fmt.Sprintf("; most of it at %s, which failed %s of %d", worst.Address,
		share100(float64(worst.Errors)/float64(worst.Requests)), worst.Requests)
}

func (t *turn) worstInstanceIf(yes bool) string {
	if !yes {
		return ""
	}
	return t.worstInstance()
}

// keepJudgement puts the judgement that stands among the switch's verdicts.
func (t *turn) keepJudgement(r Result, summary string) {
	v := t.judgement(r, summary)
	t.keep([]Verdict{v})
	t.act(KeepVerdicts{SwitchID: t.s.Switch.ID, Stage: t.stage(), Verdicts: []Verdict{v}})
}

// stage is the name of the assessment's stage that the present phase belongs to.
func (t *turn) stage() string {
	switch {
	case t.s.Phase == Shadowing:
		return StageShadow
	case t.s.Weights == AllOn(t.s.Switch.To):
		return StageBake
	default:
		return percent(t.s.Weights.Of(t.s.Switch.To))
	}
}

// judgement is what users' traffic says now, with its figures.
func (t *turn) judgement(r Result, summary string) Verdict {
	j, f := t.s.Judging, t.finding()
	v := Verdict{
		Check: JudgementCheck, Kind: judgementKind, Result: r, Summary: summary, At: t.now,
		Took: max(0, t.now.Sub(j.Since)),
		Figures: map[string]float64{
			"requests.idle": float64(j.Idle.Requests), "requests.live": float64(j.Live.Requests),
			"errors.idle": f.IdleErrors, "errors.live": f.LiveErrors, "evidence": finite(f.Evidence),
		},
	}
	v.Measures = append(v.Measures, Measure{
		Name: "error rate", Idle: &f.IdleErrors, Live: &f.LiveErrors, Rule: relative(!t.plan().Judge.Errors.RelativeOff, t.plan().Judge.Errors.Tolerate),
	})
	if f.IdleLatency > 0 {
		quantile := fmt.Sprintf("p%g", f.Quantile*100)
		v.Figures[quantile+".idle"], v.Figures[quantile+".live"] = f.IdleLatency, f.LiveLatency
		v.Measures = append(v.Measures, Measure{
			Name: quantile, Unit: "s", Idle: &f.IdleLatency, Live: &f.LiveLatency,
			Rule: relative(!t.plan().Judge.Latency.RelativeOff, t.plan().Judge.Latency.Tolerate),
		})
	}
	for i, l := range limitsOf(t.plan().Judge) {
		if i >= len(j.Limits) {
			continue
		}
		rate := j.Limits[i].Rate()
		m := Measure{Name: "beyond " + l.name, Idle: &rate, Rule: "at most " + share100(l.share) + ": " + l.text, Result: Pass}
		if j.Limits[i].Broken(rarelyOff) {
			m.Result, m.Why = Fail, "the limit is broken beyond chance"
		}
		v.Measures = append(v.Measures, m)
	}
	for i := range v.Measures {
		if v.Measures[i].Rule != "" && v.Measures[i].Result == "" {
			v.Measures[i].Result = Pass
			if r == Fail && f.Worse && (v.Measures[i].Name == "error rate") == (f.Metric != "latency") {
				v.Measures[i].Result, v.Measures[i].Why = Fail, summary
			}
		}
	}
	for _, e := range t.s.Facts.Traffic.Instances {
		if e.Color == t.s.Switch.To && e.Errors > 0 && len(v.Evidence) < 10 {
			v.Evidence = append(v.Evidence, Evidence{
				Endpoint: fmt.Sprintf("%s %s", e.Color, e.Address),
				Got:      fmt.Sprintf("%d of %d requests failed", e.Errors, e.Requests),
			})
		}
	}
	return v
}

func relative(on bool, tolerate float64) string {
	switch {
	case !on:
		return ""
	case tolerate > 1:
		return fmt.Sprintf("not more than %g times live (sequential, at every moment)", tolerate)
	default:
		return "not worse than live (sequential, at every moment)"
	}
}

func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return math.MaxFloat64
	}
	return v
}

// speaks is the sentence of a step or a bake that passed.
func (t *turn) speaks() string {
	j, f, sw := t.s.Judging, t.finding(), t.s.Switch
	if j.Idle.Requests == 0 {
		return ""
	}
	against := string(sw.From)
	if t.s.Weights == AllOn(sw.To) {
		against += " before it"
	}
	text := fmt.Sprintf("%s of %d requests failed", share100(f.IdleErrors), f.IdleRequests)
	if f.LiveRequests > 0 {
		text += fmt.Sprintf(" against %s of %d of %s", share100(f.LiveErrors), f.LiveRequests, against)
	}
	if f.IdleLatency > 0 {
		text += fmt.Sprintf(", p%g %s", f.Quantile*100, seconds(f.IdleLatency))
		if f.LiveLatency > 0 {
			text += " against " + seconds(f.LiveLatency)
		}
	}
	if t.blind() {
		return fmt.Sprintf("%s was compared with nothing, %s was seen to answer too little before it: %s", sw.To, sw.From, text)
	}
	return fmt.Sprintf("%s is no worse than %s for its users: %s", sw.To, against, text)
}

// asked is the policy's rules if they may delay the switch.
func (t *turn) asked() (policy.Judge, bool) {
	rules := t.plan().Judge
	return rules, rules.Asked && !rules.Off
}
