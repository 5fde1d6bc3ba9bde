package predict

import (
	"errors"
	"fmt"

	"greenlight/check/dataset"
	"greenlight/policy"
)

// mlflow is the API of MLflow's scoring server, version 2.0 and later.
type mlflow struct {
	*plan
	plainJSON
}

func (m *mlflow) encode(buf []byte, rows []dataset.Row) (_ message, err error) {
	fields := m.named()
	switch m.spec.Format {
	case policy.MLflowRecords:
		buf, err = m.records(append(buf, `{"dataframe_records":[`...), fields, rows)
	case policy.MLflowInputs:
		buf, err = m.columnar(append(buf, `{"inputs":{`...), fields, rows)
	default:
		buf, err = m.split(append(buf, `{"dataframe_split":{"columns":[`...), fields, rows)
	}
	if err != nil {
		return message{}, err
	}
	if len(m.spec.Parameters) > 0 {
		buf = appendParameters(append(buf, `,"params":`...), sorted(m.spec.Parameters))
	}
	return message{body: append(buf, '}')}, nil
}

func (m *mlflow) split(buf []byte, fields []field, rows []dataset.Row) (_ []byte, err error) {
	for i := range fields {
		buf = appendString(comma(buf), fields[i].name)
	}
	buf = append(buf, `],"data":[`...)
	for _, row := range rows {
		buf = append(comma(buf), '[')
		for i := range fields {
			if buf, err = m.appendCell(comma(buf), &fields[i], row); err != nil {
				return nil, err
			}
		}
		buf = append(buf, ']')
	}
	return append(buf, "]}"...), nil
}

func (m *mlflow) records(buf []byte, fields []field, rows []dataset.Row) (_ []byte, err error) {
	for _, row := range rows {
		if buf, err = m.appendObject(comma(buf), fields, row); err != nil {
			return nil, err
		}
	}
	return append(buf, ']'), nil
}

// columnar appends each field as a list of what the rows have of it.
func (m *mlflow) columnar(buf []byte, fields []field, rows []dataset.Row) (_ []byte, err error) {
	for i := range fields {
		buf = append(appendString(comma(buf), fields[i].name), ":["...)
		for _, row := range rows {
			if buf, err = m.appendCell(comma(buf), &fields[i], row); err != nil {
				return nil, err
			}
		}
		buf = append(buf, ']')
	}
	return append(buf, '}'), nil
}

func (m *mlflow) decode(a answer, n int) ([]Prediction, error) {
	if err := checkJSON(a.body); err != nil {
		return nil, err
	}
	body, predictions := one(a.body), raw(nil)
	if body.kind() == '[' {
		predictions = body
	}
	_ = body.members(func(key string, v raw) error {
		if key == "predictions" {
			predictions = v
		}
		return nil
	})
	switch {
	case refusal(body) != nil:
		return nil, refusal(body)
	case predictions == nil:
		return nil, errors.New(`no "predictions"`)
	case predictions.kind() == '{':
		return m.columnwise(predictions, n)
	default:
		return readRows(predictions, n, m.spec.Answer)
	}
}

// columnwise reads predictions that came as an object of lists: one list per
// output, with one element per row.
func (m *mlflow) columnwise(object raw, n int) ([]Prediction, error) {
	named, keys := parts(m.spec.Answer), []string(nil)
	all, seen := make([]Prediction, n), make([]raw, len(named))
	var only raw
	_ = object.members(func(key string, v raw) error {
		keys, only = append(keys, key), v
		for i := range named {
			if named[i].name == key {
				seen[i] = v
			}
		}
		return nil
	})
	if len(named) == 0 {
		if len(keys) != 1 {
			return nil, fmt.Errorf("several outputs %s; name in predict.answer which is which", Shorten(fmt.Sprintf("%q", keys)))
		}
		return readRows(only, n, m.spec.Answer)
	}
	for i, which := range named {
		if seen[i].kind() != '[' {
			return nil, fmt.Errorf("no list %q; the predictions have %s", which.name, Shorten(fmt.Sprintf("%q", keys)))
		}
		row := 0
		err := seen[i].elements(func(v raw) error {
			if row++; row > n {
				return nil
			}
			return take(which, &all[row-1], m.spec.Answer, v)
		})
		if err != nil {
			return nil, err
		}
		if row != n {
			return nil, fmt.Errorf("%s: %d predictions for the %d rows that were sent", which.name, row, n)
		}
	}
	return all, even(all)
}
