package dataset

import (
	"errors"
	"math"
	"strconv"
	"strings"
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

// Value is one cell. Only the field of its Kind means something (Bool: Int is 0
// or 1; Float: Str may say how it was written).
type Value struct {
	Kind  Kind
	Int   int64
	Float float64 // finite
	// Str is the text of a String. Of a Float it is the text in the file where
	// that is not what Text would make of the number ("1.10" in a CSV file).
	Str  string
	List []Value
}

// Row is one row. It may be kept: its memory is its own.
type Row struct {
	Line   int     // of the file, where the row begins; Parquet: number of the row; from 1
	Values []Value // one per column of the schema
}

// Number is the value as float64; false if it is not a number (a bool is 0 or 1).
func (v Value) Number() (float64, bool) {
	switch v.Kind {
	case Bool, Int:
		return float64(v.Int), true
	case Float:
		return v.Float, true
	}
	return 0, false
}

// Text is the value as a label: integers and whole floats without a point ("1"),
// bools "true" and "false", strings as they are; false for null and lists.
// Other floats are as the file writes them, where that can be known, else as
// short as they can be: never with an exponent between 1e-6 and 1e21.
func (v Value) Text() (string, bool) {
	switch v.Kind {
	case Bool:
		return strconv.FormatBool(v.Int != 0), true
	case Int:
		return strconv.FormatInt(v.Int, 10), true
	case Float:
		if v.Str != "" {
			return v.Str, true
		}
		return formatFloat(v.Float), true
	case String:
		return v.Str, true
	}
	return "", false
}

// formatFloat is the shortest text that reads back as f, as JavaScript writes it.
func formatFloat(f float64) string {
	if f == 0 {
		return "0" // and not "-0", which nobody means by a label
	}
	if size := math.Abs(f); size < 1e-6 || size >= 1e21 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// parseNumber reads text in JSON's grammar of numbers: what fits int64 and is
// written without point and exponent is an Int, the rest a Float. It is false
// for what no float64 can hold.
func parseNumber(text string) (Value, bool) {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return Value{Kind: Int, Int: n}, true
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return Value{}, false
	}
	return Value{Kind: Float, Float: f}, true
}

// writtenFloat is the Float that text stands for, which is in JSON's grammar.
// It keeps the text where Text would give another one; a whole number only
// loses its point.
func writtenFloat(text string) (Value, error) {
	v, ok := parseNumber(text)
	if !ok {
		return Value{}, errors.New("a number beyond the range of a 64-bit float")
	}
	if v.Kind == Int {
		v = Value{Kind: Float, Float: float64(v.Int)}
	}
	if written := formatFloat(v.Float); written != text && strings.ContainsAny(written, ".e") {
		v.Str = text
	}
	return v, nil
}
