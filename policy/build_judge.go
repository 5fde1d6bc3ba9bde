package policy

import (
	"strings"
	"time"

	"greenlight/policy/calendar"
)

// belowShare is the upper limit of a share, written as <1%.
type belowShare float64

func (s *belowShare) set(text string) *fault {
	var share percent
	number, below := strings.CutPrefix(text, "<")
	if !below || share.set(strings.TrimSpace(number)) != nil {
		return &fault{RuleLimitSyntax, "a limit of a share is written like <1% or <0.25%"}
	}
	*s = belowShare(float64(share) / float64(Full))
	return nil
}

// belowTime is the upper limit of a time, written as <300ms.
type belowTime time.Duration

func (d *belowTime) set(text string) *fault {
	var most duration
	number, below := strings.CutPrefix(text, "<")
	if !below || most.set(strings.TrimSpace(number)) != nil {
		return &fault{RuleLimitSyntax, "a limit of a time is written like <300ms or <2s"}
	}
	*d = belowTime(most)
	return nil
}

// judge is there by default, and then stops what is worse but delays nothing.
func (b *builder) judge(raw *rawJudge) Judge {
	const path = "spec.judge"
	asked := raw != nil
	raw = orEmpty(raw)
	j := Judge{
		Off:   truth(raw.Off, false),
		Asked: asked,
		Risk:  b.risk(path+".risk", raw.Risk),
		Errors: ErrorRule{
			Tolerate: b.tolerated(path+".errors.tolerate", orEmpty(raw.Errors).Tolerate, 1),
		},
		Latency: LatencyRule{
			Tolerate: b.tolerated(path+".latency.tolerate", orEmpty(raw.Latency).Tolerate, 1.1),
			Max:      b.latencyLimits(path, raw),
		},
		MinRequests: b.count(path+".minRequests", raw.MinRequests, 100, 1, 10_000_000),
		MaxHold:     b.wait(path+".maxHold", raw.MaxHold, 30*time.Minute, 0, longWait),
		Otherwise: ThinOtherwise(b.choice(path+".otherwise", raw.Otherwise, string(ThinHold),
			string(ThinRollback), string(ThinHold), string(ThinPromote))),
	}
	j.Errors.RelativeOff = !truth(orEmpty(raw.Errors).Relative, true)
	j.Errors.ClientErrors = truth(orEmpty(raw.Errors).ClientErrors, false)
	j.Latency.RelativeOff = !truth(orEmpty(raw.Latency).Relative, true)
	if raw.ErrorRate != nil {
		most := float64(*raw.ErrorRate)
		j.Errors.Max = &most
		if most == 0 || most == 1 {
			b.problem(path+".errorRate", RuleWeightRange, "judge.errorRate = <%g%%; a limit lies between 0%% and 100%%", most*100)
		}
	}
	for _, side := range []struct {
		key string
		off bool
		has bool
	}{
		{"errors", j.Errors.RelativeOff, orEmpty(raw.Errors).Tolerate != nil},
		{"latency", j.Latency.RelativeOff, orEmpty(raw.Latency).Tolerate != nil},
	} {
		if side.off && side.has {
			b.problem(path+"."+side.key+".tolerate", RuleContradiction,
				"judge.%s.relative = false, so nothing is tolerated; remove one of the two", side.key)
		}
	}
	b.judgeOff(path, j, raw)
	return j
}

// judgeOff notes rules beside off: true.
func (b *builder) judgeOff(path string, j Judge, raw *rawJudge) {
	written := *raw
	written.Off = nil
	if j.Off && written != (rawJudge{}) {
		b.problem(path+".off", RuleContradiction, "judge.off = true, yet rules are written beside it; remove one or the other")
	}
}

// risk is a share of switches.
func (b *builder) risk(path string, written *percent) float64 {
	risk := b.weight(written, Full/100)
	if (risk == 0 || risk > Full/5) && !b.marks.unread(path) {
		b.problem(path, RuleWeightRange, "judge.risk = %s; it is 0.01%% to 20%%", risk)
	}
	return float64(risk) / float64(Full)
}

func (b *builder) tolerated(path string, written *ratio, preset float64) float64 {
	return b.ratio(path, written, preset, 1, 100)
}

// latencyLimits are the written ones; a higher quantile is never asked to be quicker.
func (b *builder) latencyLimits(path string, raw *rawJudge) []LatencyMax {
	var out []LatencyMax
	for _, l := range []struct {
		key      string
		quantile float64
		most     *belowTime
	}{
		{"p50", 0.5, raw.P50}, {"p90", 0.9, raw.P90}, {"p95", 0.95, raw.P95}, {"p99", 0.99, raw.P99}, {"p999", 0.999, raw.P999},
	} {
		if l.most == nil {
			continue
		}
		most := duration(*l.most)
		at := path + "." + l.key
		value := b.wait(at, &most, 0, time.Microsecond, time.Hour)
		if n := len(out); n > 0 && value < out[n-1].Max {
			b.problem(at, RuleContradiction, "%s = <%s; a lower percentile has the limit <%s, so this one can't be less",
				shown(at), calendar.PlainDuration(value), calendar.PlainDuration(out[n-1].Max))
		}
		out = append(out, LatencyMax{Quantile: l.quantile, Max: value})
	}
	return out
}

// shadow is off unless it is written.
func (b *builder) shadow(raw *rawShadow) Shadow {
	const path = "spec.shadow"
	if raw == nil {
		return Shadow{}
	}
	if raw.Percent == nil {
		b.require(path+".percent", "write the share of users' requests that is mirrored")
	}
	share := b.weight(raw.Percent, 0)
	if raw.Percent != nil && share == 0 && !b.marks.unread(path+".percent") {
		b.problem(path+".percent", RuleWeightRange, "shadow.percent = 0%%; remove spec.shadow for no mirroring")
	}
	return Shadow{Percent: share, For: b.wait(path+".for", raw.For, 10*time.Minute, time.Second, longWait)}
}
