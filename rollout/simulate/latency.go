package simulate

import (
	"math"
	"time"

	"greenlight/rollout/judge"
)

// Latency is a distribution of answers' times by two or three of its quantiles:
// between and beyond them it is lognormal.
type Latency struct {
	P50 time.Duration
	P90 time.Duration // 0: as the others have it
	P99 time.Duration
}

// The standard normal's quantiles that a Latency is given by.
const (
	z90 = 1.2815515655446004
	z99 = 2.3263478740408408
)

// at is the quantile q of l, in seconds.
func (l Latency) at(q float64) float64 {
	z := math.Sqrt2 * math.Erfinv(2*q-1)
	low, high := math.Log(l.P50.Seconds()), math.Log(max(l.P50, l.P99).Seconds())
	slope := (high - low) / z99
	if l.P90 == 0 {
		return math.Exp(low + slope*z)
	}
	middle := min(max(math.Log(l.P90.Seconds()), low), high)
	if z <= z90 {
		return math.Exp(low + (middle-low)/z90*z)
	}
	return math.Exp(middle + (high-middle)/(z99-z90)*(z-z90))
}

// times hands out typical samples of latencies: neither lucky nor unlucky. Each is
// a stretch of a Kronecker sequence, which spreads evenly however it is cut, so that
// many small samples together have the distribution's tail, too.
type times struct{ pools map[poolKey]*pool }

type poolKey struct {
	of Latency
	n  int
}

// pool is samples of one size, handed out in turn. Each is made when its turn first
// comes.
type pool struct {
	samples []judge.Sketch // at most size
	size    int
	next    int
	place   float64 // in the sequence
}

const (
	golden = 0.6180339887498949 // the most irrational step
	// pooled is how many requests the samples of one pool hold together.
	pooled = 20_000
	// largest is the most requests of a sample that is made one by one; a larger one
	// is put together from two halves.
	largest = 2_000
	// maxPools bounds what is remembered.
	maxPools = 5_000
)

// sample is n requests' times.
func (t *times) sample(l Latency, n int) judge.Sketch {
	if n <= 0 || l.P50 <= 0 {
		return judge.Sketch{}
	}
	key := poolKey{l, n}
	p := t.pools[key]
	if p == nil {
		p = &pool{size: pooled / n, place: 0.5}
		if n > largest {
			p.size = 1
		}
		if t.pools == nil || len(t.pools) >= maxPools {
			t.pools = map[poolKey]*pool{}
		}
		t.pools[key] = p
	}
	p.next = (p.next + 1) % p.size
	for len(p.samples) <= p.next {
		p.samples = append(p.samples, t.another(p, key))
	}
	return p.samples[p.next]
}

// another is the next sample of a pool.
func (t *times) another(p *pool, k poolKey) judge.Sketch {
	var r judge.Recorder
	if k.n > largest {
		r.Merge(t.sample(k.of, k.n/2))
		r.Merge(t.sample(k.of, k.n-k.n/2))
		return r.Sketch()
	}
	for range k.n {
		r.Add(k.of.at(p.place))
		if p.place += golden; p.place >= 1 {
			p.place--
		}
	}
	return r.Sketch()
}
