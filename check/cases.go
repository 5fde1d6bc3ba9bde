package check

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// goldenCase is one line of a golden file: a request and what has to come back.
type goldenCase struct {
	line    int
	name    string
	request json.RawMessage // nil if row is set
	row     *goldenRow
	expect  any
	path    string // empty: the policy's
	status  int
	// tolerance is negative when the line names none.
	tolerance float64
}

// where names the case for evidence: "fraud.golden.jsonl:7 (row-12)".
func (c goldenCase) where(file string) string {
	if c.name == "" {
		return fmt.Sprintf("%s:%d", file, c.line)
	}
	return fmt.Sprintf("%s:%d (%s)", file, c.line, c.name)
}

// lineError is what is wrong with a golden file; Line and Column count from 1,
// Column in runes. Column 0 means the whole line.
type lineError struct {
	File         string
	Line, Column int
	Problem      string
}

func (e *lineError) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

// caseReader reads a golden file line by line and holds one line at a time.
type caseReader struct {
	file  string // for errors
	lines *bufio.Reader
	line  int
	limit int
}

func newCaseReader(file string, from io.Reader, maxLine int) *caseReader {
	return &caseReader{file: file, lines: bufio.NewReaderSize(from, maxLine), limit: maxLine}
}

// next returns the next case; at the end it returns io.EOF. Blank lines are
// skipped. Any other error is a *lineError or comes from reading.
func (r *caseReader) next() (goldenCase, error) {
	for {
		line, err := r.lines.ReadSlice('\n')
		r.line++
		if errors.Is(err, bufio.ErrBufferFull) {
			return goldenCase{}, r.problem(0, fmt.Sprintf("the line is longer than %d bytes; split the request or send less", r.limit))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return goldenCase{}, fmt.Errorf("read %s: %w", r.file, err)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return r.parse(line)
		}
		if err != nil {
			return goldenCase{}, io.EOF
		}
	}
}

func (r *caseReader) problem(column int, problem string) error {
	return &lineError{File: r.file, Line: r.line, Column: column, Problem: problem}
}

// parse reads one line. It keeps nothing of line's memory.
func (r *caseReader) parse(line []byte) (goldenCase, error) {
	c := goldenCase{line: r.line, status: http.StatusOK, tolerance: -1}
	fields, err := splitObject(line)
	if err == nil {
		err = c.fill(fields)
	}
	if err != nil {
		at, ok := errors.AsType[*offsetError](err)
		if !ok {
			return goldenCase{}, r.problem(0, err.Error())
		}
		// The runes before the offending byte, and that one.
		column := utf8.RuneCount(line[:min(at.offset, len(line))]) + 1
		return goldenCase{}, r.problem(column, at.problem)
	}
	return c, nil
}

// fill takes the line's fields over, each checked.
func (c *goldenCase) fill(fields []field) error {
	given := map[string]bool{}
	for _, f := range fields {
		given[f.key] = true
		if err := c.set(f); err != nil {
			return err
		}
	}
	switch {
	case !given["request"] && !given["row"]:
		return errors.New(`"request" is missing`)
	case !given["expect"]:
		return errors.New(`"expect" is missing`)
	case given["row"] && (given["request"] || given["path"] || given["status"]):
		return errors.New(`"row" goes with neither "request" nor "path" nor "status": the policy says how rows are sent`)
	case given["row"]:
		return c.row.expects(c.expect)
	}
	return nil
}

func (c *goldenCase) set(f field) error {
	switch f.key {
	case "request":
		c.request = f.value
	case "row":
		var err error
		if c.row, err = parseGoldenRow(f, c.line); err != nil {
			return err
		}
	case "expect":
		var err error
		c.expect, err = decode(f.value)
		if object, is := c.expect.(map[string]any); err != nil || is && len(object) == 0 {
			return f.must("a value that says something: an object with at least one key, a list, …")
		}
	case "path":
		var ok bool
		c.path, ok = f.text()
		if u, err := url.Parse("http://host" + c.path); !ok || !strings.HasPrefix(c.path, "/") || err != nil || u.Fragment != "" {
			return f.must(`a path that begins with "/"`)
		}
	case "name":
		var ok bool
		if c.name, ok = f.text(); !ok {
			return f.must("a string")
		}
	case "tolerance":
		if err := json.Unmarshal(f.value, &c.tolerance); err != nil || !(c.tolerance >= 0) {
			return f.must("a number, 0 or more")
		}
	case "status":
		if err := json.Unmarshal(f.value, &c.status); err != nil || c.status < 200 || c.status > 599 {
			return f.must("a status code, 200 to 599")
		}
	default:
		return &offsetError{f.keyAt, fmt.Sprintf("unknown key %q; known are request, row, expect, path, name, tolerance, status", f.key)}
	}
	return nil
}
