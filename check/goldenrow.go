package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"greenlight/check/dataset"
	"greenlight/check/predict"
)

// goldenRow is a case in terms of predictions: it is sent as the policy says
// of any row, and judged by what the answer means.
type goldenRow struct {
	columns []string
	row     dataset.Row
}

func parseGoldenRow(f field, line int) (*goldenRow, error) {
	members, err := splitObject(f.value)
	if err != nil || len(members) == 0 {
		return nil, f.must(`an object of columns: {"amount": 1.5, …}`)
	}
	r := &goldenRow{row: dataset.Row{Line: line}}
	for _, m := range members {
		decoded, err := decode(m.value)
		if err != nil {
			return nil, f.must("JSON")
		}
		v, ok := cellOf(decoded)
		if !ok {
			return nil, fmt.Errorf("row.%s is %s; must be a number that fits in 64 bits, a word, true, false, null or a list of them", m.key, show(decoded))
		}
		r.columns, r.row.Values = append(r.columns, m.key), append(r.row.Values, v)
	}
	return r, nil
}

// cellOf is a decoded JSON value as a data set would hold it.
func cellOf(v any) (dataset.Value, bool) {
	switch v := v.(type) {
	case nil:
		return dataset.Value{}, true
	case bool:
		cell := dataset.Value{Kind: dataset.Bool}
		if v {
			cell.Int = 1
		}
		return cell, true
	case string:
		return dataset.Value{Kind: dataset.String, Str: v}, true
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return dataset.Value{Kind: dataset.Int, Int: i}, true
		}
		f, err := v.Float64()
		return dataset.Value{Kind: dataset.Float, Float: f}, err == nil
	case []any:
		list := dataset.Value{Kind: dataset.List}
		for _, e := range v {
			cell, ok := cellOf(e)
			if !ok {
				return cell, false
			}
			list.List = append(list.List, cell)
		}
		return list, true
	default:
		return dataset.Value{}, false
	}
}

// expects finds what no prediction could ever meet.
func (r *goldenRow) expects(expect any) error {
	object, ok := expect.(map[string]any)
	if !ok {
		return fmt.Errorf("expect is %s; with row it must be an object of label, scores, value or ranking", show(expect))
	}
	for key, v := range object {
		_, isList := v.([]any)
		_, isNumber := v.(json.Number)
		_, isText := v.(string)
		switch {
		case key == "label" && (isText || isNumber), key == "value" && isNumber, (key == "scores" || key == "ranking") && isList:
		case key == "label" || key == "value" || key == "scores" || key == "ranking":
			return fmt.Errorf("expect.%s is %s; must be a label, a number, or a list for scores and ranking", key, show(v))
		default:
			return fmt.Errorf("expect has the key %q; with row it may have label, scores, value and ranking", key)
		}
	}
	return nil
}

// sameColumns refuses a row with other columns than the first one's.
func (r *goldenRow) sameColumns(as []string) error {
	if !slices.Equal(r.columns, as) {
		return errors.New("row has other columns, or in another order, than the first row of the file; all have to have the same")
	}
	return nil
}

// prediction compares what a model said of a row. Labels and rankings are
// exact, in the words in which data sets write them.
func (c *comparison) prediction(expect any, got predict.Prediction) {
	want, _ := expect.(map[string]any) // goldenRow.expects saw that it is one
	if v, ok := want["label"]; ok && labelOf(v) != got.Label {
		c.differ("label", text(strconv.Quote(labelOf(v))), text(strconv.Quote(got.Label)))
	}
	if v, ok := want["value"]; ok {
		if got.HasValue {
			c.values("value", v, numberOf(got.Value))
		} else {
			c.differ("value", v, text("a prediction without a value"))
		}
	}
	if v, ok := want["scores"]; ok {
		scores := make([]any, len(got.Scores))
		for i, s := range got.Scores {
			scores[i] = numberOf(s)
		}
		c.arrays("scores", v.([]any), scores)
	}
	if v, ok := want["ranking"]; ok {
		c.rankings(v.([]any), got.Ranking)
	}
}

// rankings compares items in order: the first topK, or all.
func (c *comparison) rankings(want []any, got []string) {
	wanted, came := make([]any, len(want)), make([]any, len(got))
	for i, v := range want {
		wanted[i] = labelOf(v)
	}
	for i, s := range got {
		came[i] = s
	}
	first, _ := c.top(wanted).([]any)
	then, _ := c.top(came).([]any)
	c.arrays("ranking", first, then)
}

func numberOf(f float64) json.Number {
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// labelOf is a label as a data set writes it.
func labelOf(v any) string {
	cell, _ := cellOf(v)
	s, _ := cell.Text()
	return s
}
