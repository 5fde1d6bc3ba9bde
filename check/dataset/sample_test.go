package dataset_test

import (
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"greenlight/check/dataset"
)

// numbers yields rows with the lines 1 to n.
func numbers(n int) func() (dataset.Row, error) {
	line := 0
	return func() (dataset.Row, error) {
		if line == n {
			return dataset.Row{}, io.EOF
		}
		line++
		return dataset.Row{Line: line}, nil
	}
}

func sample(t rapid.TB, total, want int) (lines []int) {
	next := dataset.Sample(numbers(total), total, want)
	for {
		row, err := next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, row.Line)
	}
}

func TestSampleIsExactOrderedAndTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(0, 2000).Draw(t, "total")
		want := rapid.IntRange(0, 2000).Draw(t, "want")
		lines := sample(t, total, want)
		if len(lines) != min(total, want) {
			t.Fatalf("%d rows of %d, want %d", len(lines), total, want)
		}
		for i, line := range lines {
			if line < 1 || line > total || i > 0 && line <= lines[i-1] {
				t.Fatalf("line %d after %v", line, lines[:i])
			}
		}
		if again := sample(t, total, want); !slices.Equal(lines, again) {
			t.Fatal("two samples of the same rows differ")
		}
	})
}

// Every tenth of the rows gives its share. The seed is fixed, so this either
// holds for ever or never.
func TestSampleIsEven(t *testing.T) {
	const total, want, parts = 100_000, 10_000, 10
	var counts [parts]int
	for _, line := range sample(t, total, want) {
		counts[(line-1)*parts/total]++
	}
	expected := float64(want) / parts
	var chiSquare float64
	for _, n := range counts {
		chiSquare += math.Pow(float64(n)-expected, 2) / expected
	}
	// The 99.9 % quantile of chi-square with 9 degrees of freedom.
	if chiSquare > 27.88 {
		t.Errorf("chi-square = %.1f of %v", chiSquare, counts)
	}
}

func TestSampleOfRowsThatEndTooEarlyIsAnError(t *testing.T) {
	next := dataset.Sample(numbers(5), 100, 50)
	for {
		_, err := next()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return
		}
		if err != nil {
			t.Fatalf("error = %v", err)
		}
	}
}
