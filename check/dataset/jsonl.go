package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep lists may be nested.
const maxDepth = 32

// jsonlRows reads one JSON object per line and holds one line at a time.
type jsonlRows struct {
	file    *File
	lines   *bufio.Reader
	line    int
	text    []byte         // the present line
	columns []string       // nil before the first row
	index   map[string]int // of columns
	decoder *jsontext.Decoder
	bytes   bytes.Reader // what decoder reads: text
}

// openJSONL reads JSON Lines: one object per line, blank lines are skipped. The
// first object's keys, in their order, are the columns; every other object has
// exactly these, in any order. Numbers without point and exponent that fit
// int64 are Int, others Float (the nearest one; beyond its range is an error);
// lists are List, null is Null; an object as a value is an error.
func openJSONL(f *File) ([]string, func() source, error) {
	first := newJSONLRows(f, nil)
	if _, err := first.next(); err != nil {
		if errors.Is(err, io.EOF) {
			err = f.problem(0, 0, `there are no rows; write one JSON object per line: {"age": 42, "label": 1}`)
		}
		return nil, nil, err
	}
	return first.columns, func() source { return newJSONLRows(f, first.columns) }, nil
}

func newJSONLRows(f *File, columns []string) *jsonlRows {
	r := &jsonlRows{file: f, lines: bufio.NewReaderSize(f.section(), f.options.MaxLine)}
	r.decoder = jsontext.NewDecoder(&r.bytes)
	if columns != nil {
		r.setColumns(columns)
	}
	return r
}

func (r *jsonlRows) setColumns(columns []string) {
	r.columns = columns
	r.index = make(map[string]int, len(columns))
	for i, name := range columns {
		r.index[name] = i
	}
}

func (r *jsonlRows) close() error { return nil }

func (r *jsonlRows) next() (Row, error) {
	for {
		line, err := r.lines.ReadSlice('\n')
		r.line++
		if errors.Is(err, bufio.ErrBufferFull) {
			return Row{}, r.file.problem(r.line, 0, fmt.Sprintf("the line is longer than %d bytes; write one row per line, and shorter ones", r.file.options.MaxLine))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return Row{}, fmt.Errorf("read %s: %w", r.file.schema.File, err)
		}
		if r.line == 1 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			r.text = line
			return r.row()
		}
		if err != nil {
			return Row{}, io.EOF
		}
	}
}

func (r *jsonlRows) problem(offset int, format string, args ...any) error {
	return r.file.problem(r.line, column(r.text, offset), fmt.Sprintf(format, args...))
}

// row reads the present line.
func (r *jsonlRows) row() (Row, error) {
	if at := invalidAt(r.text); at >= 0 {
		return Row{}, r.problem(at, "%s", notText(r.text))
	}
	r.bytes.Reset(r.text)
	r.decoder.Reset(&r.bytes)
	if r.decoder.PeekKind() != '{' {
		if _, err := r.decoder.ReadValue(); err != nil {
			return Row{}, r.syntax(err)
		}
		return Row{}, r.problem(0, `a row is a JSON object with the columns as keys: {"age": 42, "label": 1}`)
	}
	values, err := r.object()
	if err != nil {
		return Row{}, err
	}
	end := r.ahead()
	switch _, err := r.decoder.ReadToken(); {
	case err == nil:
		return Row{}, r.problem(end, "more text after the row; write one row per line")
	case !errors.Is(err, io.EOF):
		return Row{}, r.syntax(err)
	}
	return Row{Line: r.line, Values: values}, nil
}

// object reads the row's columns. The decoder refuses a key that stands twice.
func (r *jsonlRows) object() ([]Value, error) {
	if _, err := r.decoder.ReadToken(); err != nil {
		return nil, r.syntax(err)
	}
	var names []string // of the first row
	values := make([]Value, len(r.columns))
	present := make([]bool, len(r.columns))
	for n := 0; r.decoder.PeekKind() != '}'; n++ {
		at := r.ahead()
		name, err := r.decoder.ReadToken()
		if err != nil {
			return nil, r.syntax(err)
		}
		key := name.String()
		v, err := r.value(key, 0)
		if err != nil {
			return nil, err
		}
		if r.columns == nil {
			if len(names) == r.file.options.MaxColumns {
				return nil, r.problem(0, "there are more than %d columns", r.file.options.MaxColumns)
			}
			names, values = append(names, key), append(values, v)
			continue
		}
		// Most rows have the order of the first.
		i, known := n, n < len(r.columns) && r.columns[n] == key
		if !known {
			i, known = r.index[key]
		}
		if !known {
			return nil, r.problem(at, "column %q is not in the first row; give every row the same columns, with null where there is no value", shorten(key))
		}
		values[i], present[i] = v, true
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return nil, r.syntax(err)
	}
	if r.columns == nil {
		r.setColumns(names)
		return values, nil
	}
	for i, is := range present {
		if !is {
			return nil, r.file.problem(r.line, 0, fmt.Sprintf("column %q is missing; give every row the columns of the first, with null where there is no value", shorten(r.columns[i])))
		}
	}
	return values, nil
}

// value reads one value of a column.
func (r *jsonlRows) value(key string, depth int) (Value, error) {
	at := r.ahead()
	switch r.decoder.PeekKind() {
	case '{':
		return Value{}, r.problem(at, "column %q holds an object; write its keys as columns of their own", shorten(key))
	case '[':
		if depth == maxDepth {
			return Value{}, r.problem(at, "column %q holds lists nested more than %d deep", shorten(key), maxDepth)
		}
		return r.list(key, depth)
	case '0':
		number, err := r.decoder.ReadValue()
		if err != nil {
			return Value{}, r.syntax(err)
		}
		v, ok := parseNumber(string(number))
		if !ok {
			return Value{}, r.problem(at, "%s is beyond the range of a 64-bit float", shorten(string(number)))
		}
		return v, nil
	}
	token, err := r.decoder.ReadToken()
	if err != nil {
		return Value{}, r.syntax(err)
	}
	switch token.Kind() {
	case '"':
		return Value{Kind: String, Str: token.String()}, nil
	case 't':
		return Value{Kind: Bool, Int: 1}, nil
	case 'f':
		return Value{Kind: Bool}, nil
	}
	return Value{}, nil
}

func (r *jsonlRows) list(key string, depth int) (Value, error) {
	if _, err := r.decoder.ReadToken(); err != nil {
		return Value{}, r.syntax(err)
	}
	v := Value{Kind: List}
	for r.decoder.PeekKind() != ']' {
		item, err := r.value(key, depth+1)
		if err != nil {
			return Value{}, err
		}
		v.List = append(v.List, item)
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return Value{}, r.syntax(err)
	}
	return v, nil
}

// ahead is the offset of the decoder's next token.
func (r *jsonlRows) ahead() int {
	rest := bytes.TrimLeft(r.text[r.decoder.InputOffset():], " \t\r\n,:")
	return len(r.text) - len(rest)
}

// syntax says where the line is not JSON.
func (r *jsonlRows) syntax(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return r.problem(r.ahead(), "a key stands twice; every column has one value")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return r.problem(len(bytes.TrimRight(r.text, "\r\n")), "not JSON: the line ends too early; write the whole row on one line")
	}
	if at, is := errors.AsType[*jsontext.SyntacticError](err); is {
		return r.problem(int(at.ByteOffset), "not JSON: %v", at.Err)
	}
	return r.problem(r.ahead(), "not JSON: %v", err)
}
