package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

var lastLine = regexp.MustCompile(`(?m)^demo: [1-9]\d* requests, 0 unexpected failures\n\z`)

// The demo tells its whole story, costs nobody a request, and leaves nothing behind.
func TestDemoTellsItsStory(t *testing.T) {
	if testing.Short() {
		t.Skip("needs real Envoys; run without -short")
	}
	for _, registry := range []string{"file", "consul"} {
		t.Run(registry, func(t *testing.T) {
			tmp := t.TempDir()
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "demo", "--registry", registry)
			cmd.Env = append(os.Environ(), roleVariable+"=greenlight", "TMPDIR="+tmp)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v:\n%s", err, out.String())
			}
			if !lastLine.Match(out.Bytes()) {
				t.Errorf("the last line is not as promised:\n%s", out.String())
			}
			for _, told := range []string{"refused after", "green is live and bakes", "all traffic is back on blue", "rolled back by hand"} {
				if !strings.Contains(out.String(), told) {
					t.Errorf("the story does not tell %q:\n%s", told, out.String())
				}
			}
			left, err := os.ReadDir(tmp)
			must(t, err)
			if len(left) != 0 {
				t.Errorf("the demo left %v behind", left)
			}
		})
	}
}
