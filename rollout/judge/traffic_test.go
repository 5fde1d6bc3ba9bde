package judge_test

import (
	"math"
	"math/rand/v2"

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
	tail   float64 // factor beyond the 95th percentile; 0: 1
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
}

func newWorld(f family, seed uint64) *world {
	return &world{family: f, random: rand.New(rand.NewPCG(seed, 20)), luck: [2]float64{1, 1}}
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
	if w.shared2() {
		p, slow = p+0.05, 2
	}
	if w.bursty {
		slow *= math.Exp(w.load)
	}
	pausing := w.pauses && w.paused[color] > 0
	if pausing && w.broken[color] {
		p += 0.25 * 0.1 // a quarter of the requests meets the instance
	}
	s := judge.Sample{Requests: n, Bad: w.failing(n, p)}
	var r judge.Recorder
	for range n {
		took := w.latency() * slow
		if pausing && w.random.Float64() < 0.25 {
			took += 0.05 * w.random.ExpFloat64()
		}
		if worse.slower > 0 {
			took *= worse.slower
		}
		if worse.tail > 0 && w.random.Float64() < 0.05 {
			took = worse.tail * slow * 0.1 * math.Exp(0.4*w.random.ExpFloat64())
		} else if worse.tail > 0 {
			took = min(took, slow*0.1)
		}
		r.Add(took)
	}
	s.Latency = r.Sketch()
	return s
}

func (w *world) shared2() bool { return w.family.shared && w.shared > 0 }

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
