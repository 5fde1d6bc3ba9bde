package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// exactKS is the largest size of a sample up to which the p-value of KS is exact.
const exactKS = 10_000

// KS is the two-sample Kolmogorov–Smirnov statistic, the largest distance of
// the two empirical distribution functions, and its two-sided p-value, as
// scipy.stats.ks_2samp with method "auto" gives it: exact up to 10,000 values a
// side (which takes no account of ties), else that of one sample of n·m/(n+m)
// values. The values may come in any order.
func KS(a, b []float64) (statistic, p float64, err error) {
	if len(a) == 0 || len(b) == 0 {
		return 0, 0, undefined("a Kolmogorov–Smirnov test needs values on both sides")
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	if math.IsNaN(a[0]) || math.IsNaN(b[0]) { // NaN sorts first
		return 0, 0, undefined("a Kolmogorov–Smirnov test can't place NaN")
	}
	statistic = stat.KolmogorovSmirnov(a, nil, b, nil)
	n, m := len(a), len(b)
	if max(n, m) > exactKS {
		size := math.RoundToEven(float64(n) * float64(m) / float64(n+m))
		return statistic, unit(kolmogorov(int(size), statistic)), nil
	}
	// The statistic is a multiple of 1/lcm(n, m).
	g := gcd(n, m)
	lcm := n / g * m
	steps := int(math.RoundToEven(statistic * float64(lcm)))
	statistic = float64(steps) / float64(lcm)
	switch {
	case steps == 0:
		p = 1
	case n == m:
		p = leavesSquare(n, steps)
	default:
		p = leavesBand(n, m, g, steps)
	}
	return statistic, unit(p), nil
}

// leavesSquare is the probability that of two samples of n the distance
// reaches steps/n: 2 Σ ±C(2n, n−k·steps)/C(2n, n), by Horner's rule.
func leavesSquare(n, steps int) float64 {
	p := 0.0
	for k := n / steps; k >= 0; k-- {
		term := 1.0
		for j := range steps {
			term *= float64(n-k*steps-j) / float64(n+k*steps+j+1)
		}
		p = term * (1 - p)
	}
	return 2 * p
}

// leavesBand is the probability that a random lattice path from (0, 0) to
// (n, m) reaches |x/n − y/m| ≥ steps/lcm(n, m) (Hodges 1958): column by column,
// with the probability that a path to (x, y) has reached it.
func leavesBand(n, m, g, steps int) float64 {
	if n < m {
		n, m = m, n
	}
	stepX, stepY := m/g, n/g // |x·stepX − y·stepY| < steps is inside
	reached := make([]float64, m+1)
	for y := range reached {
		if y*stepY >= steps {
			reached[y] = 1
		}
	}
	below := 0 // so many of the column lie below the inside
	for x := 1; x <= n; x++ {
		low, high := 0, min(m, (x*stepX+steps-1)/stepY) // the inside of this column
		if outside := x*stepX - steps; outside >= 0 {
			low = outside/stepY + 1
		}
		for ; below < min(low, m+1); below++ {
			reached[below] = 1
		}
		for y := low; y <= high; y++ {
			before := 0.0
			if y > 0 {
				before = reached[y-1]
			}
			reached[y] = (reached[y]*float64(x) + before*float64(y)) / float64(x+y)
		}
	}
	return reached[m]
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// unit keeps what rounding may carry out of 0 to 1 inside.
func unit(p float64) float64 { return min(1, max(0, p)) }
