package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// csvRows reads one record at a time.
type csvRows struct {
	file  *File
	input *csvInput
	csv   *csv.Reader
}

// openCSV reads CSV as RFC 4180 says: commas, fields with commas, quotes or line
// ends in double quotes, white space is part of a field, blank lines are
// skipped. The first record names the columns, and every other has as many
// fields. csvValue says what a field stands for.
func openCSV(f *File) ([]string, func() source, error) {
	columns, err := newCSVRows(f).record()
	if errors.Is(err, io.EOF) {
		err = f.problem(0, 0, "the file is empty; the first line names the columns")
	}
	if err != nil {
		return nil, nil, err
	}
	if len(columns) == 1 && strings.ContainsAny(columns[0], ";\t") {
		return nil, nil, f.problem(1, 0, "the only column is named "+shorten(columns[0])+"; separate columns by commas")
	}
	start := func() source {
		rows := newCSVRows(f)
		rows.csv.FieldsPerRecord = len(columns)
		return rows
	}
	return slices.Clone(columns), start, nil
}

func newCSVRows(f *File) *csvRows {
	input := &csvInput{from: f.section(), limit: int64(f.options.MaxLine)}
	r := &csvRows{file: f, input: input, csv: csv.NewReader(input)}
	r.csv.ReuseRecord = true
	return r
}

func (r *csvRows) close() error { return nil }

func (r *csvRows) next() (Row, error) {
	if r.csv.InputOffset() == 0 {
		if _, err := r.record(); err != nil {
			return Row{}, err
		}
	}
	record, err := r.record()
	if err != nil {
		return Row{}, err
	}
	line, _ := r.csv.FieldPos(0)
	row := Row{Line: line, Values: make([]Value, len(record))}
	for i, field := range record {
		v, err := csvValue(field)
		if err != nil {
			return Row{}, r.at(i, fmt.Sprintf("%v: %s", err, shorten(field)))
		}
		row.Values[i] = v
	}
	return row, nil
}

// record reads the next record, which is valid until the one after it is read.
func (r *csvRows) record() ([]string, error) {
	r.input.begin(r.csv.InputOffset())
	record, err := r.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, errTooLong) || err == nil && r.csv.InputOffset()-r.input.first > r.input.limit:
		return nil, r.file.problem(r.input.line, 0, fmt.Sprintf("the row is longer than %d bytes; is a quote not closed? Write one row per line, and shorter ones", r.input.limit))
	case err != nil:
		return nil, r.explain(err, len(record))
	}
	for i, field := range record {
		if !utf8.ValidString(field) {
			return nil, r.at(i, notText([]byte(field)))
		}
	}
	return record, nil
}

// at is a problem in a field of the record that was read last.
func (r *csvRows) at(field int, problem string) error {
	line, offset := r.csv.FieldPos(field)
	return r.file.problem(line, r.input.column(line, offset), problem)
}

// explain says in words what encoding/csv met in a record of some fields.
func (r *csvRows) explain(err error, fields int) error {
	at, is := errors.AsType[*csv.ParseError](err)
	if !is {
		return fmt.Errorf("read %s: %w", r.file.schema.File, err)
	}
	problem := at.Err.Error()
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		return r.file.problem(at.Line, 0, fmt.Sprintf("the row has %d fields, the header %d; leave a field empty where there is no value, and put one with a comma in quotes",
			fields, r.csv.FieldsPerRecord))
	case errors.Is(err, csv.ErrBareQuote):
		problem = `a quote within a field; put the whole field in quotes and double those in it: "7"" pipe"`
	case errors.Is(err, csv.ErrQuote):
		problem = `a quote that neither ends the field nor is doubled, or none at its end; double quotes within a field: "7"" pipe"`
	}
	return r.file.problem(at.Line, r.input.column(at.Line, at.Column), problem)
}
