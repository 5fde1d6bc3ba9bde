package check

import (
	"errors"

	"greenlight/check/predict"
)

// isSilence reports whether one request was not answered in its own time,
// while the check still had some.
func isSilence(err error) bool {
	_, silent := errors.AsType[*predict.TimeoutError](err)
	return silent
}
