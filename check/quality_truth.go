package check

import (
	"context"
	"fmt"
	"math"

	"greenlight/check/dataset"
	"greenlight/policy"
)

const (
	// maxClasses is how many different labels a check tells apart.
	maxClasses = 10_000
	// maxSliceValues is how many values a slice column may have.
	maxSliceValues = 1000
	// noValue is the slice of the rows without a value.
	noValue = "(none)"
)

// uses says what a quality check's gates look at in an answer.
type uses struct{ labels, scores, hits, values, ranks bool }

func usesOf(gates []policy.Gate) uses {
	var u uses
	for _, g := range gates {
		switch g.Metric {
		case policy.ROCAUC, policy.PRAUC, policy.LogLoss, policy.Brier:
			u.scores = true
		case policy.TopK:
			u.hits = true
		case policy.RMSE, policy.MAE, policy.R2:
			u.values = true
		case policy.NDCG:
			u.ranks = true
		default:
			u.labels = true
		}
	}
	return u
}

func (u uses) classes() bool { return u.labels || u.scores || u.hits }

// truth is what the data set says of each row of a sample. What is wrong with
// it is known before a model is asked.
type truth struct {
	lines   []int       // of the file
	classes *numbered   // labels, those that are only predicted included
	class   []int32     // number of the true class; nil if no gate needs it
	value   []float64   // true number; nil if no gate needs it
	slices  []sliceRows // one per slice column

	label, items int // columns; items is −1 without ndcg
}

// sliceRows is a column whose values part the rows into slices.
type sliceRows struct {
	column string
	values *numbered
	of     []int32 // number of each row's value
}

// readTruth reads the columns that the check uses itself.
func readTruth(ctx context.Context, s *sample, q *policy.QualityCheck) (*truth, error) {
	u := usesOf(q.Gates)
	t := &truth{classes: newNumbered(maxClasses), lines: make([]int, s.rows), items: -1}
	var err error
	if t.label, err = s.column("quality.label", q.Label); err != nil {
		return nil, err
	}
	if u.ranks {
		if t.items, err = s.column("quality.items", q.Items); err != nil {
			return nil, err
		}
	}
	if u.classes() {
		t.class = make([]int32, s.rows)
	}
	if u.values {
		t.value = make([]float64, s.rows)
	}
	at := make([]int, len(q.Slices))
	for k, column := range q.Slices {
		if at[k], err = s.column("one of quality.slices", column); err != nil {
			return nil, err
		}
		t.slices = append(t.slices, sliceRows{column: column, values: newNumbered(maxSliceValues), of: make([]int32, s.rows)})
	}
	return t, s.each(ctx, func(i int, row dataset.Row) error {
		t.lines[i] = row.Line
		problem := t.read(i, row, q.Label)
		for k := 0; k < len(at) && problem == ""; k++ {
			problem = t.slices[k].read(i, row.Values[at[k]])
		}
		if problem != "" {
			return s.problem(row.Line, problem)
		}
		return nil
	})
}

// read reads the truth of a row; it answers what is wrong with it.
func (t *truth) read(i int, row dataset.Row, column string) string {
	v := row.Values[t.label]
	if v.Kind == dataset.Null {
		return fmt.Sprintf("column %q is empty; leave rows without a label out", shorten(column))
	}
	if t.class != nil {
		word, ok := v.Text()
		if !ok {
			return fmt.Sprintf("column %q holds a list where a label goes", shorten(column))
		}
		if t.class[i], ok = t.classes.number(word); !ok {
			return fmt.Sprintf("column %q has more than %s different labels; for numbers use rmse, mae or r2", shorten(column), thousands(maxClasses))
		}
	}
	if t.value != nil {
		number, ok := v.Number()
		if !ok {
			return fmt.Sprintf("column %q holds no number", shorten(column))
		}
		t.value[i] = number
	}
	if t.items >= 0 {
		_, problem := relevances(row.Values[t.items], v)
		return problem
	}
	return ""
}

func (s *sliceRows) read(i int, v dataset.Value) string {
	word, ok := noValue, true
	if v.Kind != dataset.Null {
		word, ok = v.Text()
	}
	if !ok {
		return fmt.Sprintf("column %q holds a list; it can't name slices", shorten(s.column))
	}
	if s.of[i], ok = s.values.number(word); !ok {
		return fmt.Sprintf("column %q has more than %s different values; slice by a column with fewer, such as ranges",
			shorten(s.column), thousands(maxSliceValues))
	}
	return ""
}

// relevances is the relevance of each item of a row.
func relevances(items, relevance dataset.Value) (map[string]float64, string) {
	if items.Kind != dataset.List || relevance.Kind != dataset.List || len(items.List) != len(relevance.List) {
		return nil, "for ndcg the columns of items and of their relevance have to be lists of the same length"
	}
	if len(items.List) < 2 {
		return nil, "for ndcg a row needs at least two items"
	}
	of := make(map[string]float64, len(items.List))
	for k, item := range items.List {
		word, ok := item.Text()
		gain, number := relevance.List[k].Number()
		if _, twice := of[word]; !ok || !number || !(gain >= 0) || math.IsInf(gain, 0) || twice {
			return nil, fmt.Sprintf("item %d of the row needs a name of its own and a relevance from 0 on", k+1)
		}
		of[word] = gain
	}
	return of, ""
}
