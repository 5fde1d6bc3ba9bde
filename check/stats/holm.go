package stats

import (
	"cmp"
	"slices"
)

// Holm adjusts p-values for their number (Holm 1979): reject where adjusted <
// alpha, and the probability to reject any true hypothesis is below alpha.
func Holm(p []float64) (adjusted []float64) {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted = make([]float64, len(p))
	highest := 0.0
	for rank, i := range order {
		highest = max(highest, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = highest
	}
	return adjusted
}
