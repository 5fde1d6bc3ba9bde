// Package stats holds the statistical tests and distances behind the checks'
// verdicts. Results are SciPy's where it has the function (the tests compare).
// Everything here is pure and deterministic: random resamples come from a
// generator that is seeded with a constant.
package stats

import "math"

// Interval is an estimate with a two-sided confidence interval.
type Interval struct{ Value, Low, High float64 }

// McNemar is the exact McNemar test of two models on the same rows: b rows that
// only the first got right, c rows that only the second did. less is the
// one-sided p-value of "the first is not worse", twoSided the usual one.
func McNemar(b, c int) (less, twoSided float64) { panic("todo") }

// PairedProportions is the difference of two proportions on the same n rows
// (first minus second) from the discordant counts, with the interval of Agresti and Min (2005).
func PairedProportions(b, c, n int, confidence float64) Interval { panic("todo") }

// Bootstrap is the paired bootstrap of a difference: statistic is called with
// counts per row for first and second together. It gives the difference with
// its BCa or percentile interval, and the one-sided p-value of "first >= second - margin".
// Resamples on which statistic is undefined (error) are drawn again, up to a limit; then an error.
type Bootstrap struct {
	Rows       int
	Resamples  int // default 2,000
	Confidence float64
	Statistic  func(weights []float64) (first, second float64, err error)
}

// BootstrapResult is what the bootstrap found.
type BootstrapResult struct {
	First, Second float64
	Difference    Interval
	// Below is the share of resamples (with +1 correction) in which first-second > t: a p-value of "first-second <= t is false" at t.
	resamples []float64
}

// Run resamples; cancel is asked between resamples and ends it with its error.
func (b Bootstrap) Run(cancel func() error) (BootstrapResult, error) { panic("todo") }

// PAtMost is the one-sided p-value for the hypothesis difference >= t against difference < t.
func (r BootstrapResult) PAtMost(t float64) float64 { panic("todo") }

// PAtLeast is the one-sided p-value for the hypothesis difference <= t against difference > t.
func (r BootstrapResult) PAtLeast(t float64) float64 { panic("todo") }

// Holm adjusts p-values for their number (Holm 1979): reject where adjusted < alpha.
func Holm(p []float64) (adjusted []float64) { panic("todo") }

// KS is the two-sample Kolmogorov–Smirnov statistic and its p-value (ks_2samp, method "auto" as SciPy).
func KS(a, b []float64) (statistic, p float64, err error) { panic("todo") }

// ChiSquare is Pearson's test of a 2×k table of counts without correction, with Cramér's V.
func ChiSquare(a, b []float64) (statistic, p, cramersV float64, dof int, err error) { panic("todo") }

// JensenShannon is the distance (square root of the divergence, base 2) of two histograms of counts.
func JensenShannon(a, b []float64) (float64, error) { panic("todo") }

// PSI is the population stability index of two histograms of counts; empty bins
// count as half a row.
func PSI(reference, current []float64) (float64, error) { panic("todo") }

// Bins are at most n edges that give the reference's values equal shares; ties never straddle an edge.
func Bins(reference []float64, n int) (edges []float64) { panic("todo") }

// Histogram counts values into len(edges)+1 bins: below the first edge, …, from the last on.
func Histogram(values, edges []float64) []float64 { panic("todo") }

// Quantile is the q-quantile (Hyndman–Fan type 7, NumPy's default) of sorted values.
func Quantile(sorted []float64, q float64) float64 { panic("todo") }

// QuantileInterval is the distribution-free interval from order statistics
// (binomial); Low or High are the extreme values if the sample is too small, and ok is false then.
func QuantileInterval(sorted []float64, q, confidence float64) (i Interval, ok bool) { panic("todo") }

// QuantileRatio is the bootstrap interval of quantile(a)/quantile(b), independent samples.
func QuantileRatio(a, b []float64, q, confidence float64, cancel func() error) (Interval, error) {
	panic("todo")
}

// Wilson is the score interval of successes out of n.
func Wilson(successes, n int, confidence float64) Interval { panic("todo") }

var _ = math.Pi
