package predict

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"greenlight/check/dataset"
)

// openInference is the Open Inference Protocol over HTTP, all in JSON.
type openInference struct {
	*plan
	plainJSON
	fields     []field
	parameters []parameter
	outputs    []string // asked for; empty: whatever the server gives
}

func newOpenInference(p *plan) *openInference {
	o := &openInference{plan: p, fields: p.tensors(), parameters: sorted(p.spec.Parameters)}
	for _, named := range parts(p.spec.Answer) {
		// One output may be two things: a number is label and value.
		if !slices.Contains(o.outputs, named.name) {
			o.outputs = append(o.outputs, named.name)
		}
	}
	return o
}

func (o *openInference) encode(buf []byte, rows []dataset.Row) (_ message, err error) {
	buf = append(buf, '{')
	if len(o.parameters) > 0 {
		buf = append(appendParameters(append(buf, `"parameters":`...), o.parameters), ',')
	}
	buf = append(buf, `"inputs":[`...)
	for i := range o.fields {
		f := &o.fields[i]
		var dims [8]int
		shape := f.shape(dims[:0], rows)
		buf = appendHead(comma(buf), f, shape, len(rows))
		if buf, err = o.appendTensor(append(buf, `,"data":[`...), f, shape, rows, appendElement); err != nil {
			return message{}, err
		}
		buf = append(buf, "]}"...)
	}
	buf = append(buf, ']')
	if len(o.outputs) > 0 {
		buf = append(buf, `,"outputs":[`...)
		for _, name := range o.outputs {
			buf = append(appendString(append(comma(buf), `{"name":`...), name), '}')
		}
		buf = append(buf, ']')
	}
	return message{body: append(buf, '}')}, nil
}

// appendHead appends the beginning of an input: name, datatype and shape.
func appendHead(buf []byte, f *field, shape []int, rows int) []byte {
	buf = appendString(append(buf, `{"name":`...), f.name)
	buf = appendString(append(buf, `,"datatype":`...), f.datatype.String())
	buf = strconv.AppendInt(append(buf, `,"shape":[`...), int64(rows), 10)
	for _, d := range shape {
		buf = strconv.AppendInt(append(buf, ','), int64(d), 10)
	}
	return append(buf, ']')
}

func (o *openInference) decode(a answer, n int) ([]Prediction, error) {
	outputs, err := readOutputs(a, o.outputs)
	if err != nil {
		return nil, err
	}
	return readTensors(outputs, n, o.spec.Answer)
}

// maxOutputs bounds the tensors of an answer.
const maxOutputs = 1024

// readOutputs reads the tensors of an answer: those in only, or all if it is
// empty. Raw bytes behind the JSON are given to the outputs that say so, in order.
func readOutputs(a answer, only []string) ([]tensor, error) {
	head, rest := a.body, []byte(nil)
	if a.header > 0 {
		if a.header > len(a.body) {
			return nil, fmt.Errorf("a JSON part of %d bytes in an answer of %d", a.header, len(a.body))
		}
		head, rest = a.body[:a.header], a.body[a.header:]
	}
	if err := checkJSON(head); err != nil {
		return nil, err
	}
	body, list := one(head), raw(nil)
	_ = body.members(func(key string, v raw) error {
		if key == "outputs" {
			list = v
		}
		return nil
	})
	if err := refusal(body); err != nil {
		return nil, err
	}
	if list.kind() != '[' {
		return nil, errors.New(`no list of "outputs"`)
	}
	var outputs []tensor
	err := list.elements(func(v raw) error {
		if len(outputs) == maxOutputs {
			return fmt.Errorf("more than %d outputs", maxOutputs)
		}
		t, left, err := readOutput(v, rest, only)
		outputs, rest = append(outputs, t), left
		return err
	})
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes behind the last tensor", len(rest))
	}
	return outputs, err
}

// readOutput reads one output, and answers with what is left of the raw bytes.
// The elements of one that nobody asked for are not read.
func readOutput(v raw, rest []byte, only []string) (t tensor, left []byte, err error) {
	var data, shape raw
	var kind string
	size := -1
	_ = v.members(func(key string, value raw) error {
		switch key {
		case "name":
			t.name = value.text()
		case "datatype":
			kind = value.text()
		case "shape":
			shape = value
		case "data":
			data = value
		case "parameters":
			_ = value.members(func(key string, value raw) error {
				if key == "binary_data_size" {
					size, err = strconv.Atoi(string(value))
				}
				return nil
			})
		}
		return nil
	})
	if err != nil || size > len(rest) || data != nil && size >= 0 {
		return t, nil, fmt.Errorf("output %q has a binary_data_size that can't be", Shorten(t.name))
	}
	var bytes []byte
	if size >= 0 {
		bytes, rest = rest[:size], rest[size:]
	}
	if len(only) > 0 && !slices.Contains(only, t.name) {
		return t, rest, nil
	}
	if t.datatype = datatypes[kind]; t.datatype == 0 {
		return t, nil, fmt.Errorf("output %q has the unknown datatype %q", Shorten(t.name), Shorten(kind))
	}
	if t.shape, err = readShape(shape); err == nil {
		if size >= 0 {
			err = t.setRaw(bytes)
		} else {
			err = t.setJSON(data)
		}
	}
	if err != nil {
		return t, nil, fmt.Errorf("output %q: %w", Shorten(t.name), err)
	}
	return t, rest, nil
}

func readShape(v raw) ([]int64, error) {
	if v.kind() != '[' {
		return nil, errors.New("no shape")
	}
	var shape []int64
	err := v.elements(func(d raw) error {
		n, err := strconv.ParseInt(string(d), 10, 64)
		if err != nil || len(shape) == maxRank {
			return fmt.Errorf("%s in its shape", d.described())
		}
		shape = append(shape, n)
		return nil
	})
	return shape, err
}
