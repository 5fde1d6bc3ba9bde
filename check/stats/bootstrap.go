package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	defaultResamples = 2000
	jackknifeGroups  = 500 // at most
	tailResamples    = 10  // fewer than this in a tail say too little about its size
	leastRows        = 10  // fewer than this can't stand for where they come from
)

// newSource is the generator of all resamples: always the same numbers.
func newSource() *rand.Rand { return rand.New(rand.NewPCG(0x9e3779b97f4a7c15, 0x2545f4914f6cdd1d)) }

// Bootstrap is the paired bootstrap of a difference: statistic is called with
// counts per row for first and second together, in a slice that is reused. It
// gives the difference with its BCa interval (Efron 1987), which allows for the
// bias and the skewness of the statistic, or with the percentile interval where
// that is not defined: where all resamples lie on one side of the difference,
// or leaving rows out has no effect. Resamples on which statistic is undefined
// (error) are drawn again, as often as there are resamples; then its error ends
// the run. With fewer than 10 rows the bootstrap is undefined.
type Bootstrap struct {
	Rows       int
	Resamples  int     // default 2,000
	Confidence float64 // of the two-sided interval, 0 to 1
	Statistic  func(weights []float64) (first, second float64, err error)
}

// BootstrapResult is what the bootstrap found.
type BootstrapResult struct {
	First, Second float64
	Difference    Interval // of First − Second
	// BCa tells the BCa interval from the percentile one. Bias (z₀, in standard
	// deviations) and Acceleration are what it was corrected by, else 0.
	BCa                bool
	Bias, Acceleration float64

	resamples []float64 // sorted differences
}

// Run resamples; cancel is asked between resamples and ends it with its error.
func (b Bootstrap) Run(cancel func() error) (BootstrapResult, error) {
	if b.Rows < leastRows {
		return BootstrapResult{}, undefined("a bootstrap of %d rows says nothing; it needs %d", b.Rows, leastRows)
	}
	weights := make([]float64, b.Rows)
	for i := range weights {
		weights[i] = 1
	}
	first, second, err := b.Statistic(weights)
	if err != nil {
		return BootstrapResult{}, err
	}
	r := BootstrapResult{First: first, Second: second}
	source := newSource()
	if r.resamples, err = b.resample(weights, source, cancel); err != nil {
		return BootstrapResult{}, err
	}
	slices.Sort(r.resamples)
	left, err := b.jackknife(weights, source, cancel)
	if err != nil {
		return BootstrapResult{}, err
	}
	r.Bias, r.Acceleration, r.BCa = corrections(r.resamples, left, first-second)
	r.Difference = r.Interval(b.Confidence)
	return r, nil
}

// resample gives the differences on resamples of all rows.
func (b Bootstrap) resample(weights []float64, source *rand.Rand, cancel func() error) ([]float64, error) {
	count := b.Resamples
	if count == 0 {
		count = defaultResamples
	}
	differences, undefined := make([]float64, 0, count), 0
	for len(differences) < count {
		if err := cancel(); err != nil {
			return nil, err
		}
		clear(weights)
		for range weights {
			weights[source.Uint32N(uint32(b.Rows))]++
		}
		first, second, err := b.Statistic(weights)
		if err == nil {
			differences = append(differences, first-second)
			continue
		}
		if undefined++; undefined > count {
			return nil, fmt.Errorf("on most resamples of %d rows: %w", b.Rows, err)
		}
	}
	return differences, nil
}

// jackknife gives the differences that remain when each row is left out, or, of
// more than 500 rows, each of 500 random groups, which gives the same
// acceleration up to its error. It gives none if one of them is undefined.
func (b Bootstrap) jackknife(weights []float64, source *rand.Rand, cancel func() error) ([]float64, error) {
	groups := min(b.Rows, jackknifeGroups)
	order := source.Perm(b.Rows)
	for i := range weights {
		weights[i] = 1
	}
	set := func(group int, weight float64) {
		for i := group; i < b.Rows; i += groups {
			weights[order[i]] = weight
		}
	}
	left := make([]float64, 0, groups)
	for group := range groups {
		if err := cancel(); err != nil {
			return nil, err
		}
		set(group, 0)
		if first, second, err := b.Statistic(weights); err == nil {
			left = append(left, first-second)
		}
		set(group, 1)
	}
	if len(left) < groups {
		left = nil
	}
	return left, nil
}

// corrections are the bias z₀ and the acceleration a of the BCa method, as
// scipy.stats.bootstrap has them, from sorted resamples and the jackknife.
func corrections(resamples, left []float64, difference float64) (bias, acceleration float64, ok bool) {
	below := sort.SearchFloat64s(resamples, difference)
	upTo := sort.Search(len(resamples), func(i int) bool { return resamples[i] > difference })
	if below+upTo == 0 || below+upTo == 2*len(resamples) || len(left) == 0 {
		return 0, 0, false
	}
	mean := 0.0
	for _, v := range left {
		mean += v / float64(len(left))
	}
	squares, cubes := 0.0, 0.0
	for _, v := range left {
		squares += (mean - v) * (mean - v)
		cubes += (mean - v) * (mean - v) * (mean - v)
	}
	bias = distuv.UnitNormal.Quantile(float64(below+upTo) / float64(2*len(resamples)))
	acceleration = cubes / (6 * math.Pow(squares, 1.5))
	// Not so if squares is 0, nor where the correction has its pole within reach.
	if !(math.Abs(acceleration)*(math.Abs(bias)+5) < 1) {
		return 0, 0, false
	}
	return bias, acceleration, true
}

// Interval is the difference with its interval at another confidence.
func (r BootstrapResult) Interval(confidence float64) Interval {
	return Interval{
		Value: r.First - r.Second,
		Low:   Quantile(r.resamples, r.level((1-confidence)/2)),
		High:  Quantile(r.resamples, r.level((1+confidence)/2)),
	}
}

// level is the share of the resamples that lies below the bound of a one-sided
// interval with share p below it: p itself, or what BCa makes of it.
func (r BootstrapResult) level(p float64) float64 {
	if !r.BCa {
		return p
	}
	z := r.Bias + distuv.UnitNormal.Quantile(p)
	return distuv.UnitNormal.CDF(r.Bias + z/(1-r.Acceleration*z))
}

// confidenceAt turns level around: the one-sided confidence of the bound that
// has the share u of the resamples below it.
func (r BootstrapResult) confidenceAt(u float64) float64 {
	if !r.BCa || u <= 0 || u >= 1 {
		return u
	}
	z := distuv.UnitNormal.Quantile(u) - r.Bias
	return distuv.UnitNormal.CDF(z/(1+r.Acceleration*z) - r.Bias)
}

// PAtMost is the one-sided p-value for the hypothesis difference >= t against
// difference < t: the least alpha at which the one-sided interval lies below t.
// Where fewer than 10 resamples reach t, their number says no more than that it
// is small, and the normal distribution with their standard deviation is asked
// instead, so that many such tests can still be told apart after Holm's adjustment.
func (r BootstrapResult) PAtMost(t float64) float64 {
	beyond := len(r.resamples) - sort.SearchFloat64s(r.resamples, t)
	return r.tail(beyond, r.First-r.Second-t, func(share float64) float64 { return 1 - r.confidenceAt(1-share) })
}

// PAtLeast is the one-sided p-value for the hypothesis difference <= t against
// difference > t; otherwise as PAtMost.
func (r BootstrapResult) PAtLeast(t float64) float64 {
	beyond := sort.Search(len(r.resamples), func(i int) bool { return r.resamples[i] > t })
	return r.tail(beyond, t-(r.First-r.Second), r.confidenceAt)
}

// tail is a p-value from the number of resamples that agree with the
// hypothesis and from how far the difference is inside of it.
func (r BootstrapResult) tail(agree int, inside float64, corrected func(share float64) float64) float64 {
	p := unit(corrected(float64(agree+1) / float64(len(r.resamples)+1)))
	if deviation := stat.StdDev(r.resamples, nil); agree < tailResamples && deviation > 0 {
		p = min(p, distuv.UnitNormal.CDF(inside/deviation))
	}
	return p
}
