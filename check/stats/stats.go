// Package stats holds the statistical tests and distances behind the checks'
// verdicts. Results are SciPy's where it has the function (the tests compare).
// Everything here is pure and deterministic: random resamples come from a
// generator that is seeded with a constant.
package stats

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"
)

// ErrUndefined is wrapped by every error of a statistic that has no value on
// the given data; the message says why.
var ErrUndefined = errors.New("undefined")

func undefined(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUndefined, fmt.Sprintf(format, args...))
}

// Interval is an estimate with a two-sided confidence interval.
type Interval struct{ Value, Low, High float64 }

// twoSidedZ is how many standard errors a two-sided normal interval reaches to each side.
func twoSidedZ(confidence float64) float64 {
	return distuv.UnitNormal.Quantile((1 + confidence) / 2)
}
