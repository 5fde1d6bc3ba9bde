package judge

import "math"

// Sample is what one color answered in one window of users' traffic, about a second.
type Sample struct {
	Requests int    `json:"requests"`
	Bad      int    `json:"bad"` // failed requests, as the policy counts them
	Latency  Sketch `json:"latency,omitzero"`
}

// Config is what the relative rules ask.
type Config struct {
	// Risk is the largest probability that a color which isn't worse is found
	// worse, 0 to 1, for all relative rules together, however often one looks.
	Risk float64 `json:"risk"`
	// Errors compares failures; ErrorTolerance is the odds ratio up to which idle isn't worse, 1 or more.
	Errors         bool    `json:"errors"`
	ErrorTolerance float64 `json:"errorTolerance"`
	// Latency compares latencies; LatencyTolerance is the ratio up to which idle isn't worse, 1 or more.
	Latency          bool    `json:"latency"`
	LatencyTolerance float64 `json:"latencyTolerance"`
}

// The metrics of a finding.
const (
	MetricErrors  = "errors"
	MetricLatency = "latency"
)

// errorsPart is the part of the risk that the errors rule has beside the latency rule,
// of which a tail needs most: what is slow for a moment looks like it.
const errorsPart = 0.4

// suspicion is the evidence from which on a pass should wait.
const suspicion = 10

// Finding is what a comparison says so far.
type Finding struct {
	Worse  bool   `json:"worse,omitempty"`
	Metric string `json:"metric,omitempty"` // the one that decided, or is nearest to it
	// Suspicious is evidence of 10 or more: not decided, but a pass should wait.
	Suspicious bool `json:"suspicious,omitempty"`
	// Evidence is the e-value so far and Needed the one that decides; both finite.
	Evidence     float64 `json:"evidence"`
	Needed       float64 `json:"needed"`
	LiveRequests int     `json:"liveRequests"`
	IdleRequests int     `json:"idleRequests"`
	LiveErrors   float64 `json:"liveErrors"` // share of requests, 0 to 1
	IdleErrors   float64 `json:"idleErrors"`
	// Quantile is the one of the latency rule whose evidence is largest, and the
	// latencies are estimates of it, in seconds.
	Quantile    float64 `json:"quantile,omitempty"`
	LiveLatency float64 `json:"liveLatency,omitempty"`
	IdleLatency float64 `json:"idleLatency,omitempty"`
}

// Priors of the spread: what is assumed before it is measured.
const (
	errorPrior   = 1
	latencyPrior = 1
)

// counts are requests and how many of them were bad.
type counts struct {
	Requests int `json:"requests,omitempty"`
	Bad      int `json:"bad,omitempty"`
}

// sound is s with no more bad requests than there were, and not fewer than none: a
// figure that is no number would keep the state from being written.
func (s Sample) sound() Sample {
	s.Bad = min(max(s.Bad, 0), max(s.Requests, 0))
	return s
}

func (c counts) plus(s Sample) counts { return counts{c.Requests + s.Requests, c.Bad + s.Bad} }

func (c counts) rate() float64 { return float64(c.Bad) / float64(max(c.Requests, 1)) }

// evidences are those of both metrics; latency has one process for each quantile.
type evidences struct {
	Errors  process                 `json:"errors"`
	Latency [len(quantiles)]process `json:"latency"`
}

// finding chooses the metric nearest to its decision, and the quantile.
func (e evidences) finding(c Config) (f Finding, quantile int) {
	// Both metrics share the risk: what is said of one is scaled to its part.
	needed, errorShare, latencyShare := -math.Log(min(max(c.Risk, 1e-9), 1)), 0.0, 0.0
	if c.Errors && c.Latency {
		errorShare, latencyShare = math.Log(errorsPart), math.Log(1-errorsPart)
	}
	slow := math.Inf(-1)
	most := math.Inf(-1)
	for i, p := range e.Latency {
		l := p.evidence()
		slow = logAdd(slow, l+math.Log(quantileWeights[i]))
		if l > most {
			most, quantile = l, i
		}
	}
	slow += latencyShare
	evidence := 0.0
	if failing := e.Errors.evidence() + errorShare; c.Errors {
		f.Metric, evidence = MetricErrors, failing
	}
	if c.Latency && (!c.Errors || slow > evidence) {
		f.Metric, evidence = MetricLatency, slow
	}
	f.Worse = f.Metric != "" && evidence >= needed
	f.Suspicious = f.Metric != "" && evidence >= math.Log(suspicion)
	f.Evidence, f.Needed = capped(evidence), capped(needed)
	return f, quantile
}

// Test compares two colors that carry traffic at the same time. The zero value has seen nothing.
type Test struct {
	Live        counts    `json:"live"`
	Idle        counts    `json:"idle"`
	Evidence    evidences `json:"evidence"`
	LiveLatency tracker   `json:"liveLatency"`
	IdleLatency tracker   `json:"idleLatency"`
}

// Look is t after one more window. A window in which one of the two carried
// nothing says nothing.
func (t Test) Look(c Config, live, idle Sample) Test {
	if live.Requests <= 0 || idle.Requests <= 0 {
		return t
	}
	live, idle = live.sound(), idle.sound()
	t.Live, t.Idle = t.Live.plus(live), t.Idle.plus(idle)
	t.Evidence.Errors = table{
		idle: idle.Requests, live: live.Requests,
		idleHit: idle.Bad, liveHit: live.Bad,
	}.look(t.Evidence.Errors, max(c.ErrorTolerance, 1), errorPrior)
	if slow, n := live.Latency, live.Latency.Count(); t.LiveLatency.Seen > 0 {
		tolerated := max(c.LatencyTolerance, 1)
		for i := range quantiles {
			limit := t.LiveLatency.At[i]
			t.Evidence.Latency[i] = table{
				idle: idle.Latency.Count(), live: n,
				idleHit: idle.Latency.Above(limit * tolerated), liveHit: slow.Above(limit),
			}.look(t.Evidence.Latency[i], 1, latencyPrior)
		}
	}
	t.LiveLatency = t.LiveLatency.follow(live.Latency)
	t.IdleLatency = t.IdleLatency.follow(idle.Latency)
	return t
}

// Finding is what t says by the rules c.
func (t Test) Finding(c Config) Finding {
	f, i := t.Evidence.finding(c)
	f.LiveRequests, f.IdleRequests = t.Live.Requests, t.Idle.Requests
	f.LiveErrors, f.IdleErrors = t.Live.rate(), t.Idle.rate()
	if c.Latency && t.LiveLatency.Seen > 0 {
		f.Quantile, f.LiveLatency, f.IdleLatency = quantiles[i], t.LiveLatency.At[i], t.IdleLatency.At[i]
	}
	return f
}
