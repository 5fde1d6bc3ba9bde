package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"greenlight/check/dataset"
	"greenlight/check/shown"
	"greenlight/rollout"
)

// errEnough ends a reading early.
var errEnough = errors.New("enough rows")

// qualityCases shows the first rows on which the judged color is wrong and the
// live one is right, or, without a live color, just wrong; then those on which
// the two answer differently.
func qualityCases(ctx context.Context, b *bothColors, idle, live *answers, rows []int32, used []string) ([]rollout.Case, error) {
	var worse, differ []int32
	for _, row := range rows {
		if b.idle.failed[row] {
			continue
		}
		switch rank := idle.disagreement(live, row); {
		case rank == 2 && len(worse) < maxCases:
			worse = append(worse, row)
		case rank == 1 && len(differ) < maxCases:
			differ = append(differ, row)
		}
	}
	shown := append(worse, differ...)
	shown = shown[:min(len(shown), maxCases)]
	return readCases(ctx, b.sample, shown, used, func(i int32, row dataset.Row) rollout.Case {
		expected, _ := row.Values[idle.truth.label].Text()
		c := rollout.Case{Expected: expected, Idle: idle.inWords(i)}
		if live != nil {
			c.Live = live.inWords(i)
		}
		return c
	})
}

// disagreement is 2 where a is wrong and live, if there is one, right; 1 where
// they answer differently; else 0.
func (a *answers) disagreement(live *answers, row int32) int {
	if a.label != nil {
		truth := a.truth.class[row]
		switch {
		case a.label[row] != truth && (live == nil || live.label[row] == truth):
			return 2
		case live != nil && a.label[row] != live.label[row]:
			return 1
		}
		return 0
	}
	if live == nil {
		return 0
	}
	differs := a.values && a.value[row] != live.value[row] || a.ranks && a.gain[row] != live.gain[row]
	if a.hits && a.hit[row] != live.hit[row] {
		if live.hit[row] {
			return 2
		}
		differs = true
	}
	if a.scores && a.width == live.width {
		n := a.kept()
		at := int(row) * n
		differs = differs || !slices.Equal(a.score[at:at+n], live.score[at:at+n])
	}
	if differs {
		return 1
	}
	return 0
}

// inWords is what is kept of the prediction of a row.
func (a *answers) inWords(row int32) string {
	var parts []string
	if a.label != nil {
		label := "(no answer)"
		if a.label[row] != missing {
			label = a.truth.classes.word(a.label[row])
		}
		parts = append(parts, label)
	}
	if a.scores && a.score != nil {
		n := a.kept()
		for _, s := range a.score[int(row)*n : int(row)*n+min(n, 10)] {
			parts = append(parts, number(s))
		}
	}
	if a.values {
		parts = append(parts, number(a.value[row]))
	}
	if a.hits {
		parts = append(parts, fmt.Sprintf("among the first %d: %v", a.k, a.hit[row]))
	}
	if a.ranks {
		parts = append(parts, "ndcg "+number(a.gain[row]))
	}
	return strings.Join(parts, ", ")
}

// readCases reads the inputs of some rows anew; answers says what was answered.
// Columns that the check uses itself are no input. The cases are in the order
// of shown.
func readCases(ctx context.Context, s *sample, shown []int32, used []string, answers func(i int32, row dataset.Row) rollout.Case) ([]rollout.Case, error) {
	if len(shown) == 0 {
		return nil, nil
	}
	last := int(slices.Max(shown))
	out := make([]rollout.Case, len(shown))
	err := s.each(ctx, func(i int, row dataset.Row) error {
		if at := slices.Index(shown, int32(i)); at >= 0 {
			out[at] = answers(int32(i), row)
			out[at].Where, out[at].Input = s.where(row.Line), input(s.file.Schema(), row, used)
		}
		if i == last {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// input is a row as a report shows it: "amount=12.5, country=DE".
func input(schema *dataset.Schema, row dataset.Row, used []string) string {
	var b strings.Builder
	for i, v := range row.Values {
		if b.Len() > maxInput || slices.Contains(used, schema.Columns[i]) {
			continue
		}
		text, ok := v.Text()
		switch {
		case v.Kind == dataset.List:
			text = plural(len(v.List), "value")
		case !ok:
			text = noValue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(shorten(schema.Columns[i]) + "=" + shown.Shorten(text, 60))
	}
	return b.String()
}
