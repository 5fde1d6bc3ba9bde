package reconcile

import (
	"errors"
	"fmt"

	"greenlight/rollout"
)

// Errors that Do can wrap.
var (
	// ErrNoModel says that no policy names the model.
	ErrNoModel = errors.New("no such model")
	// ErrJournal says that the journal can't be written: nothing was done.
	ErrJournal = errors.New("the journal can't be written")
	// ErrStopped says that the process is shutting down.
	ErrStopped = errors.New("greenlight is shutting down")
)

// RefusedError answers a command that can't be done now. Nothing was changed.
type RefusedError struct {
	Code    rollout.RefusalCode
	Message string // what, why, and what to do
}

func (e *RefusedError) Error() string { return e.Message }

// KeyReusedError answers a Start whose idempotency key has already started a
// different switch.
type KeyReusedError struct {
	Key    string
	Switch *rollout.Switch
}

func (e *KeyReusedError) Error() string {
	return fmt.Sprintf("idempotency key %q has already started switch %s of %s to %s by %s; use a new key for a new switch",
		e.Key, e.Switch.ID, e.Switch.Model, e.Switch.To, e.Switch.Actor)
}
