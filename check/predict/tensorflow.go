package predict

import (
	"encoding/json"
	"errors"

	"greenlight/check/dataset"
)

// plainJSON is what protocols share whose JSON goes over the wire as it is.
type plainJSON struct{}

func (plainJSON) wrap(_ string, request json.RawMessage) (message, error) { //nolint:unparam // as protocol has it
	return message{body: request}, nil
}

func (plainJSON) unwrap(a answer) ([]byte, error) { //nolint:unparam // as protocol has it
	return a.body, nil
}

// tensorFlow is TensorFlow Serving's REST predict API in row format:
// {"signature_name": …, "instances": [row, …]}.
type tensorFlow struct {
	*plan
	plainJSON
}

func (t *tensorFlow) encode(buf []byte, rows []dataset.Row) (_ message, err error) {
	buf = append(buf, '{')
	if t.spec.Signature != "" {
		buf = append(appendString(append(buf, `"signature_name":`...), t.spec.Signature), ',')
	}
	buf = append(buf, `"instances":[`...)
	for _, row := range rows {
		if buf, err = t.instance(comma(buf), row); err != nil {
			return message{}, err
		}
	}
	return message{body: append(buf, "]}"...)}, nil
}

// instance appends one row: an object of the inputs, or a list of numbers.
func (t *tensorFlow) instance(buf []byte, row dataset.Row) (_ []byte, err error) {
	if len(t.inputs) == 0 {
		all := &field{name: "instances", datatype: datatypeFP64, columns: t.columns}
		if len(t.columns) == 1 && row.Values[t.columns[0]].Kind == dataset.List {
			return t.appendCell(buf, all, row)
		}
		return t.appendCells(buf, all, row)
	}
	return t.appendObject(buf, t.inputs, row)
}

// appendObject appends a row as an object of fields.
func (p *plan) appendObject(buf []byte, fields []field, row dataset.Row) (_ []byte, err error) {
	buf = append(buf, '{')
	for i := range fields {
		buf = append(appendString(comma(buf), fields[i].name), ':')
		if buf, err = p.appendCell(buf, &fields[i], row); err != nil {
			return nil, err
		}
	}
	return append(buf, '}'), nil
}

func (t *tensorFlow) decode(a answer, n int) ([]Prediction, error) {
	if err := checkJSON(a.body); err != nil {
		return nil, err
	}
	body, list := one(a.body), raw(nil)
	_ = body.members(func(key string, v raw) error {
		if key == "predictions" {
			list = v
		}
		return nil
	})
	if err := refusal(body); err != nil {
		return nil, err
	}
	if list == nil {
		return nil, errors.New(`no "predictions"`)
	}
	return readRows(list, n, t.spec.Answer)
}
