package dataset

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"greenlight/check/shown"
)

// Error is what is wrong with a data set. Line and Column count from 1; 0 means
// that there is none to name. Column counts runes (JSONL, CSV). In Parquet, Line
// is the number of the row.
type Error struct {
	File         string
	Line, Column int
	Problem      string // what, and what to do
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Problem)
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

var byteOrderMark = []byte("\uFEFF")

// notText says why bytes are not UTF-8, and what to do.
func notText(line []byte) string {
	if bytes.HasPrefix(line, []byte{0xFF, 0xFE}) || bytes.HasPrefix(line, []byte{0xFE, 0xFF}) {
		return "not UTF-8 but, as it seems, UTF-16; save the file as UTF-8"
	}
	return "not UTF-8; save the file as UTF-8"
}

// invalidAt is the offset of the first byte that is not UTF-8; -1 if all are.
func invalidAt(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// column is the number, from 1, of the rune that stands at an offset.
func column(line []byte, offset int) int {
	return utf8.RuneCount(line[:max(0, min(offset, len(line)))]) + 1
}

// maxShown is how many runes of a name or a value an error shows, maxWhy how
// many of a library's words.
const maxShown, maxWhy = 60, 300

// shorten makes s what an error shows of a name or a value.
func shorten(s string) string { return shown.Shorten(s, maxShown) }

func shortenWhy(s string) string { return shown.Shorten(s, maxWhy) }
