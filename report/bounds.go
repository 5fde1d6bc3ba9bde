package report

import (
	"strings"
	"unicode"

	"greenlight/rollout"
)

// What a page holds at most, whatever was measured: a browser has to show it.
const (
	maxStages   = 200
	maxVerdicts = 64 // of a stage
	maxSlices   = 50
	maxCharts   = 8
	maxSeries   = 4
	maxPoints   = 512 // of a series
	maxCases    = 20
	maxEvidence = 10
	maxNotes    = 20
	maxFigures  = 200

	maxWord = 200  // runes of a name
	maxText = 2000 // runes of a sentence, an input or an answer

	// maxSize bounds, roughly, the bytes of all pictures and tables together;
	// a check beyond it is shown without its details.
	maxSize = 3 << 20
)

// head is the first at most n of list, and how many more there are.
func head[T any](list []T, n int) ([]T, int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}

// cut makes s valid, shows control characters and characters that change the
// direction of what follows as "�", and cuts it after n runes.
func cut(s string, n int) string {
	var out strings.Builder
	count := 0
	for _, r := range s {
		if count == n {
			out.WriteString("…")
			break
		}
		count++
		if (unicode.IsControl(r) && r != '\n' && r != '\t') || unicode.Is(unicode.Bidi_Control, r) {
			r = unicode.ReplacementChar
		}
		out.WriteRune(r)
	}
	return out.String()
}

func word(s string) string { return cut(strings.Map(spaced, s), maxWord) }
func text(s string) string { return cut(s, maxText) }

// spaced keeps a word on one line.
func spaced(r rune) rune {
	if r == '\n' || r == '\t' || r == '\r' {
		return ' '
	}
	return r
}

// room is what is left of a page's size.
type room struct{ left int }

// take reports whether size more bytes fit, and takes them.
func (r *room) take(size int) bool {
	if size > r.left {
		return false
	}
	r.left -= size
	return true
}

// sizeOf is about how many bytes v's tables take.
func sizeOf(v rollout.Verdict) int {
	const cell = 40 // of markup
	measures := func(list []rollout.Measure) int {
		size := 0
		for _, m := range list {
			size += 10*cell + min(len(m.Name), maxWord) + min(len(m.Rule)+len(m.Why), 2*maxText)
		}
		return size
	}
	size := measures(v.Measures)
	if v.Detail == nil {
		return size
	}
	for _, s := range v.Detail.Slices {
		size += 4*cell + min(len(s.Column)+len(s.Value), 2*maxWord) + measures(s.Measures)
	}
	for _, c := range v.Detail.Cases {
		size += 5*cell + min(len(c.Where)+len(c.Input)+len(c.Expected)+len(c.Idle)+len(c.Live), 5*maxText)
	}
	return size
}
