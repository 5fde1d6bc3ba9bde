package demo_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"greenlight/cmd/greenlight/cli"
	"greenlight/cmd/greenlight/demo"
)

// A word that --registry does not know is wrong usage, and leaves no folder behind.
func TestAnUnknownRegistryStartsNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var stdout, stderr bytes.Buffer
	code := cli.Execute(t.Context(), []string{"demo", "--registry", "etcd"}, nil, &stdout, &stderr, demo.Command())
	if code != cli.CodeUsage || stdout.Len() > 0 || !strings.Contains(stderr.String(), "must be file, consul or auto") {
		t.Errorf("code %d, said %q and %q", code, stdout.String(), stderr.String())
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
}
