package metrics

import (
	"math"
	"slices"
)

// NDCG is the normalized discounted cumulative gain of one row at k
// (ndcg_score of one sample whose scores have no ties), 0 to 1: ranked is the
// relevance of the items in the order in which they were ranked, all the
// relevance of all items that there are, in any order. The gain of an item is
// its relevance, discounted by log2 of its rank plus 1. A row in which no item
// is relevant has 0, as there. With fewer than two items, or with a negative
// relevance, it is undefined.
func NDCG(ranked, all []float64, k int) (float64, error) {
	switch {
	case k < 1:
		return 0, undefined("k is %d and must be at least 1", k)
	case len(all) < 2:
		return 0, undefined("ranking needs two items, and there are %d", len(all))
	case len(ranked) > len(all):
		return 0, undefined("%d items are ranked, and there are %d", len(ranked), len(all))
	}
	for _, relevance := range [...][]float64{all, ranked} {
		for _, v := range relevance {
			if !(v >= 0) || math.IsInf(v, 0) {
				return 0, undefined("relevance %v is not a number from 0 on", v)
			}
		}
	}
	best := slices.Clone(all)
	slices.Sort(best)
	slices.Reverse(best)
	ideal := gain(best, k)
	if ideal == 0 {
		return 0, nil
	}
	return finite(gain(ranked, k) / ideal)
}

func gain(relevance []float64, k int) float64 {
	sum := 0.0
	for i, v := range relevance[:min(k, len(relevance))] {
		sum += v / math.Log2(float64(i+2))
	}
	return sum
}
