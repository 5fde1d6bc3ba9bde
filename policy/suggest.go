package policy

import "strings"

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
	for _, candidate := range candidates {
		if strings.EqualFold(text, candidate) {
			best = candidate
			break
		}
		if d := editDistance(text, candidate); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// editDistance counts the bytes to insert, delete or replace to make b from a.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
