package stats

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// kolmogorov is the probability that the Kolmogorov–Smirnov statistic of one
// sample of n reaches d, chosen among three methods as Simard and L'Ecuyer
// (2011, Journal of Statistical Software 39:11) do, and SciPy after them.
func kolmogorov(n int, d float64) float64 {
	nd, ndd := float64(n)*d, float64(n)*d*d
	switch {
	case nd <= 0.5:
		return 1
	case d >= 1 || ndd >= 370:
		return 0
	case d >= 0.5 || n <= 140 && ndd > 4 || n > 140 && ndd >= 2.2:
		return 2 * smirnov(n, d)
	case n <= 140 || n <= 100_000 && float64(n)*math.Pow(d, 1.5) <= 1.4:
		return 1 - durbin(n, d)
	}
	return 1 - pelzGood(n, d)
}

// smirnov is the probability that the one-sided statistic of n values reaches d
// (Smirnov 1944): d Σ C(n, v) (d+v/n)^(v−1) (1−d−v/n)^(n−v) for v ≤ n(1−d).
func smirnov(n int, d float64) float64 {
	size := float64(n)
	all, _ := math.Lgamma(size + 1)
	sum := 0.0
	for v := range n {
		rest := 1 - d - float64(v)/size
		if rest <= 0 {
			break
		}
		drawn, _ := math.Lgamma(float64(v) + 1)
		left, _ := math.Lgamma(size - float64(v) + 1)
		sum += math.Exp(all - drawn - left +
			float64(v-1)*math.Log(d+float64(v)/size) + (size-float64(v))*math.Log(rest))
	}
	return d * sum
}

// durbin is the probability that the two-sided statistic of n values stays
// below d, by the matrix of Durbin as Marsaglia, Tsang and Wang (2003, Journal of
// Statistical Software 8:18) calculate it. Exact; the work grows with (n·d)³.
func durbin(n int, d float64) float64 {
	const scale, exponent = 0x1p+128, 128
	k := int(math.Ceil(float64(n) * d))
	h := float64(k) - float64(n)*d
	size := 2*k - 1
	column, inverse := make([]float64, size), make([]float64, size) // inverse[i] is 1/i!
	factor := 1.0
	for i := range size {
		inverse[i] = factor
		factor /= float64(i + 1)
		column[i] = (1 - math.Pow(h, float64(i+1))) * factor
	}
	column[size-1] = (1 + math.Pow(max(2*h-1, 0), float64(size)) - 2*math.Pow(h, float64(size))) * factor
	base := mat.NewDense(size, size, nil)
	for i := range size {
		base.Set(i, 0, column[i])
		base.Set(size-1, i, column[size-1-i])
	}
	for j := 1; j < size; j++ {
		for i := j - 1; i < size-1; i++ {
			base.Set(i, j, inverse[i-j+1])
		}
	}

	// power becomes base^n; both are divided by 2 to their exponent.
	power, next := mat.NewDense(size, size, nil), mat.NewDense(size, size, nil)
	for i := range size {
		power.Set(i, i, 1)
	}
	powerExponent, baseExponent := 0, 0
	for left := n; left > 0; left /= 2 {
		if left%2 == 1 {
			next.Mul(power, base)
			power, next = next, power
			powerExponent += baseExponent
		}
		next.Mul(base, base)
		base, next = next, base
		baseExponent *= 2
		if base.At(k-1, k-1) > scale {
			base.Scale(1/scale, base)
			baseExponent += exponent
		}
	}
	p := power.At(k-1, k-1)
	for i := 1; i <= n; i++ { // times n!/nⁿ
		p *= float64(i) / float64(n)
		if p < 1/scale {
			p *= scale
			powerExponent -= exponent
		}
	}
	return math.Ldexp(p, powerExponent)
}

// pelzGood is the probability that the two-sided statistic of n values stays
// below d, by the series of Pelz and Good (1976, Journal of the Royal
// Statistical Society B 38:152): K0 + K1/√n + K2/n + K3/n^1.5 in z = √n·d.
func pelzGood(n int, d float64) float64 {
	size := float64(n)
	z := math.Sqrt(size) * d
	z2, z3, z4, z6, z8 := z*z, z*z*z, math.Pow(z, 4), math.Pow(z, 6), math.Pow(z, 8)
	const pi2 = math.Pi * math.Pi
	const pi4, pi6 = pi2 * pi2, pi2 * pi2 * pi2
	if z < 0.0418 {
		return 0 // below 1e-300
	}
	var k0, k1, k2, k3 float64
	last := int(math.Ceil(16 * z / math.Pi))
	for k := last; k > 0; k-- { // odd multiples of π/2
		m := float64(2*k - 1)
		m2, m4, m6 := m*m, math.Pow(m, 4), math.Pow(m, 6)
		q := math.Exp(-pi2 * m2 / (8 * z2))
		k0 += q
		k1 += q * (pi2/4*m2 - z2)
		k2 += q * (6*z6 + 2*z4 + (2*z4-5*z2)*pi2/4*m2 + (1-2*z2)*pi4/16*m4)
		k3 += q * (-30*z6 - 90*z8 + (135*z4-96*z6)*pi2/4*m2 + (212*z4-60*z2)*pi4/16*m4 + (5-30*z2)*pi6/64*m6)
	}
	root := math.Sqrt(2 * math.Pi)
	k0 *= root / z
	k1 *= root / (6 * z4)
	k2 *= root / (72 * z6 * z)
	k3 *= root / (6480 * z8 * z2)
	for k := last; k > 0; k-- { // multiples of π
		m := math.Pi * float64(k)
		q := math.Exp(-m * m / (2 * z2))
		k2 -= q * m * m * root / (36 * z3)
		k3 += q * m * m * (3*z2 - m*m) * root / (216 * z6)
	}
	return k0 + k1/math.Sqrt(size) + k2/size + k3/math.Pow(size, 1.5)
}
