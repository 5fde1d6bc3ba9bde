package metrics

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// RMSE is the root of the mean squared error (root_mean_squared_error), in the
// units of the truth.
func RMSE(truth, predicted, w []float64) (float64, error) {
	v, err := mean(len(truth), w, func(i int) float64 { d := truth[i] - predicted[i]; return d * d })
	return math.Sqrt(v), err
}

// MAE is the mean absolute error (mean_absolute_error), in the units of the truth.
func MAE(truth, predicted, w []float64) (float64, error) {
	return mean(len(truth), w, func(i int) float64 { return abs(truth[i] - predicted[i]) })
}

// R2 is the coefficient of determination (r2_score), at most 1. It is
// undefined when fewer than two rows count, and, other than there, when they
// all have the same truth.
func R2(truth, predicted, w []float64) (float64, error) {
	rows, first, varies := 0, 0.0, false
	for i, v := range truth {
		if weight(w, i) == 0 {
			continue
		}
		if rows == 0 {
			first = v
		}
		rows++
		varies = varies || v != first
	}
	switch {
	case rows == 0:
		return 0, errNoRows
	case rows == 1:
		return 0, undefined("it needs two rows, and there is one")
	case !varies:
		return 0, undefined("all rows have the same truth, %v", first)
	}
	return finite(stat.RSquaredFrom(predicted, truth, w))
}
