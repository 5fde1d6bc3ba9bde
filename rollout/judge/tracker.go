package judge

import "math"

// quantiles are those whose latencies are compared.
var quantiles = [...]float64{0.5, 0.9, 0.99}

// quantileWeights divide the capital of the latency rule among them, 1 together:
// few requests are beyond the last, so it needs most of it.
var quantileWeights = [len(quantiles)]float64{0.05, 0.10, 0.85}

// tracker follows the quantiles of a color's latency by stochastic approximation
// (Robbins and Monro 1951) on the logarithm, so it needs no past samples. A
// threshold for the next window depends on the past alone, which is all that the
// comparison asks of it.
type tracker struct {
	Seen int                     `json:"seen,omitempty"` // requests
	At   [len(quantiles)]float64 `json:"at"`             // seconds
}

const (
	// slope is d log(latency) / d log(share above), roughly: 0.4 is between a
	// lognormal body and a tail.
	slope = 0.4
	// inertia is how many requests beyond a quantile weigh as much as the estimate.
	inertia = 3.0
	// farthest bounds one step, in logarithms.
	farthest = 0.5
)

func (t tracker) follow(s Sketch) tracker {
	n := s.Count()
	if n == 0 {
		return t
	}
	for i, q := range quantiles {
		if t.Seen == 0 {
			t.At[i] = max(s.Quantile(q), shortest)
			continue
		}
		beyond := (1 - q) * float64(n)
		// While little was seen, a window moves the estimate more.
		weight := beyond / (beyond + min(inertia, (1-q)*float64(t.Seen)))
		step := slope * weight * (float64(s.Above(t.At[i]))/beyond - 1)
		t.At[i] = min(max(t.At[i]*math.Exp(min(max(step, -farthest), farthest)), shortest), longest)
	}
	t.Seen += n
	return t
}
