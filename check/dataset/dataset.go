// Package dataset reads rows of labelled data from JSON Lines, CSV and Parquet
// files, one at a time: a file may be larger than memory. Whatever is wrong
// with a file is an error that names file, line and column.
package dataset

import (
	"context"
	"io"
)

// Kind is the type of a value.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List // of values, lists included
)

// Value is one cell. Only the field of its Kind means something (Bool: Int is 0 or 1).
type Value struct {
	Kind  Kind
	Int   int64
	Float float64 // finite
	Str   string
	List  []Value
}

// Row is one row. It may be kept: its memory is its own.
type Row struct {
	Line   int     // of the file; Parquet: number of the row; from 1
	Values []Value // one per column of the schema
}

// Schema is the columns of a file, in the file's order (JSONL: of first sight
// in the first row). Every row has exactly these.
type Schema struct {
	File    string // base name, for evidence
	Columns []string
}

// Index is the position of a column; -1 if there is none.
func (s *Schema) Index(column string) int { panic("todo") }

// Number is the value as float64; false if it is not a number (a bool is 0 or 1).
func (v Value) Number() (float64, bool) { panic("todo") }

// Text is the value as a label: integers and whole floats without a point ("1"),
// bools "true" and "false", strings as they are; false for null and lists.
func (v Value) Text() (string, bool) { panic("todo") }

// Options bound what is read; the zero value means defaults.
type Options struct {
	MaxLine    int // bytes of a line of JSONL, or of a CSV record; default 1 MiB
	MaxColumns int // default 10,000
}

// File is an open data set. Reading it twice reads the same bytes, even when
// the file was replaced meanwhile.
type File struct{}

// Open opens a .jsonl (.ndjson), .csv or .parquet file (which must be a regular file)
// and reads its schema. Errors: *Error, or one of the file system.
func Open(name string, o Options) (*File, error) { panic("todo") }

// Close closes the file.
func (f *File) Close() error { panic("todo") }

// Schema is the file's columns.
func (f *File) Schema() *Schema { panic("todo") }

// Count reads the whole file, checks every row, and answers how many there
// are. ctx cancels it at once.
func (f *File) Count(ctx context.Context) (int, error) { panic("todo") }

// Rows starts a reading from the first row.
func (f *File) Rows() *Reader { panic("todo") }

// Reader is one reading of a file. It is not safe for concurrent use.
type Reader struct{}

// Next is the next row; at the end its error is io.EOF. Other errors: *Error, or one of reading.
func (r *Reader) Next() (Row, error) { return Row{}, io.EOF }

// Close ends the reading.
func (r *Reader) Close() error { return nil }

// Error is what is wrong with a data set. Line and Column count from 1; 0 means
// that there is none to name. Column counts runes (JSONL, CSV).
type Error struct {
	File         string
	Line, Column int
	Problem      string // what, and what to do
}

func (e *Error) Error() string { panic("todo") }

// Sample yields an even sample of want rows out of the total rows that next
// yields, in order and the same ones every time (Knuth's algorithm S with a
// fixed seed); all of them if want >= total.
func Sample(next func() (Row, error), total, want int) func() (Row, error) { panic("todo") }
