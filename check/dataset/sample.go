package dataset

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
)

// The seed of Sample: any will do, as long as it is always the same.
const seedHigh, seedLow = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03

// Sample yields an even sample of want rows out of the total rows that next
// yields, in order and the same ones every time (Knuth's algorithm S, The Art
// of Computer Programming 3.4.2, with a fixed seed); all of them if want >=
// total. It reads no further than the last row that it yields.
func Sample(next func() (Row, error), total, want int) func() (Row, error) {
	if want >= total {
		return next
	}
	random := rand.New(rand.NewPCG(seedHigh, seedLow))
	seen, taken := 0, 0
	return func() (Row, error) {
		for taken < want {
			row, err := next()
			if errors.Is(err, io.EOF) {
				return Row{}, fmt.Errorf("sample rows: the data ended after %d of %d rows: %w", seen, total, io.ErrUnexpectedEOF)
			}
			if err != nil {
				return Row{}, err
			}
			// Of the rows that are left, this one too, as many as are still wanted
			// are taken: each with the same chance.
			left := total - seen
			seen++
			if random.IntN(left) < want-taken {
				taken++
				return row, nil
			}
		}
		return Row{}, io.EOF
	}
}
