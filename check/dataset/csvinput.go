package dataset

import (
	"bytes"
	"errors"
	"io"
)

var errTooLong = errors.New("record too long")

// csvInput is what encoding/csv reads from. That has no limit of its own: one
// quote that is not closed would make it read the whole file into memory. So
// this ends a record that has become too long, and keeps the bytes of the
// present one so that an error can count the runes before it.
type csvInput struct {
	from  io.Reader
	limit int64 // bytes of one record

	raw     []byte // the present record's bytes so far, and some that were read ahead
	first   int64  // offset of raw in the input, as encoding/csv counts it
	line    int    // that raw begins with, from 1
	started bool
}

// begin says that the record that begins at offset comes next.
func (c *csvInput) begin(offset int64) {
	before := c.raw[:offset-c.first]
	c.line += bytes.Count(before, []byte("\n"))
	if offset == 0 {
		c.line = 1
	}
	c.raw = append(c.raw[:0], c.raw[len(before):]...)
	c.first = offset
}

func (c *csvInput) Read(p []byte) (int, error) {
	// encoding/csv asks for more when it has used up all that it has.
	if int64(len(c.raw)) > c.limit {
		return 0, errTooLong
	}
	n, err := c.from.Read(p)
	if !c.started && n > 0 {
		c.started = true
		// A read of a file gives at least three bytes if it has them.
		n = copy(p, bytes.TrimPrefix(p[:n], byteOrderMark))
		if n == 0 && err == nil {
			n, err = c.from.Read(p)
		}
	}
	c.raw = append(c.raw, p[:n]...)
	return n, err
}

// column turns a byte column, from 1, of a line into one of runes.
func (c *csvInput) column(line, byteColumn int) int {
	text := c.raw
	for range line - c.line {
		_, rest, found := bytes.Cut(text, []byte("\n"))
		if !found {
			return 0
		}
		text = rest
	}
	return column(text, byteColumn-1)
}
