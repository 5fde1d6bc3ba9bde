// Package dataset reads rows of labelled data from JSON Lines, CSV and Parquet
// files, one at a time: a file may be larger than memory. Whatever is wrong
// with a file is an error that names file, line and column.
//
// In every format each row has the same columns, names are unique and not
// empty, and text is UTF-8 (a byte order mark is tolerated). What stands for
// which Value is said at openJSONL, openCSV and openParquet.
package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Schema is the columns of a file, in the file's order (JSONL: of first sight
// in the first row). Every row has exactly these.
type Schema struct {
	File    string // base name, for evidence
	Columns []string
}

// Index is the position of a column; -1 if there is none.
func (s *Schema) Index(column string) int { return slices.Index(s.Columns, column) }

// Options bound what is read; the zero value means defaults.
type Options struct {
	MaxLine    int // bytes of a line of JSONL, or of a CSV record; default 1 MiB
	MaxColumns int // default 10,000
}

const (
	defaultMaxLine    = 1 << 20
	defaultMaxColumns = 10_000
	// minMaxLine is what bufio and encoding/csv read ahead at least.
	minMaxLine = 4096
)

// File is an open data set. Reading it twice reads the same bytes, even when
// the file was replaced meanwhile; when it was written to instead, reading
// fails. It may be used by many goroutines, each with a Reader of its own.
type File struct {
	file    *os.File
	opened  os.FileInfo // as it was when it was opened
	options Options
	schema  Schema
	start   func() source
}

// source reads the rows of one format from the first on. At the end the error
// of next is io.EOF.
type source interface {
	next() (Row, error)
	close() error
}

// openFormat reads a file's columns; start begins a reading of its rows.
type openFormat func(f *File) (columns []string, start func() source, err error)

var formats = map[string]openFormat{
	".jsonl": openJSONL, ".ndjson": openJSONL, ".csv": openCSV, ".parquet": openParquet,
}

// Open opens a .jsonl (.ndjson), .csv or .parquet file (which must be a regular file)
// and reads its schema. Errors: *Error, or one of the file system.
func Open(name string, o Options) (*File, error) {
	if o.MaxLine <= 0 {
		o.MaxLine = defaultMaxLine
	}
	o.MaxLine = max(o.MaxLine, minMaxLine)
	if o.MaxColumns <= 0 {
		o.MaxColumns = defaultMaxColumns
	}
	open, known := formats[strings.ToLower(filepath.Ext(name))]
	if !known {
		return nil, &Error{File: filepath.Base(name), Problem: "the format is told by the name, which must end in .jsonl, .ndjson, .csv or .parquet"}
	}
	file, info, err := OpenRegular(name)
	if err != nil {
		return nil, err
	}
	f := &File{file: file, opened: info, options: o, schema: Schema{File: filepath.Base(name)}}
	columns, start, err := open(f)
	if err == nil {
		err = f.checkColumns(columns)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	f.schema.Columns, f.start = columns, start
	return f, nil
}

// checkColumns holds the names against the rules of all formats.
func (f *File) checkColumns(columns []string) error {
	if len(columns) == 0 {
		return f.problem(0, 0, "there are no columns")
	}
	if len(columns) > f.options.MaxColumns {
		return f.problem(0, 0, fmt.Sprintf("there are %d columns; at most %d can be read", len(columns), f.options.MaxColumns))
	}
	seen := make(map[string]bool, len(columns))
	for i, name := range columns {
		switch {
		case name == "":
			return f.problem(0, 0, fmt.Sprintf("column %d has no name; give it one, or leave it out (pandas: to_csv(index=False))", i+1))
		case strings.TrimSpace(name) != name:
			return f.problem(0, 0, fmt.Sprintf("column %q has white space around its name; remove it", shorten(name)))
		case seen[name]:
			return f.problem(0, 0, fmt.Sprintf("two columns are named %q; rename one", shorten(name)))
		}
		seen[name] = true
	}
	return nil
}

// Close closes the file. Readers of it can read no further.
func (f *File) Close() error { return f.file.Close() }

// Schema is the file's columns.
func (f *File) Schema() *Schema { return &f.schema }

// Count reads the whole file, checks every row, and answers how many there
// are. ctx cancels it at once.
func (f *File) Count(ctx context.Context) (int, error) {
	r := f.Rows()
	defer func() { _ = r.Close() }()
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// Rows starts a reading from the first row.
func (f *File) Rows() *Reader { return &Reader{file: f, rows: f.start()} }

// section is the file's bytes from the first on, as many as there were when it
// was opened.
func (f *File) section() *io.SectionReader {
	return io.NewSectionReader(f.file, 0, f.opened.Size())
}

// unchanged fails if somebody wrote to the file since it was opened.
func (f *File) unchanged() error {
	return Unchanged(f.file, f.opened)
}

func (f *File) problem(line, column int, problem string) error {
	return &Error{File: f.schema.File, Line: line, Column: column, Problem: problem}
}
