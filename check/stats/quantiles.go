package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile is the q-quantile (0 to 1; Hyndman–Fan type 7, NumPy's default) of
// sorted values, of which there must be one.
func Quantile(sorted []float64, q float64) float64 {
	position := q * float64(len(sorted)-1)
	below := int(position)
	if below >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return lerp(sorted[below], sorted[below+1], position-float64(below))
}

// lerp is the point between a and b that is share of the way from a.
func lerp(a, b, share float64) float64 { return a + (b-a)*share }

// QuantileInterval is the distribution-free interval from order statistics
// (binomial); Low or High are the extreme values if the sample is too small,
// and ok is false then. There must be one value.
func QuantileInterval(sorted []float64, q, confidence float64) (i Interval, ok bool) {
	n, tail := len(sorted), (1-confidence)/2
	below := distuv.Binomial{N: float64(n), P: q} // how many values lie below the quantile
	// The highest low (from 1) with P(below < low) <= tail, and the lowest high
	// with P(below >= high) <= tail.
	low := sort.Search(n, func(k int) bool { return below.CDF(float64(k)) > tail })
	high := 1 + sort.Search(n, func(k int) bool { return below.CDF(float64(k)) >= 1-tail })
	return Interval{
		Value: Quantile(sorted, q),
		Low:   sorted[max(low, 1)-1],
		High:  sorted[min(high, n)-1],
	}, low >= 1 && high <= n
}

// QuantileRatio is the bootstrap interval (percentile method) of
// quantile(a)/quantile(b), independent samples of numbers above 0 in any order.
// cancel is asked between resamples and ends it with its error.
func QuantileRatio(a, b []float64, q, confidence float64, cancel func() error) (Interval, error) {
	if len(a) == 0 || len(b) == 0 {
		return Interval{}, undefined("a ratio of quantiles needs values on both sides")
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	if !(a[0] > 0 && b[0] > 0) || math.IsInf(a[len(a)-1], 0) || math.IsInf(b[len(b)-1], 0) {
		return Interval{}, undefined("a ratio of quantiles needs finite values above 0")
	}
	source := newSource()
	ratios := make([]float64, defaultResamples)
	for i := range ratios {
		if err := cancel(); err != nil {
			return Interval{}, err
		}
		ratios[i] = resampledQuantile(a, q, source) / resampledQuantile(b, q, source)
	}
	slices.Sort(ratios)
	value := Quantile(a, q) / Quantile(b, q)
	tail := (1 - confidence) / 2
	return Interval{
		Value: value,
		Low:   min(value, Quantile(ratios, tail)),
		High:  max(value, Quantile(ratios, 1-tail)),
	}, nil
}

// resampledQuantile is the quantile of one bootstrap resample of sorted values
// without drawing it: the k-th of n drawn positions, as shares of the sample,
// is distributed as Beta(k, n−k+1), and the one above it, given that, as the
// least of the n−k that are spread evenly over the rest.
func resampledQuantile(sorted []float64, q float64, source *rand.Rand) float64 {
	n := len(sorted)
	position := q * float64(n-1)
	k := int(position) // from 0
	at := func(share float64) float64 { return sorted[min(int(share*float64(n)), n-1)] }
	lower := distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k), Src: source}.Rand()
	if k == n-1 {
		return at(lower)
	}
	upper := 1 - (1-lower)*math.Pow(source.Float64(), 1/float64(n-k-1))
	return lerp(at(lower), at(upper), position-float64(k))
}
