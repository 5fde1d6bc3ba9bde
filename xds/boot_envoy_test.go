package xds

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"greenlight/examples/lab"
	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
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

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// envoy runs an Envoy of fleet edge until the test ends.
func (r *rig) envoy(t *testing.T, id string, delta bool) {
	t.Helper()
	path := envoyPath(t)
	boot, err := resource.Bootstrap(resource.Options{
		Server: r.addr, Node: id, Fleet: "edge", Delta: delta,
		Admin: net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t))),
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bootstrap.json")
	if err := os.WriteFile(file, boot, 0o600); err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	cmd := exec.Command(path, "--concurrency", "1", "--log-level", "warning", "--use-dynamic-base-id", "-c", file)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
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

// backend is a model server that says its name.
func backend(t *testing.T, name string) rollout.Endpoint {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, name) }))
	t.Cleanup(s.Close)
	return endpointAt(t, name, s.Listener.Addr())
}

func endpointAt(t *testing.T, name string, addr net.Addr) rollout.Endpoint {
	t.Helper()
	a := addr.(*net.TCPAddr)
	return rollout.Endpoint{ID: name, Address: a.IP.String(), Port: a.Port, Weight: 1}
}

// inbound gives fleet edge a listener and returns its URL.
func (r *rig) inbound(t *testing.T) string {
	t.Helper()
	port := freePort(t)
	r.SetFleets(map[string]*policy.Fleet{"edge": {
		Name: "edge", Routes: "edge", Listener: &policy.Listener{Name: "greenlight", Address: "127.0.0.1", Port: port},
	}})
	return "http://127.0.0.1:" + strconv.Itoa(port)
}

// get asks for the model of fraudHost; preview may name a color.
func get(t *testing.T, url, preview string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = fraudHost
	if preview != "" {
		req.Header.Set("x-model-color", preview)
	}
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return strconv.Itoa(resp.StatusCode) + " " + string(b)
}

// eventually asks until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s never came", what)
}
