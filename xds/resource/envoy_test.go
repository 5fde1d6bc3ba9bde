package resource_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"greenlight/examples/lab"
)

// envoyPath finds an Envoy to test with. Without one the test is skipped, but
// never under CI.
func envoyPath(t *testing.T) string {
	t.Helper()
	path, err := lab.FindEnvoy()
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return ""
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// validate has Envoy judge a bootstrap, which is JSON or YAML as its name says.
func validate(t *testing.T, name string, bootstrap []byte) {
	t.Helper()
	path := write(t, name, bootstrap)
	out, err := exec.Command(envoyPath(t), "--mode", "validate", "--log-level", "warning", "-c", path).CombinedOutput()
	if err != nil {
		t.Fatalf("envoy --mode validate: %v\n%s", err, out)
	}
	if s := string(out); strings.Contains(s, "deprecated") || strings.Contains(s, "unknown field") {
		t.Errorf("Envoy is not content:\n%s", s)
	}
}

// startEnvoy runs an Envoy until the test ends.
func startEnvoy(t *testing.T, bootstrap []byte, args ...string) {
	t.Helper()
	var log bytes.Buffer
	args = append(args, "--concurrency", "1", "--log-level", "warning",
		"--base-id", strconv.Itoa(10000+rand.IntN(1<<20)), "-c", write(t, "bootstrap.json", bootstrap))
	cmd := exec.Command(envoyPath(t), args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("envoy:\n%s", log.String())
		}
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	ports, err := lab.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return ports[0]
}

type answer struct {
	status int
	body   string
	header http.Header
}

// eventually asks until ok holds, for at most 20 s.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s did not come in 20 s", what)
}

// get sends one request to url with the given host and header pairs.
func get(t *testing.T, url, host string, header ...string) (answer, error) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, string(b), resp.Header}, err
}
