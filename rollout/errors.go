package rollout

import "errors"

// RefusedError answers a Command that Step refused: nothing was changed.
type RefusedError struct {
	Code    RefusalCode
	Message string // what, why, and what to do
}

func (e *RefusedError) Error() string { return e.Message }

var (
	// ErrNoModel says that no policy names the model.
	ErrNoModel = errors.New("no such model")
	// ErrKeyReused says that a switch with the Command's idempotency key exists
	// and was started with other arguments.
	ErrKeyReused = errors.New("idempotency key was used for another switch")
)
