package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// McNemar is the exact McNemar test of two models on the same rows: b rows that
// only the first got right, c rows that only the second did. less is the
// one-sided p-value of "the first is not worse", twoSided the usual one.
func McNemar(b, c int) (less, twoSided float64) {
	if b+c == 0 {
		return 1, 1
	}
	split := distuv.Binomial{N: float64(b + c), P: 0.5}
	return split.CDF(float64(b)), min(1, 2*split.CDF(float64(min(b, c))))
}

// PairedPWorse is the one-sided p-value of "the first's proportion is at most
// margin below the second's" against "it is further below", from the
// discordant counts of n rows as McNemar takes them. At margin 0 the test is
// the exact one of McNemar, else the score test of Tango (1998, Statistics in
// Medicine 17:891), whose standard error holds under the hypothesis.
func PairedPWorse(b, c, n int, margin float64) float64 {
	if margin == 0 || n == 0 {
		less, _ := McNemar(b, c)
		return less
	}
	// q is the likeliest share of rows that only the second gets right, given
	// that the difference is exactly delta.
	delta, rows, first, second := -margin, float64(n), float64(b), float64(c)
	linear := (2*rows-first+second)*delta - first - second
	constant := -second * delta * (1 - delta)
	q := (math.Sqrt(linear*linear-8*rows*constant) - linear) / (4 * rows)
	variance := rows * (2*q + delta*(1-delta))
	if variance <= 0 {
		return 1 // the margin is so wide that no loss could exceed it
	}
	return distuv.UnitNormal.CDF((first - second - rows*delta) / math.Sqrt(variance))
}

// PairedProportions is the difference of two proportions on the same n rows
// (first minus second) from the discordant counts, with the interval of Agresti
// and Min (2005, Statistics in Medicine 24:729), the Wald interval after half a
// row is added to each of the four cells; without rows it is everything, −1 to 1.
func PairedProportions(b, c, n int, confidence float64) Interval {
	if n == 0 {
		return Interval{Low: -1, High: 1}
	}
	rows, first, second := float64(n)+2, float64(b)+0.5, float64(c)+0.5
	center := (first - second) / rows
	reach := twoSidedZ(confidence) * math.Sqrt((first+second)/rows-center*center) / math.Sqrt(rows)
	value := float64(b-c) / float64(n)
	return Interval{
		Value: value,
		Low:   max(-1, min(value, center-reach)),
		High:  min(1, max(value, center+reach)),
	}
}

// Wilson is the score interval of successes out of n (Wilson 1927), 0 to 1; of
// nothing it is everything.
func Wilson(successes, n int, confidence float64) Interval {
	if n == 0 {
		return Interval{High: 1}
	}
	z, rows := twoSidedZ(confidence), float64(n)
	p := float64(successes) / rows
	scale := 1 + z*z/rows
	center := (p + z*z/(2*rows)) / scale
	reach := z / scale * math.Sqrt(p*(1-p)/rows+z*z/(4*rows*rows))
	return Interval{Value: p, Low: max(0, min(p, center-reach)), High: min(1, max(p, center+reach))}
}
