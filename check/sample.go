package check

import (
	"context"
	"errors"
	"fmt"
	"io"

	"greenlight/check/dataset"
)

// sample is the rows of a data set that a check uses: of a long file an even
// selection, the same rows in the same order in every reading.
type sample struct {
	file  *dataset.File
	total int // rows of the file
	rows  int // of those, the ones that are used
}

// openSample opens a data set and reads it to the end, so that whatever is
// wrong with it is known before the first request is sent.
func openSample(ctx context.Context, name string, want int) (*sample, error) {
	file, err := dataset.Open(name, dataset.Options{})
	if err != nil {
		return nil, err
	}
	total, err := file.Count(ctx)
	if err == nil && total == 0 {
		err = &dataset.Error{File: file.Schema().File, Problem: "there are no rows"}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &sample{file: file, total: total, rows: min(total, want)}, nil
}

func (s *sample) close() { _ = s.file.Close() }

// read starts a reading of the sample; stop ends it.
func (s *sample) read() (next func() (dataset.Row, error), stop func()) {
	r := s.file.Rows()
	return dataset.Sample(r.Next, s.total, s.rows), func() { _ = r.Close() }
}

// each calls f with every row of the sample and its place in it, until f fails.
func (s *sample) each(ctx context.Context, f func(i int, row dataset.Row) error) error {
	next, stop := s.read()
	defer stop()
	for i := 0; ; i++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		row, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = f(i, row)
		}
		if err != nil {
			return err
		}
	}
}

// column is the place of a column, of which role says in the policy's words
// what it is for.
func (s *sample) column(role, name string) (int, error) {
	at := s.file.Schema().Index(name)
	if at < 0 {
		return 0, s.problem(0, fmt.Sprintf("there is no column %q, which the policy names as %s; there are %s",
			name, role, list(s.file.Schema().Columns, 20)))
	}
	return at, nil
}

// problem is what is wrong with the data at a line; 0 means with all of it.
func (s *sample) problem(line int, problem string) error {
	return &dataset.Error{File: s.file.Schema().File, Line: line, Problem: problem}
}

// where names a row: "holdout.csv:17".
func (s *sample) where(line int) string { return fmt.Sprintf("%s:%d", s.file.Schema().File, line) }

// note says of what part of a longer file a check speaks; empty if of all.
func (s *sample) note() string {
	if s.rows == s.total {
		return ""
	}
	return fmt.Sprintf("an even sample of %s of the %s rows of %s, the same ones every time",
		thousands(s.rows), thousands(s.total), s.file.Schema().File)
}

// list writes at most n words with commas between them.
func list(words []string, n int) string {
	out := ""
	for i, w := range words {
		if i == n {
			return out + fmt.Sprintf(" and %d more", len(words)-n)
		}
		if i > 0 {
			out += ", "
		}
		out += shorten(w)
	}
	return out
}

// thousands writes n as people read it: 100,000.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
