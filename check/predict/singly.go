package predict

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
)

const (
	// maxSingly is how many rows one Run asks again one by one, at most.
	maxSingly = 4096
	// maxInVain is how many batches in a row bring no answer to a single row
	// before no more are asked again: it is not the rows then.
	maxInVain = 4
)

// singly asks the rows of batches that were answered wrong again, one by one:
// most servers answer a request with all of its rows or with none, so that one
// bad row would count for all that it travels with. It may be used by many
// goroutines; the zero value is ready.
type singly struct {
	rows   atomic.Int64 // asked, or about to be
	inVain atomic.Int64 // batches in a row without one answer
}

// ask answers nil where what was said of the batch stands: if it was answered
// right or not at all, if the server was too busy, if enough rows have been asked
// again, and if now every row is answered. Then it was none of the rows; users
// meet such failures, too, and asking until the answer pleases would hide them.
func (s *singly) ask(ctx context.Context, b *pending) []Batch {
	wrong, ok := errors.AsType[*AnswerError](b.Err)
	switch {
	case !ok || len(b.Rows) < 2 || wrong.Status == http.StatusTooManyRequests || wrong.Status == http.StatusServiceUnavailable:
		return nil
	case s.inVain.Load() >= maxInVain || s.rows.Add(int64(len(b.Rows))) > maxSingly:
		return nil
	}
	parts, right := make([]Batch, 0, len(b.Rows)), 0
	for k := range b.Rows {
		part := Batch{First: b.First + k, Rows: b.Rows[k : k+1], Endpoint: b.Endpoint}
		part.Predictions, part.Err = b.client.Predict(ctx, part.Rows)
		if part.Err == nil {
			right++
		} else if _, answered := errors.AsType[*AnswerError](part.Err); !answered {
			// Each further silence could cost the time of a request.
			part.Rows = b.Rows[k:]
			return append(parts, part)
		}
		parts = append(parts, part)
	}
	if right > 0 {
		s.inVain.Store(0)
	} else {
		s.inVain.Add(1)
	}
	if right == len(parts) {
		return nil
	}
	return parts
}
