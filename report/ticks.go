package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// wantedTicks is about how many labels an axis gets.
const wantedTicks = 6

// linearTicks puts labels at multiples of 1, 2 or 5 times a power of ten.
type linearTicks struct{}

// Ticks implements plot.Ticker.
func (linearTicks) Ticks(low, high float64) []plot.Tick {
	step := niceStep((high - low) / wantedTicks)
	var out []plot.Tick
	first := math.Ceil(low/step - 1e-9)
	for i := range 2 * wantedTicks {
		v := (first + float64(i)) * step
		if v > high+step*1e-9 {
			break
		}
		out = append(out, plot.Tick{Value: v, Label: tickLabel(v, step)})
	}
	return out
}

func niceStep(rough float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, nice := range []float64{1, 2, 5} {
		if rough <= nice*power*(1+1e-9) {
			return nice * power
		}
	}
	return 10 * power
}

// tickLabel writes v with no more digits than steps of its size need.
func tickLabel(v, step float64) string {
	if math.Abs(v) < step/2 {
		return "0"
	}
	if a := math.Abs(v); a >= 1e6 || a < 1e-4 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	return strconv.FormatFloat(v, 'f', min(digits, 10), 64)
}

// logTicks labels 1, 2 and 5 times powers of ten, or only the powers where
// that would be too many. Its range is above 0.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(low, high float64) []plot.Tick {
	decades := math.Log10(high / low)
	labels := []float64{1, 2, 5}
	if decades > 3 {
		labels = labels[:1]
	}
	every := max(1, int(math.Ceil(decades/8)))
	var out []plot.Tick
	for e := int(math.Floor(math.Log10(low))); e <= int(math.Ceil(math.Log10(high))); e += every {
		for _, m := range labels {
			v := m * math.Pow(10, float64(e))
			if v >= low*(1-1e-9) && v <= high*(1+1e-9) {
				out = append(out, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 2, 64)})
			}
		}
	}
	return out
}
