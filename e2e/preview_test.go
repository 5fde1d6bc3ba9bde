package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
)

// A preview for those with the token in a file: others are turned away, the idle color
// answers who has it, a token that is exchanged counts at once, and nothing that
// Greenlight shows or writes has it.
func TestPreviewTokenInAFile(t *testing.T) {
	t.Parallel() // it waits most of its time
	secrets := t.TempDir()
	token := func(text string) {
		must(t, os.WriteFile(filepath.Join(secrets, "next"), []byte(text+"\n"), 0o600))
		must(t, os.Rename(filepath.Join(secrets, "next"), filepath.Join(secrets, "token")))
	}
	token("first-of-all")
	w := newWorld(t, worldOptions{envoys: 1, rate: -1, env: []string{"GREENLIGHT_CHECK_SECRETS=" + secrets}}, map[string]string{
		"route": "{fleets: [edge], hosts: [tumor.models.internal], prefix: /v2/models/tumor, preview: {token: {file: token}}}",
	})
	asks := func(color, token string) (status int, answered string) {
		req, err := http.NewRequestWithContext(w.within(patience), http.MethodPost, w.url(w.envoys[0], inferPath), bytes.NewReader(knownRequest(t)))
		must(t, err)
		req.Host = host
		if color != "" {
			req.Header.Set("x-model-color", color)
		}
		if token != "" {
			req.Header.Set("x-greenlight-preview-token", token)
		}
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, resp.Header.Get("x-greenlight-color")
	}
	for _, c := range []struct {
		color, token string
		status       int
		answered     string
	}{
		{"", "", 200, "blue"}, {"idle", "", 403, ""}, {"idle", "another", 403, ""}, {"idle", "first-of-all", 200, "green"}, {"live", "first-of-all", 200, "blue"},
	} {
		if status, answered := asks(c.color, c.token); status != c.status || answered != c.answered {
			t.Errorf("%q with %q: %d by %q, want %d by %q", c.color, c.token, status, answered, c.status, c.answered)
		}
	}
	token("second-one")
	must(t, lab.Await(w.within(patience), w.server.Proc, "the new token", func() bool {
		status, _ := asks("idle", "second-one")
		return status == http.StatusOK
	}))
	if status, _ := asks("idle", "first-of-all"); status != http.StatusForbidden {
		t.Errorf("the old token is answered %d", status)
	}

	id := w.start()
	w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	shown, err := protojson.Marshal(w.status())
	must(t, err)
	resp, err := http.Get(fmt.Sprintf("http://%s/metrics", w.server.HTTP))
	must(t, err)
	metrics, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	must(t, err)
	texts := map[string]string{"status": string(shown), "metrics": string(metrics), "log": w.server.Proc.Tail()}
	must(t, filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(path, "journal") {
			data, err := os.ReadFile(path)
			must(t, err)
			texts[path] = string(data)
		}
		return err
	}))
	if len(texts) < 4 {
		t.Errorf("no journal was looked at: %d", len(texts))
	}
	for where, text := range texts {
		for _, secret := range []string{"first-of-all", "second-one"} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s has the token", where)
			}
		}
	}
}
