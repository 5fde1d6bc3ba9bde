package judge_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"greenlight/rollout/judge"
)

// family is a kind of simulated traffic.
type family struct {
	name string
	rate float64 // requests per second of both colors together
	bad  float64 // share of failing requests in quiet times
	// What makes requests depend on each other; all off is independent draws.
	bursty  bool // arrivals come at three times the rate now and then, and load, an AR(1), drives latency
	shared  bool // incidents of 5 to 20 s that hit both colors
	pauses  bool // one of a color's four instances pauses or fails for 1 to 3 s
	retries bool // failures come in clusters of one user, 1.5 on average
	users   int  // of more than 0: a sticky split of so many users, of unequal failure rates
	heavy   bool // latencies with a Pareto tail instead of a lognormal one
}

// regression is how the new color is worse.
type regression struct {
	bad    float64 // its share of failures in quiet times; 0: that of the family
	slower float64 // factor of all latencies; 0: 1
	tail   float64 // factor of the 99th percentile, by stretching what is beyond the 95th alone; 0: 1
	outage bool    // half of its requests fail
}

// world is a family's traffic as time goes on.
type world struct {
	family
	random *rand.Rand
	load   float64
	rush   bool
	shared int        // seconds left of an incident
	paused [2]int     // and of a pause, for each color
	broken [2]bool    // the pause fails requests too
	luck   [2]float64 // factor of failures of the users that a color has
	weight float64
	took   []float64 // the latencies that are drawn from, sorted
}

// drawn are the latencies of light and of heavy tails: drawing one of so many is
// quick, and their 95th and 99th percentiles are known exactly.
var drawn = sync.OnceValue(func() (out [2][]float64) {
	for i, heavy := range []bool{false, true} {
		w := &world{family: family{heavy: heavy}, random: rand.New(rand.NewPCG(20, uint64(i)))}
		for range 1 << 16 {
			out[i] = append(out[i], w.latency())
		}
		slices.Sort(out[i])
	}
	return out
})

func newWorld(f family, seed uint64) *world {
	w := &world{family: f, random: rand.New(rand.NewPCG(seed, 20)), luck: [2]float64{1, 1}, took: drawn()[0]}
	if f.heavy {
		w.took = drawn()[1]
	}
	return w
}

// second is one window of both colors, the idle one with a weight of 0 to 1.
func (w *world) second(weight float64, worse regression) (live, idle judge.Sample) {
	w.advance(weight)
	arriving := w.rate
	if w.bursty {
		arriving *= math.Exp(w.load / 2)
		if w.rush {
			arriving *= 3
		}
	}
	all := w.poisson(arriving)
	n := w.binomial(all, weight)
	return w.answers(0, all-n, regression{}), w.answers(1, n, worse)
}

// copied is one window in which a share of the live color's requests is copied to the idle one.
func (w *world) copied(share float64) (live, idle judge.Sample) {
	w.advance(0.5)
	n := w.poisson(w.rate)
	return w.answers(0, n, regression{}), w.answers(1, w.binomial(n, share), regression{})
}

func (w *world) advance(weight float64) {
	if weight != w.weight {
		w.weight = weight
		for color, share := range []float64{1 - weight, weight} {
			if w.users > 0 && share > 0 { // users' failure rates are exponential
				w.luck[color] = max(0.1, 1+w.random.NormFloat64()*math.Sqrt((1-share)/(float64(w.users)*share)))
			}
		}
	}
	w.load = 0.95*w.load + 0.1*w.random.NormFloat64()
	if w.random.Float64() < map[bool]float64{false: 1.0 / 40, true: 1.0 / 5}[w.rush] {
		w.rush = !w.rush
	}
	w.shared--
	if w.random.Float64() < 1.0/300 {
		w.shared = 5 + w.random.IntN(16)
	}
	for c := range w.paused {
		w.paused[c]--
		if w.random.Float64() < 1.0/40 {
			w.paused[c], w.broken[c] = 1+w.random.IntN(3), w.random.IntN(10) == 0
		}
	}
}

// answers are what a color answers to n requests of this second.
func (w *world) answers(color, n int, worse regression) judge.Sample {
	p, slow := w.bad, 1.0
	if worse.bad > 0 {
		p = worse.bad
	}
	p *= w.luck[color]
	if w.inIncident() {
		p, slow = p+0.05, 2
	}
	if w.bursty {
		slow *= math.Exp(w.load)
	}
	pausing := w.pauses && w.paused[color] > 0
	if pausing && w.broken[color] {
		p += 0.25 * 0.1 // a quarter of the requests meets the instance
	}
	if worse.outage {
		p = 0.5
	}
	s := judge.Sample{Requests: n, Bad: w.failing(n, p)}
	var r judge.Recorder
	for range n {
		took := worse.stretched(w.took, w.random.IntN(len(w.took))) * slow
		if pausing && w.random.Float64() < 0.25 {
			took += 0.05 * w.random.ExpFloat64()
		}
		if worse.slower > 0 {
			took *= worse.slower
		}
		r.Add(took)
	}
	s.Latency = r.Sketch()
	return s
}

// stretched is the i-th of sorted latencies: beyond the 95th percentile, what is
// above it grows so that the 99th is exactly tail times as large.
func (r regression) stretched(sorted []float64, i int) float64 {
	p95, p99 := sorted[len(sorted)*95/100], sorted[len(sorted)*99/100]
	if r.tail <= 0 || sorted[i] <= p95 {
		return sorted[i]
	}
	return p95 + (sorted[i]-p95)*(r.tail*p99-p95)/(p99-p95)
}

func (w *world) inIncident() bool { return w.family.shared && w.shared > 0 }

// latency of two endpoints: four fifths of the requests are quick ones. The 95th
// percentile is near 0.1 s.
func (w *world) latency() float64 {
	base, tail := 0.02, math.Exp(0.4*w.random.NormFloat64())
	if w.random.Float64() < 0.2 {
		base = 0.07
	}
	if w.heavy && w.random.Float64() < 0.1 {
		tail = math.Exp(w.random.ExpFloat64() / 2.5)
	}
	return base * tail
}

func (w *world) failing(n int, p float64) int {
	if !w.retries {
		return w.binomial(n, p)
	}
	failed := 0
	for range w.binomial(n, min(p/1.5, 1)) {
		for failed++; w.random.Float64() < 1.0/3; failed++ {
		}
	}
	return min(failed, n)
}

func (w *world) binomial(n int, p float64) int {
	if p > 0.5 {
		return n - w.binomial(n, 1-p)
	}
	if p <= 0 {
		return 0
	}
	hit, skip := 0, math.Log1p(-p)
	for at := w.random.ExpFloat64() / -skip; at < float64(n); at += 1 + math.Floor(w.random.ExpFloat64()/-skip) {
		hit++
		at = math.Floor(at)
	}
	return hit
}

func (w *world) poisson(mean float64) int {
	if mean > 100 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*w.random.NormFloat64())))
	}
	n := 0
	for at := w.random.ExpFloat64(); at < mean; at += w.random.ExpFloat64() {
		n++
	}
	return n
}
