package policy

import (
	"time"
)

// The ranges of a replay.
const (
	leastRate = 0.1
	mostRate  = 10_000
	mostRatio = 10 // of a ratio to live; more is a slip: 120 for 120%
)

func (b *builder) latency(path string, load Load, raw *rawLatency) *LatencyCheck {
	l := &LatencyCheck{
		Count:       b.count(path+".count", raw.Count, 500, 20, 100_000),
		Rate:        b.decimal(path+".rate", raw.Rate, 20, leastRate, mostRate),
		For:         b.wait(path+".for", raw.For, 2*time.Minute, time.Second, time.Hour),
		Concurrency: b.count(path+".concurrency", raw.Concurrency, 64, 1, 1024),
		Warmup:      b.count(path+".warmup", raw.Warmup, 50, 0, 10_000),
		Confidence:  b.confidence(path+".confidence", raw.Confidence),
		Errors:      b.ratio(path+".errors", raw.Errors, 0, 0, 1),
		Quantiles:   b.quantiles(path, raw),
	}
	data, requests := b.marks.has(path+".data"), b.marks.has(path+".requests")
	switch {
	case data && requests:
		b.problem(path, RuleContradiction, "%s has data and requests; keep one", shown(path))
	case requests:
		l.Requests = b.file(path+".requests", *orEmpty(raw.Requests))
	default:
		l.Data = b.data(path+".data", *orEmpty(raw.Data))
	}
	b.rate(path, l, load)
	return l
}

// rate refuses more than the load that all checks together may be: the replay
// would be slowed down and measure its own waiting.
func (b *builder) rate(path string, l *LatencyCheck, load Load) {
	at := path + ".rate"
	if most := load.Idle.PerSecond; most > 0 && l.Rate > float64(most) {
		b.problem(at, RuleContradiction, "%s = %g; predict.load.idle.perSecond allows %d", shown(at), l.Rate, most)
	}
	if most := load.Live.PerSecond; l.NeedsLive() && most > 0 && l.Rate > float64(most) {
		b.problem(at, RuleContradiction, "%s = %g; the live color is asked too, and predict.load.live.perSecond allows %d", shown(at), l.Rate, most)
	}
}

// quantiles are the written gates; without any, p99 against the live color.
func (b *builder) quantiles(path string, raw *rawLatency) []QuantileGate {
	var gates []QuantileGate
	for _, q := range []struct {
		key      string
		quantile float64
		most     *duration
		ofLive   *ratio
	}{
		{"p50", 0.5, raw.P50, raw.P50OfLive},
		{"p90", 0.9, raw.P90, raw.P90OfLive},
		{"p95", 0.95, raw.P95, raw.P95OfLive},
		{"p99", 0.99, raw.P99, raw.P99OfLive},
	} {
		if q.most == nil && q.ofLive == nil {
			continue
		}
		gates = append(gates, QuantileGate{
			Quantile: q.quantile,
			Max:      b.wait(child(path, q.key), q.most, 0, time.Microsecond, time.Hour),
			OfLive:   b.ratio(child(path, q.key+"OfLive"), q.ofLive, 0, 1, mostRatio),
		})
	}
	if len(gates) == 0 {
		gates = []QuantileGate{{Quantile: 0.99, OfLive: 1.2}}
	}
	return gates
}
