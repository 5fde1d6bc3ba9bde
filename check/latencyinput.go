package check

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"greenlight/check/dataset"
	"greenlight/policy"
)

// What a latency check holds in memory, so that no reading disturbs the
// arrivals. When all have been sent, it begins anew with the first.
const (
	maxInputs     = 1000
	maxInputBytes = 64 << 20
)

// latencyInput is what one request asks: a row, or a recorded request.
type latencyInput struct {
	line    int
	rows    []dataset.Row   // the one row
	request json.RawMessage // nil for a row
	path    string          // empty: the policy's
	status  int             // that must come back
}

// latencyInputs are all that is asked.
type latencyInputs struct {
	file   string          // base name
	schema *dataset.Schema // nil for recorded requests
	all    []latencyInput
	size   int
	note   string
}

func (in *latencyInputs) where(i int) string { return fmt.Sprintf("%s:%d", in.file, in.all[i].line) }

// shown is an input as a report shows it.
func (in *latencyInputs) shown(i int) string {
	input := in.all[i]
	if input.request != nil {
		return string(input.request)
	}
	return rowShown(in.schema, input.rows[0])
}

// room counts an input's bytes; false if there is no room for it.
func (in *latencyInputs) room(bytes int) bool {
	in.size += bytes
	return in.size <= maxInputBytes || len(in.all) == 0
}

func readLatencyInputs(ctx context.Context, c *policy.LatencyCheck, maxLine int) (*latencyInputs, error) {
	if c.Data != "" {
		return rowInputs(ctx, c.Data, c.Count)
	}
	return recordedInputs(ctx, c.Requests, c.Count, maxLine)
}

var errFull = errors.New("no room for more inputs")

func rowInputs(ctx context.Context, name string, count int) (*latencyInputs, error) {
	s, err := openSample(ctx, name, min(count, maxInputs))
	if err != nil {
		return nil, err
	}
	defer s.close()
	in := &latencyInputs{file: s.file.Schema().File, schema: s.file.Schema(), note: s.note()}
	err = s.each(ctx, func(_ int, row dataset.Row) error {
		if !in.room(rowSize(row)) {
			return errFull
		}
		in.all = append(in.all, latencyInput{line: row.Line, rows: []dataset.Row{row}, status: http.StatusOK})
		return nil
	})
	if errors.Is(err, errFull) {
		in.note = fmt.Sprintf("the first %d rows of %s that hold %d MiB", len(in.all), in.file, maxInputBytes>>20)
		err = nil
	}
	return in, err
}

// recordedInputs reads the first lines of a file of requests, which may be a
// golden file: what it expects beyond the status is not looked at.
func recordedInputs(ctx context.Context, name string, count, maxLine int) (*latencyInputs, error) {
	file, _, err := dataset.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	in := &latencyInputs{file: filepath.Base(name)}
	lines := bufio.NewReaderSize(file, maxLine)
	for line := 1; len(in.all) < min(count, maxInputs); line++ {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		text, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, &lineError{File: in.file, Line: line, Problem: fmt.Sprintf("the line is longer than %d bytes; send less in one request", maxLine)}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read %s: %w", in.file, err)
		}
		if len(bytes.TrimSpace(text)) > 0 {
			input, wrong := recordedInput(text, line)
			if wrong != nil {
				return nil, wrongLine(in.file, line, text, wrong)
			}
			if !in.room(len(input.request)) {
				in.note = fmt.Sprintf("the first %d requests of %s, which hold %d MiB", len(in.all), in.file, maxInputBytes>>20)
				return in, nil
			}
			in.all = append(in.all, input)
		}
		if err != nil {
			break
		}
	}
	if len(in.all) == 0 {
		return nil, fmt.Errorf(`%s: there are no requests; write one per line: {"request": …}`, in.file)
	}
	return in, nil
}

func recordedInput(text []byte, line int) (latencyInput, error) {
	fields, err := splitObject(text)
	if err != nil {
		return latencyInput{}, err
	}
	c := goldenCase{status: http.StatusOK}
	for _, f := range fields {
		if err := c.set(f); err != nil {
			return latencyInput{}, err
		}
	}
	if c.request == nil {
		return latencyInput{}, errors.New(`"request" is missing`)
	}
	return latencyInput{line: line, request: c.request, path: c.path, status: c.status}, nil
}

// wrongLine says where a line is wrong.
func wrongLine(file string, line int, text []byte, wrong error) error {
	e := &lineError{File: file, Line: line, Problem: wrong.Error()}
	if at, is := errors.AsType[*offsetError](wrong); is {
		e.Column = utf8.RuneCount(text[:min(at.offset, len(text))]) + 1
	}
	return e
}

// rowSize is about how many bytes a row takes in memory.
func rowSize(row dataset.Row) int { return valuesSize(row.Values) }

func valuesSize(values []dataset.Value) int {
	const each = 64
	size := each * len(values)
	for _, v := range values {
		size += len(v.Str) + valuesSize(v.List)
	}
	return size
}

// rowShown is a row for people, up to where a report would cut it.
func rowShown(schema *dataset.Schema, row dataset.Row) string {
	var words []string
	size := 0
	for i, v := range row.Values {
		text, ok := v.Text()
		switch {
		case v.Kind == dataset.List:
			text = fmt.Sprintf("a list of %s", plural(len(v.List), "value"))
		case !ok:
			text = "null"
		}
		word := schema.Columns[i] + "=" + shorten(text)
		if size += len(word); size > maxInput {
			break
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
