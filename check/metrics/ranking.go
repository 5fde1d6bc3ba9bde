package metrics

import (
	"cmp"
	"slices"
)

// ranking is rows in the order of falling score, with what has to be known of
// each to draw a ROC or a precision–recall curve. It is sorted once, so that
// bootstrap resamples need no sorting.
type ranking struct {
	rows  []int32
	flags []uint8 // of rows, in the same order
}

const (
	isPositive uint8 = 1 << iota
	endsTie          // the last row of those with this score
)

func rank(n int, score func(i int32) float64, positive func(i int32) bool) ranking {
	r := ranking{rows: make([]int32, n), flags: make([]uint8, n)}
	for i := range r.rows {
		r.rows[i] = int32(i)
	}
	slices.SortFunc(r.rows, func(a, b int32) int { return cmp.Or(cmp.Compare(score(b), score(a)), cmp.Compare(a, b)) })
	for k, i := range r.rows {
		if positive(i) {
			r.flags[k] |= isPositive
		}
		if k == n-1 || score(i) != score(r.rows[k+1]) {
			r.flags[k] |= endsTie
		}
	}
	return r
}

// thresholds calls f for every distinct score from the highest on, with the
// weights of the positive and of the other rows that reach it.
func (r ranking) thresholds(w []float64, f func(positives, others float64)) {
	positives, others := 0.0, 0.0
	for k, i := range r.rows {
		wi := weight(w, int(i))
		if r.flags[k]&isPositive != 0 {
			positives += wi
		} else {
			others += wi
		}
		if r.flags[k]&endsTie != 0 {
			f(positives, others)
		}
	}
}

// rocAUC is the area below the ROC curve by the trapezoidal rule, so that a
// tie between a positive and another row counts half.
func (r ranking) rocAUC(w []float64) (area, positives, others float64) {
	r.thresholds(w, func(p, o float64) {
		area += (o - others) * (p + positives) / 2
		positives, others = p, o
	})
	return area, positives, others
}

// averagePrecision is Σ (R_n − R_{n−1}) P_n over the thresholds, not yet
// divided by the weight of the positive rows.
func (r ranking) averagePrecision(w []float64) (sum, positives, others float64) {
	r.thresholds(w, func(p, o float64) {
		if p > positives {
			sum += (p - positives) * p / (p + o)
		}
		positives, others = p, o
	})
	return sum, positives, others
}
