package predict

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"greenlight/check/shown"
)

// AnswerError is an answer that is no prediction: an error status, a body that
// is not what the protocol says, a NaN, too few rows.
type AnswerError struct {
	Endpoint string
	Status   int    // 0 when it never came to one
	Problem  string // what, with the beginning of the body
}

func (e *AnswerError) Error() string { return e.Endpoint + ": " + e.Problem }

// TimeoutError is a request without an answer within its own time.
type TimeoutError struct {
	Endpoint string
	Within   time.Duration
}

func (e *TimeoutError) Error() string { return fmt.Sprintf("no answer within %v", e.Within) }

// Bound gives one request to an endpoint its own time; 0 leaves it that of ctx.
func Bound(ctx context.Context, endpoint string, within time.Duration) (context.Context, context.CancelFunc) {
	if within <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, within, &TimeoutError{endpoint, within})
}

// Silence replaces err, which a request ended with, by a *TimeoutError if the
// end of the time that Bound gave it is the reason.
func Silence(ctx context.Context, err error) error {
	if silent, ok := errors.AsType[*TimeoutError](context.Cause(ctx)); ok {
		return silent
	}
	return err
}

// maxShown is how many runes of an answer an error shows.
const maxShown = 200

// Shorten cuts s to what a person reads at once, and makes it printable.
func Shorten(s string) string { return shown.Shorten(s, maxShown) }

// InWords is a reply as evidence shows it: status, redirect, and the beginning
// of the body.
func (r Reply) InWords() string {
	if r.Moved != "" {
		return fmt.Sprintf("status %d, a redirect to %q", r.Status, r.Moved)
	}
	if body := r.Beginning(); body != "" {
		return fmt.Sprintf("status %d: %s", r.Status, body)
	}
	return fmt.Sprintf("status %d", r.Status)
}

// Beginning is as much of the body as evidence shows.
func (r Reply) Beginning() string { return beginning(r.Body) }

func beginning(body []byte) string {
	return Shorten(string(bytes.TrimSpace(body[:min(len(body), 4<<10)])))
}
