package rollout

import (
	"errors"
	"fmt"
	"strings"
)

// RefusedError answers a Command that Step refused: nothing was changed.
type RefusedError struct {
	Code    RefusalCode
	Message string // what, why, and what to do
}

func (e *RefusedError) Error() string { return e.Message }

// UnknownChecksError says that a policy has no checks of these names.
type UnknownChecksError struct {
	Names []string // those that are unknown
	Known []string // those that the policy has
}

func (e *UnknownChecksError) Error() string {
	return fmt.Sprintf("no check is named %s; the policy has %s",
		strings.Join(e.Names, ", "), strings.Join(e.Known, ", "))
}

var (
	// ErrNoModel says that no policy names the model.
	ErrNoModel = errors.New("no such model")
	// ErrKeyReused says that a switch with the Command's idempotency key exists
	// and was started with other arguments.
	ErrKeyReused = errors.New("idempotency key was used for another switch")
	// ErrChecking says that a run of the model's checks without a switch is under way.
	ErrChecking = errors.New("the model's checks are running already")
)
