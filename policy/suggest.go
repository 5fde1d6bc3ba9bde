package policy

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// longestMeant bounds what a suggestion is looked for: a longer word is no typo.
const longestMeant = 64

// didYouMean gives " (did you mean X?)", and nothing if no candidate is near.
func didYouMean(text string, candidates []string) string {
	if best := nearest(text, candidates); best != "" {
		return " (did you mean " + best + "?)"
	}
	return ""
}

// nearest is the candidate that text was most likely meant to be; empty if
// none is near.
func nearest(text string, candidates []string) string {
	best, distance := "", max(1, len(text)/3)+1
	if len(text) > longestMeant {
		return ""
	}
	for _, candidate := range candidates {
		if strings.EqualFold(text, candidate) {
			best = candidate
			break
		}
		if d := levenshtein.ComputeDistance(text, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}
