package cli

import (
	"bytes"
	"context"
	"testing"
)

// Ctrl-C ends a long run of tests at the next one.
func TestPolicyTestsEndWhenInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var stdout, stderr bytes.Buffer
	code := Execute(ctx, []string{"policy", "test", "../../../examples/scenarios/minimal.yaml"}, nil, &stdout, &stderr)
	if want := "greenlight: interrupted after 0 of 3 tests\n"; code != codeFailed || stdout.Len() > 0 || stderr.String() != want {
		t.Errorf("code %d, said %q and %q, want %q", code, stdout.String(), stderr.String(), want)
	}
}
