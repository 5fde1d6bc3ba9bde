package predict

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"greenlight/check/dataset"
)

// appendString appends s as a JSON string.
func appendString(buf []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(s) // a string can always be written
			return append(buf, quoted...)
		}
	}
	buf = append(buf, '"')
	buf = append(buf, s...)
	return append(buf, '"')
}

func appendFloat(buf []byte, f float64) []byte { return strconv.AppendFloat(buf, f, 'g', -1, 64) }

// comma parts elements: none goes before the first.
func comma(buf []byte) []byte {
	if n := len(buf); n > 0 && (buf[n-1] == '[' || buf[n-1] == '{') {
		return buf
	}
	return append(buf, ',')
}

// appendElement appends a cell as an element of a list, with the comma before it.
func appendElement(buf []byte, d datatype, v *dataset.Value) ([]byte, bool) {
	return appendTyped(comma(buf), d, v)
}

// appendTyped appends a cell as a JSON value of type d.
func appendTyped(buf []byte, d datatype, v *dataset.Value) ([]byte, bool) {
	switch {
	case d == datatypeBytes:
		s, ok := v.Text()
		return appendString(buf, s), ok
	case d.isFloat():
		f, ok := d.float(v)
		if v.Kind == dataset.Int {
			return strconv.AppendInt(buf, v.Int, 10), ok
		}
		return appendFloat(buf, f), ok
	case d == datatypeBool:
		i, ok := d.integer(v)
		return strconv.AppendBool(buf, i == 1), ok
	default:
		i, ok := d.integer(v)
		return strconv.AppendInt(buf, i, 10), ok
	}
}

// appendNatural appends a cell as the JSON value that it is, lists included.
func appendNatural(buf []byte, v *dataset.Value) []byte {
	switch v.Kind {
	case dataset.Bool:
		return strconv.AppendBool(buf, v.Int != 0)
	case dataset.Int:
		return strconv.AppendInt(buf, v.Int, 10)
	case dataset.Float:
		return appendFloat(buf, v.Float)
	case dataset.String:
		return appendString(buf, v.Str)
	case dataset.List:
		buf = append(buf, '[')
		for i := range v.List {
			buf = appendNatural(comma(buf), &v.List[i])
		}
		return append(buf, ']')
	default:
		return append(buf, "null"...)
	}
}

// appendCell appends what a row has of f: the value of its only column, or a
// list of its columns' values; a list in the data stays one.
func (p *plan) appendCell(buf []byte, f *field, row dataset.Row) ([]byte, error) {
	if len(f.columns) == 1 {
		return p.appendValue(buf, f, row, f.columns[0], &row.Values[f.columns[0]])
	}
	return p.appendCells(buf, f, row)
}

// appendCells appends a list of the values of f's columns.
func (p *plan) appendCells(buf []byte, f *field, row dataset.Row) (_ []byte, err error) {
	buf = append(buf, '[')
	for _, c := range f.columns {
		if buf, err = p.appendValue(comma(buf), f, row, c, &row.Values[c]); err != nil {
			return nil, err
		}
	}
	return append(buf, ']'), nil
}

func (p *plan) appendValue(buf []byte, f *field, row dataset.Row, column int, v *dataset.Value) (_ []byte, err error) {
	if f.datatype == 0 {
		return appendNatural(buf, v), nil
	}
	if v.Kind == dataset.List {
		buf = append(buf, '[')
		for i := range v.List {
			if buf, err = p.appendValue(comma(buf), f, row, column, &v.List[i]); err != nil {
				return nil, err
			}
		}
		return append(buf, ']'), nil
	}
	buf, ok := appendTyped(buf, f.datatype, v)
	if !ok {
		return nil, p.wrongType(row, column, v, f)
	}
	return buf, nil
}

// appendParameters appends an object of parameters. What reads as a number or
// a bool is sent as one: servers check the types of their parameters.
func appendParameters(buf []byte, parameters []parameter) []byte {
	buf = append(buf, '{')
	for _, p := range parameters {
		buf = append(appendString(comma(buf), p.name), ':')
		if p.isText() {
			buf = appendString(buf, p.value)
		} else {
			buf = append(buf, p.value...)
		}
	}
	return append(buf, '}')
}
