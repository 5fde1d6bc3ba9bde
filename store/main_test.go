package store_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain also serves as the program that the crash test kills.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		os.Exit(commitUntilKilled(path))
	}
	goleak.VerifyTestMain(m)
}
