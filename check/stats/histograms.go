package stats

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat"
)

// Bins are at most n edges that divide the reference's values into at most n
// bins of nearly equal shares: an edge is one of the values, and equal values
// fall into the same bin, so that a value with a large share gets a bin to
// itself. If all values are equal there are two edges, which tell lower and
// higher ones from them. The values may come in any order.
func Bins(reference []float64, n int) (edges []float64) {
	sorted := slices.Clone(reference)
	slices.Sort(sorted)
	if len(sorted) == 0 {
		return nil
	}
	if first := sorted[0]; first == sorted[len(sorted)-1] {
		return []float64{first, math.Nextafter(first, math.Inf(1))}
	}
	for i := 1; i < n; i++ {
		// The nearest places at which one value ends and another begins.
		place := i * len(sorted) / n
		start := sort.SearchFloat64s(sorted, sorted[place])
		end := start + sort.Search(len(sorted)-start, func(k int) bool { return sorted[start+k] > sorted[place] })
		switch {
		case end == len(sorted):
			place = start
		case start == 0 || end-place < place-start:
			place = end
		default:
			place = start
		}
		if edge := sorted[place]; len(edges) == 0 || edge > edges[len(edges)-1] {
			edges = append(edges, edge)
		}
	}
	return edges
}

// Histogram counts values into len(edges)+1 bins: below the first edge, …, from the last on.
func Histogram(values, edges []float64) []float64 {
	counts := make([]float64, len(edges)+1)
	for _, v := range values {
		counts[sort.Search(len(edges), func(i int) bool { return edges[i] > v })]++
	}
	return counts
}

// ChiSquare is Pearson's test of a 2×k table of counts without correction
// (chi2_contingency with correction=False), with Cramér's V. Columns without
// any count are left out; with fewer than two columns nothing differs.
func ChiSquare(a, b []float64) (statistic, p, cramersV float64, dof int, err error) {
	a, b, err = occupied(a, b)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	dof = len(a) - 1
	if dof == 0 {
		return 0, 1, 0, 0, nil
	}
	sumA, sumB := floats.Sum(a), floats.Sum(b)
	observed, expected := slices.Concat(a, b), make([]float64, 0, 2*len(a))
	for _, row := range [...]float64{sumA, sumB} {
		for i := range a {
			expected = append(expected, (a[i]+b[i])*row/(sumA+sumB))
		}
	}
	statistic = stat.ChiSquare(observed, expected)
	p = mathext.GammaIncRegComp(float64(dof)/2, statistic/2)
	return statistic, p, min(1, math.Sqrt(statistic/(sumA+sumB))), dof, nil
}

// JensenShannon is the distance (square root of the divergence, base 2) of two
// histograms of counts, 0 to 1 (scipy.spatial.distance.jensenshannon with base=2).
func JensenShannon(a, b []float64) (float64, error) {
	a, b, err := occupied(a, b)
	if err != nil {
		return 0, err
	}
	floats.Scale(1/floats.Sum(a), a)
	floats.Scale(1/floats.Sum(b), b)
	return math.Sqrt(min(1, max(0, stat.JensenShannon(a, b)/math.Ln2))), nil
}

// PSI is the population stability index of two histograms of counts, Σ (p−q)
// ln(p/q), at least 0. Bins that are empty on one side count as half a row
// there; those that are empty on both are left out.
func PSI(reference, current []float64) (float64, error) {
	reference, current, err := occupied(reference, current)
	if err != nil {
		return 0, err
	}
	for i := range reference {
		reference[i], current[i] = max(reference[i], 0.5), max(current[i], 0.5)
	}
	sumR, sumC, sum := floats.Sum(reference), floats.Sum(current), 0.0
	for i, r := range reference {
		p, q := r/sumR, current[i]/sumC
		sum += (p - q) * math.Log(p/q)
	}
	return sum, nil
}

// occupied copies the columns of two histograms that hold a count.
func occupied(a, b []float64) (fewerA, fewerB []float64, err error) {
	for i := range a {
		if a[i]+b[i] > 0 {
			fewerA, fewerB = append(fewerA, a[i]), append(fewerB, b[i])
		}
	}
	if !(floats.Sum(fewerA) > 0 && floats.Sum(fewerB) > 0) {
		return nil, nil, undefined("one of two histograms that are compared holds nothing")
	}
	return fewerA, fewerB, nil
}
