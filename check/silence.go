package check

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// silentError says that one request was not answered in its own time, while
// the check still had some.
type silentError struct{ within time.Duration }

func (e silentError) Error() string { return fmt.Sprintf("no answer within %v", e.within) }

// boundRequest gives one request its own time; 0 leaves it that of its check.
func boundRequest(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	if within <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, within, silentError{within})
}

// silence replaces err, which a request ended with, if the end of the time
// that boundRequest gave it is the reason.
func silence(ctx context.Context, err error) error {
	if silent, ok := errors.AsType[silentError](context.Cause(ctx)); ok {
		return silent
	}
	return err
}

func isSilence(err error) bool {
	_, silent := errors.AsType[silentError](err)
	return silent
}
