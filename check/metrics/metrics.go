// Package metrics measures how well predictions fit the truth. Definitions and
// results are scikit-learn's (tools/python-requirements.txt pins the version
// with which the tests compare), with these differences, which keep a figure
// that says nothing from passing a gate:
//
//   - a metric that has no value on the given rows is an error that wraps
//     [ErrUndefined], where scikit-learn warns or answers NaN, 0 or 1;
//   - a row of weight 0 is absent in every respect, so that the counts of a
//     bootstrap resample give what the resampled rows would give.
//
// Everything here is pure. A metric may be measured from many goroutines at once.
package metrics

import (
	"errors"
	"fmt"
	"math"
)

// ErrUndefined is wrapped by every error of a metric that has no value on the
// given rows, such as AUC with one class; the message says why.
var ErrUndefined = errors.New("undefined")

func undefined(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUndefined, fmt.Sprintf(format, args...))
}

var errNoRows = undefined("there are no rows")

// weight is the weight of row i; w is nil where every row counts once.
func weight(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}

// total is the sum of the weights of n rows.
func total(w []float64, n int) float64 {
	if w == nil {
		return float64(n)
	}
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	return sum
}

// mean is the weighted mean of value over n rows.
func mean(n int, w []float64, value func(i int) float64) (float64, error) {
	sum, weights := 0.0, 0.0
	for i := range n {
		if wi := weight(w, i); wi != 0 {
			sum += wi * value(i)
			weights += wi
		}
	}
	if weights == 0 {
		return 0, errNoRows
	}
	return finite(sum / weights)
}

// finite lets no NaN and no infinity out.
func finite(v float64) (float64, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, undefined("a truth or a prediction is not a finite number, or too large to calculate with")
	}
	return v, nil
}

// notFinite is the first index whose value is NaN or infinite, or -1.
func notFinite(values []float64) int {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return i
		}
	}
	return -1
}
