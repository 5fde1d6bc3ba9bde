package policy

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// What an expression gives is among what it may give, whatever the figures are.
func TestPossibleResultsHoldWhatIsGiven(t *testing.T) {
	domains := map[string]span{"check.a": shareOfAll, "check.b": notNegative, "check.c": anyNumber}
	names := []string{"check.a", "check.b", "check.c"}
	rapid.Check(t, func(t *rapid.T) {
		text := condition(t, 3)
		compiled, faults := compileExpression(text, names)
		if len(faults) > 0 {
			t.Skip(faults)
		}
		possible, ok := possibleResults(text, domains)
		if !ok {
			t.Fatalf("%s is not understood", text)
		}
		figures := map[string]float64{
			"check.a": rapid.OneOf(rapid.SampledFrom([]float64{0, 0.5, 1}), rapid.Float64Range(0, 1)).Draw(t, "a"),
			"check.b": rapid.OneOf(rapid.SampledFrom([]float64{0, 0.5, 2}), rapid.Float64Range(0, 1e300)).Draw(t, "b"),
			"check.c": rapid.OneOf(rapid.SampledFrom([]float64{-2, 0, 2}), rapid.Float64Range(-1e300, 1e300)).Draw(t, "c"),
		}
		given, err := compiled.Eval(figures)
		if err != nil {
			return // inconclusive, whatever is possible
		}
		if given && !possible.yes || !given && !possible.no {
			t.Fatalf("%s gives %v of %v, which is said to be impossible: %+v", text, given, figures, possible)
		}
	})
}

// condition writes a condition over three figures.
func condition(t *rapid.T, depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 3).Draw(t, "logic") {
		case 0:
			return fmt.Sprintf("(%s && %s)", condition(t, depth-1), condition(t, depth-1))
		case 1:
			return fmt.Sprintf("(%s || %s)", condition(t, depth-1), condition(t, depth-1))
		case 2:
			return fmt.Sprintf("!(%s)", condition(t, depth-1))
		}
	}
	by := rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "by")
	return fmt.Sprintf("%s %s %s", term(t, 2), by, term(t, 2))
}

// term writes a number.
func term(t *rapid.T, depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 3).Draw(t, "term") {
		case 0:
			by := rapid.SampledFrom([]string{"+", "-", "*", "/"}).Draw(t, "arithmetic")
			return fmt.Sprintf("(%s %s %s)", term(t, depth-1), by, term(t, depth-1))
		case 1:
			return fmt.Sprintf(rapid.SampledFrom([]string{"math.abs(%s)", "-(%s)", "double(%s)", "math.sqrt(%s)", "(check.a > 0.5 ? %[1]s : 2.0)"}).Draw(t, "function"), term(t, depth-1))
		}
	}
	return rapid.SampledFrom([]string{"check.a", "check.b", "check.c", "0.0", "0.5", "1.0", "2.0", "-2.0"}).Draw(t, "leaf")
}

func TestPossibleResults(t *testing.T) {
	domains := map[string]span{"q.share": shareOfAll, "q.time": notNegative, "q.any": anyNumber}
	always, never, either := results{yes: true}, results{no: true}, results{true, true}
	for text, want := range map[string]results{
		"q.share >= 0.0":                           always,
		"q.share > 0.0":                            either,
		"q.share <= 1":                             always,
		"q.share < 1":                              either,
		"q.share >= 90.0":                          never,
		"q.time < 0.0":                             never,
		"q.any < 0.0":                              either,
		"q.any < 0.5 || q.any >= 0.5":              always,
		"q.any < 0.5 || q.any > 0.5":               either,
		"q.any > 2.0 && q.any < 1.0":               never,
		"q.any == q.any":                           always,
		"!(q.any != q.any)":                        always,
		"q.share + q.time >= 0.0":                  always,
		"q.share - 2.0 < 0.0":                      always,
		"q.share * -2.0 > 0.5":                     never,
		"q.time / 0.0 > 1.0":                       either,
		"math.abs(q.any) >= 0.0":                   always,
		"(q.any > 1.0 ? q.share : q.time) >= 0.0":  always,
		"(q.any > 1.0 ? q.share : q.time) >= -1.0": always,
		"true || q.any > 1.0":                      always,
		"q.any > 1.0 && false":                     never,
		"1 / 2 == 0 || q.any > 1.0":                either, // of integers nothing is said
		"int(q.share) == 0":                        either,
	} {
		got, ok := possibleResults(text, domains)
		if !ok || got != want {
			t.Errorf("%s: %+v %v, want %+v", text, got, ok, want)
		}
	}
	if _, ok := possibleResults("q.unknown > 1.0", domains); ok {
		t.Error("an unknown figure is understood")
	}
}

func TestCellsCoverTheSpan(t *testing.T) {
	cells := span{0, math.Inf(1)}.cells([]float64{-1, 0, 2})
	want := []span{point(0), {math.SmallestNonzeroFloat64, math.Nextafter(2, 0)}, point(2), {math.Nextafter(2, 3), math.Inf(1)}}
	if fmt.Sprint(cells) != fmt.Sprint(want) {
		t.Errorf("cells %v, want %v", cells, want)
	}
}
