package simulate

import (
	"math"
	"math/rand/v2"

	"greenlight/rollout/judge"
)

// chance draws users' requests from a seed, where they are not to be typical ones: the
// same seed draws the same.
type chance struct{ r *rand.Rand }

func newChance(seed uint64) *chance { return &chance{rand.New(rand.NewPCG(seed, 0))} }

// manyDraws is from how many on a number is drawn from the normal distribution.
const manyDraws = 100

// arrivals is how many requests arrive where so many are expected: Poisson's distribution.
func (c *chance) arrivals(expected float64) int {
	if expected > manyDraws {
		return max(0, int(math.Round(expected+math.Sqrt(expected)*c.r.NormFloat64())))
	}
	n, left := 0, math.Exp(-expected)
	for p := c.r.Float64(); p > left; p *= c.r.Float64() {
		n++
	}
	return n
}

// hits is how many of n are hit, each with probability p.
func (c *chance) hits(n int, p float64) int {
	p = min(max(p, 0), 1)
	if mean := float64(n) * p; mean > manyDraws && float64(n)-mean > manyDraws {
		return min(max(0, int(math.Round(mean+math.Sqrt(mean*(1-p))*c.r.NormFloat64()))), n)
	}
	hit := 0
	for range n {
		if c.r.Float64() < p {
			hit++
		}
	}
	return hit
}

// times is n requests' times. A great many are as good as typical.
func (c *chance) times(l Latency, n int, typical *times) judge.Sketch {
	if n > largest || l.P50 <= 0 {
		return typical.sample(l, n)
	}
	var r judge.Recorder
	for range n {
		r.Add(l.at(max(c.r.Float64(), 1e-12)))
	}
	return r.Sketch()
}
