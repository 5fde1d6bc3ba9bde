package check

import (
	"cmp"
	"fmt"
	"slices"
)

// leastSwapped is the share of the rows of two classes that have to be right
// the other way round before labels look swapped.
const leastSwapped = 0.6

// swapped says that two labels look exchanged: most rows of each are called
// the other. It is empty if none do; of several pairs it names the one with
// most rows.
func swapped(a *answers, rows []int32) string {
	if a.label == nil {
		return ""
	}
	type pair struct{ truth, label int32 }
	called, total := map[pair]int{}, map[int32]int{}
	for _, row := range rows {
		called[pair{a.truth.class[row], a.label[row]}]++
		total[a.truth.class[row]]++
	}
	var found []pair
	for p, n := range called {
		back := pair{p.label, p.truth}
		if p.truth < p.label && 2*n > total[p.truth] && 2*called[back] > total[p.label] &&
			float64(n+called[back]) >= leastSwapped*float64(total[p.truth]+total[p.label]) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return ""
	}
	rowsOf := func(p pair) int { return total[p.truth] + total[p.label] }
	worst := slices.MaxFunc(found, func(x, y pair) int { return cmp.Or(cmp.Compare(rowsOf(x), rowsOf(y)), cmp.Compare(y.truth, x.truth)) })
	words := a.truth.classes
	n := called[worst] + called[pair{worst.label, worst.truth}]
	return fmt.Sprintf("the labels %q and %q look swapped: %s of their %s rows are right the other way round",
		shorten(words.word(worst.truth)), shorten(words.word(worst.label)), share(float64(n)/float64(rowsOf(worst))), thousands(rowsOf(worst)))
}
