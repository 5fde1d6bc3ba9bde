package api

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest is at most three of names that a person who typed name may have
// meant: those that hold it (or that it holds), and those a few letters away.
func nearest(name string, names []string) []string {
	type candidate struct {
		name string
		far  int
	}
	limit := max(2, len(name)/3) // two swapped letters are two changes
	if len(name) < 4 {
		limit = 1
	}
	var near []candidate
	for _, n := range names {
		far := levenshtein.ComputeDistance(name, n)
		if strings.Contains(n, name) || strings.Contains(name, n) {
			far = min(far, 1)
		}
		if far <= limit {
			near = append(near, candidate{n, far})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.far, b.far), strings.Compare(a.name, b.name))
	})
	var out []string
	for _, c := range near[:min(3, len(near))] {
		out = append(out, c.name)
	}
	return out
}
