package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"greenlight/check/stats"
	"greenlight/policy"
	"greenlight/rollout"
)

// latencyQuantiles are the quantiles that every latency check measures.
var latencyQuantiles = [...]float64{0.5, 0.9, 0.95, 0.99}

func quantileName(q float64) string { return "p" + strconv.FormatFloat(q*100, 'f', -1, 64) }

// latencyTrial is a latency check that has been measured.
type latencyTrial struct {
	check *policy.LatencyCheck
	plan  latencyPlan
	sides []*latencySide
	idle  distribution
	live  *distribution // nil if only one color was asked
}

func (t *latencyTrial) finding(ctx context.Context) finding {
	f := finding{figures: map[string]float64{}, evidence: latencyEvidence(t.sides)}
	t.figuresOf(f.figures, "idle", &t.idle)
	if t.live != nil {
		t.figuresOf(f.figures, "live", t.live)
	}
	for _, q := range latencyQuantiles {
		ratio := ratioOf(ctx, &t.idle, t.live, q, t.check.Confidence)
		if ctx.Err() != nil {
			return waiting("comparing the latencies")
		}
		if ratio != nil {
			f.figures[quantileName(q)+".ratio"] = ratio.Value
		}
		f.measures = append(f.measures, t.quantile(q, ratio)...)
	}
	errors := t.errors()
	f.measures = append(f.measures, errors)
	f.result, f.summary = t.sumUp(f.measures)
	if errors.Result == rollout.Fail && len(f.evidence) > 0 {
		f.summary += "; first: " + inWords(f.evidence[0])
	}
	f.detail = t.detail()
	return f
}

func (t *latencyTrial) figuresOf(into map[string]float64, side string, d *distribution) {
	into["count."+side], into["errors."+side] = float64(d.requests), d.share()
	for _, q := range latencyQuantiles {
		if d.known(q) {
			into[quantileName(q)+"."+side] = d.quantile(q)
		}
	}
	if mean, ok := d.mean(); ok {
		into["mean."+side] = mean
	}
}

// quantile is one quantile held against its gates; one measure per gate, or
// one without a rule.
func (t *latencyTrial) quantile(q float64, ratio *rollout.Interval) []rollout.Measure {
	m := rollout.Measure{Name: quantileName(q), Unit: "s", Ratio: ratio}
	if t.idle.known(q) {
		m.Idle = new(t.idle.quantile(q))
	}
	if t.live != nil && t.live.known(q) {
		m.Live = new(t.live.quantile(q))
	}
	at := slices.IndexFunc(t.check.Quantiles, func(g policy.QuantileGate) bool { return g.Quantile == q })
	if at < 0 {
		return []rollout.Measure{m}
	}
	var out []rollout.Measure
	if g := t.check.Quantiles[at]; g.Max > 0 {
		held := m
		held.Rule = "at most " + inMillis(g.Max.Seconds())
		held.Result, held.Why = t.atMost(q, g.Max.Seconds())
		out = append(out, held)
	}
	if g := t.check.Quantiles[at]; g.OfLive > 0 {
		held := m
		held.Rule = fmt.Sprintf("at most %s of live", inPercent(g.OfLive))
		held.Result, held.Why = t.ofLive(q, ratio, g.OfLive)
		out = append(out, held)
	}
	return out
}

// unknown says why a quantile can't be told of idle; empty if it can. One that
// lies among the requests without an answer has failed every gate: what never
// comes is later than any limit.
func (t *latencyTrial) unknown(q float64) (rollout.Result, string) {
	d := &t.idle
	switch {
	case !d.enough(0):
		return d.tooFew(q)
	case !d.known(q):
		return rollout.Fail, fmt.Sprintf("there is none: %d of %d requests were never answered", len(d.sorted)-d.answered, d.requests)
	}
	return rollout.Pass, ""
}

func (d *distribution) tooFew(q float64) (rollout.Result, string) {
	return rollout.Inconclusive, fmt.Sprintf("needs more answers: %d of %d requests brought one, and %d are needed",
		d.answered, d.requests, needed(q))
}

// atMost holds a quantile against a limit in seconds: it passes if it is within
// the limit, fails if all of its interval is beyond.
func (t *latencyTrial) atMost(q, limit float64) (rollout.Result, string) {
	if result, why := t.unknown(q); why != "" {
		return result, why
	}
	i, whole := stats.QuantileInterval(t.idle.sorted, q, t.check.Confidence)
	switch {
	case i.Value <= limit && !t.idle.enough(q):
		return t.idle.tooFew(q)
	case i.Value <= limit:
		return rollout.Pass, ""
	}
	shown := fmt.Sprintf("%s: %s to %s", inPercent(t.check.Confidence), inMillis(i.Low), inMillis(i.High))
	if !whole {
		shown += " or more"
	}
	if i.Low > limit {
		return rollout.Fail, shown
	}
	return rollout.Inconclusive, fmt.Sprintf("%s; needs more requests than the %d measured", shown, t.idle.requests)
}

// ofLive holds the ratio of a quantile to live's against a limit.
func (t *latencyTrial) ofLive(q float64, ratio *rollout.Interval, limit float64) (rollout.Result, string) {
	if result, why := t.unknown(q); why != "" {
		return result, why
	}
	if !t.idle.enough(q) {
		return t.idle.tooFew(q)
	}
	if ratio == nil || !t.live.enough(q) {
		return rollout.Inconclusive, fmt.Sprintf("live's can't be told: %d of %d of its requests failed or were not answered, and %d answers are needed",
			t.live.errors(), t.live.requests, needed(q))
	}
	shown := fmt.Sprintf("%s: %s to %s", inPercent(ratio.Confidence), inPercent(ratio.Low), inPercent(ratio.High))
	switch {
	case ratio.Value <= limit:
		return rollout.Pass, ""
	case ratio.Low > limit:
		return rollout.Fail, shown
	}
	return rollout.Inconclusive, fmt.Sprintf("%s; needs more requests than the %d measured", shown, t.idle.requests)
}

// errors holds the share of requests that failed or were not answered against
// the policy's.
func (t *latencyTrial) errors() rollout.Measure {
	m := rollout.Measure{Name: "errors", Idle: new(t.idle.share()), Rule: "at most " + inPercent(t.check.Errors), Result: rollout.Pass}
	if t.live != nil {
		m.Live = new(t.live.share())
	}
	if *m.Idle > t.check.Errors || t.idle.requests == 0 {
		i := stats.Wilson(t.idle.errors(), t.idle.requests, t.check.Confidence)
		m.Result = rollout.Fail
		m.Why = fmt.Sprintf("%d of %d requests, %d of them without any answer in time (%s: %s to %s)", t.idle.errors(), t.idle.requests,
			len(t.idle.sorted)-t.idle.answered, inPercent(t.check.Confidence), inPercent(i.Low), inPercent(i.High))
	}
	return m
}

// sumUp says what decides, worst first.
func (t *latencyTrial) sumUp(measures []rollout.Measure) (rollout.Result, string) {
	severity := func(r rollout.Result) int {
		return slices.Index([]rollout.Result{rollout.Fail, rollout.Inconclusive, rollout.Pass}, r)
	}
	var held []rollout.Measure
	for _, m := range measures {
		if m.Rule != "" {
			held = append(held, m)
		}
	}
	slices.SortStableFunc(held, func(a, b rollout.Measure) int { return cmp.Compare(severity(a.Result), severity(b.Result)) })
	var words []string
	for _, m := range held {
		words = append(words, latencyInWords(m))
	}
	if queued := t.queued(); held[0].Result != rollout.Pass && queued > 0 {
		words = append(words, fmt.Sprintf("%d of %d requests waited for one of the %d places that concurrency and predict.load allow",
			queued, t.idle.requests, t.plan.concurrency))
	}
	return held[0].Result, strings.Join(words, "; ")
}

// queued is how many of the judged color's requests waited for a place for
// longer than a timer may be late.
func (t *latencyTrial) queued() int {
	const late = 5e6 // ns
	n := 0
	for _, r := range t.sides[0].results {
		if r.queued > late {
			n++
		}
	}
	return n
}

// latencyInWords is a measure as a clause: "p99 41 ms is 118% of live's 35 ms
// (95%: 102% to 131%), at most 120% of live".
func latencyInWords(m rollout.Measure) string {
	if m.Name == "errors" {
		words := fmt.Sprintf("errors %s, %s", inPercent(*m.Idle), m.Rule)
		if m.Why != "" {
			words += ": " + m.Why
		}
		return words
	}
	words := m.Name
	if m.Idle != nil {
		words += " " + inMillis(*m.Idle)
	}
	if m.Ratio != nil && strings.HasSuffix(m.Rule, "of live") {
		words += fmt.Sprintf(" is %s of live's %s (%s: %s to %s)", inPercent(m.Ratio.Value), inMillis(*m.Live),
			inPercent(m.Ratio.Confidence), inPercent(m.Ratio.Low), inPercent(m.Ratio.High))
		if m.Result == rollout.Inconclusive {
			return words + ", " + m.Rule + ": more requests are needed to tell"
		}
		return words + ", " + m.Rule
	}
	words += ", " + m.Rule
	if m.Why != "" {
		words += ": " + m.Why
	}
	return words
}

// inMillis writes a time in seconds for people: 41 ms, 0.42 ms, 1.23 s.
func inMillis(seconds float64) string {
	if seconds >= 1 {
		return strconv.FormatFloat(seconds, 'g', 3, 64) + " s"
	}
	return strconv.FormatFloat(seconds*1000, 'g', 3, 64) + " ms"
}

// inPercent writes a share for people: 118%, 99.9%.
func inPercent(share float64) string { return strconv.FormatFloat(share*100, 'g', 3, 64) + "%" }
