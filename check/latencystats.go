package check

import (
	"context"
	"slices"

	"greenlight/check/stats"
	"greenlight/policy"
	"greenlight/rollout"
)

// distribution is the latencies of one color in seconds. Requests that failed
// are not in it: how fast a server refuses says nothing of how fast it works.
// Those that were never answered are, as the slowest of all, for without them
// a server that hangs would be judged by the requests that it did not hang on.
type distribution struct {
	sorted   []float64 // answered ones, then those without an answer
	answered int
	failed   int
	requests int
}

func distributionOf(results []latencyResult) distribution {
	d := distribution{requests: len(results)}
	var open []float64
	longest := 0.0
	for _, r := range results {
		// No answer takes no time at all, whatever the clock's resolution.
		seconds := max(r.took.Seconds(), 1e-9)
		switch r.outcome {
		case requestAnswered:
			d.sorted = append(d.sorted, seconds)
			longest = max(longest, seconds)
		case requestUnanswered:
			open = append(open, seconds)
		case requestFailed:
			d.failed++
		}
	}
	d.answered = len(d.sorted)
	slices.Sort(d.sorted)
	for i := range open {
		open[i] = max(open[i], longest)
	}
	slices.Sort(open)
	d.sorted = append(d.sorted, open...)
	return d
}

// errors is how many requests failed or were not answered.
func (d *distribution) errors() int { return d.requests - d.answered }

func (d *distribution) share() float64 { return float64(d.errors()) / float64(max(d.requests, 1)) }

// needed is how many latencies a quantile needs.
func needed(q float64) int { return policy.LatenciesNeeded(q) }

// enough reports whether there is anything to judge a quantile by; 0 asks for
// any.
func (d *distribution) enough(q float64) bool { return len(d.sorted) >= needed(q) }

// known reports whether a quantile is a latency that was measured, and does not
// lie among the requests that were never answered.
func (d *distribution) known(q float64) bool {
	return len(d.sorted) > 0 && (d.answered == len(d.sorted) || q*float64(len(d.sorted)-1) <= float64(d.answered-1))
}

func (d *distribution) quantile(q float64) float64 { return stats.Quantile(d.sorted, q) }

// mean is false if it is not known, or of nothing.
func (d *distribution) mean() (float64, bool) {
	if len(d.sorted) == 0 || d.answered < len(d.sorted) {
		return 0, false
	}
	sum := 0.0
	for _, s := range d.sorted {
		sum += s
	}
	return sum / float64(len(d.sorted)), true
}

// ratio is idle's quantile as a share of live's; nil if that can't be told.
func ratioOf(ctx context.Context, idle, live *distribution, q, confidence float64) *rollout.Interval {
	if live == nil || !idle.enough(0) || !live.enough(0) || !idle.known(q) || !live.known(q) {
		return nil
	}
	i, err := stats.QuantileRatio(idle.sorted, live.sorted, q, confidence, ctx.Err)
	if err != nil {
		return nil
	}
	return &rollout.Interval{Value: i.Value, Low: i.Low, High: i.High, Confidence: confidence}
}
