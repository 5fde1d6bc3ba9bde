package dataset

import "errors"

// Reader is one reading of a file. It is not safe for concurrent use.
type Reader struct {
	file   *File
	rows   source
	given  int   // rows
	ended  error // what Next answers from now on
	closed bool
}

// lookEvery is how many rows are read between two looks at whether the file changed.
const lookEvery = 256

var errClosed = errors.New("read data: the reader is closed")

// Next is the next row; at the end its error is io.EOF. Other errors: *Error,
// or one of reading. After an error it answers the same one again.
func (r *Reader) Next() (Row, error) {
	if r.ended != nil {
		return Row{}, r.ended
	}
	row, err := r.rows.next()
	if err != nil || r.given%lookEvery == 0 {
		// A file that was written to ends, or breaks, where nobody expects it:
		// that it changed explains more than what was found there.
		if changed := r.file.unchanged(); changed != nil {
			err = changed
		}
	}
	if err != nil {
		r.ended = err
		return Row{}, err
	}
	r.given++
	return row, nil
}

// Close ends the reading.
func (r *Reader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.ended == nil {
		r.ended = errClosed
	}
	return r.rows.close()
}
