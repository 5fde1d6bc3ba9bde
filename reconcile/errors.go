package reconcile

import "errors"

// Errors that Do and Check can wrap, besides those of rollout.
var (
	// ErrJournal says that the journal can't be written: nothing was done.
	ErrJournal = errors.New("the journal can't be written")
	// ErrStopped says that the process is shutting down.
	ErrStopped = errors.New("greenlight is shutting down")
)
