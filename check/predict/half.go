package predict

import "math"

// fromHalf is the value of an IEEE 754 binary16: 1 sign bit, 5 of exponent, 10
// of fraction.
func fromHalf(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
	switch exponent {
	case 0: // subnormal, or zero
		return sign * math.Ldexp(fraction, -24)
	case 0x1f:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	default:
		return sign * math.Ldexp(1024+fraction, exponent-25)
	}
}

// toHalf rounds to the nearest binary16, ties to even.
func toHalf(f float64) uint16 {
	var sign uint16
	if math.Signbit(f) {
		sign = 0x8000
	}
	f = math.Abs(f)
	if math.IsNaN(f) {
		return sign | 0x7e00
	}
	if f >= 65520 {
		return sign | 0x7c00
	}
	if f < 0x1p-14 {
		// Steps of 2^-24; the first normal number follows the last subnormal one.
		return sign | uint16(math.RoundToEven(math.Ldexp(f, 24)))
	}
	fraction, exponent := math.Frexp(f)                         // fraction in [0.5, 1)
	steps := uint16(math.RoundToEven(math.Ldexp(fraction, 11))) // 1024 to 2048
	// 2048 carries over into the exponent, as it should.
	return sign | (uint16(exponent+13)<<10 + steps)
}

// toBrain rounds to the nearest bfloat16, which is the upper half of a
// binary32; ties to even.
func toBrain(f float64) uint16 {
	bits := math.Float32bits(float32(f))
	if math.IsNaN(f) {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
