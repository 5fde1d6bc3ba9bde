package check_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

// serve starts a server that ends with the test and returns it as an endpoint.
func serve(t *testing.T, id string, h http.HandlerFunc) rollout.Endpoint {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return endpointAt(t, id, s.Listener.Addr().String())
}

func endpointAt(t *testing.T, id, address string) rollout.Endpoint {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return rollout.Endpoint{ID: id, Address: host, Port: n, Weight: 1}
}

// closedPort is an endpoint where nothing listens.
func closedPort(t *testing.T, id string) rollout.Endpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return endpointAt(t, id, l.Addr().String())
}

// hang reads the request and waits until the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func respond(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func goldenFile(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "m.golden.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func golden(protocol policy.PredictProtocol, file string) policy.Check {
	return policy.Check{Name: "golden", Timeout: 30 * time.Second, Golden: &policy.GoldenCheck{
		File: file, Protocol: protocol, Path: "/infer", Tolerance: 1e-6,
	}}
}

func ready(path string) policy.Check {
	return policy.Check{Name: "ready", Timeout: 30 * time.Second, Ready: &policy.ReadyCheck{Path: path}}
}

func job(checks []policy.Check, green ...rollout.Endpoint) rollout.CheckJob {
	return rollout.CheckJob{
		Model: "m", Checks: checks, Target: policy.Green, Live: policy.Blue,
		Endpoints: rollout.EndpointSet{Green: green},
		Predict: policy.Predict{Load: policy.Load{
			Idle: policy.Cap{Concurrency: 16}, Live: policy.Cap{Concurrency: 4, PerSecond: 100},
		}},
	}
}

// runOne runs one check against green.
func runOne(t *testing.T, o check.Options, c policy.Check, green ...rollout.Endpoint) rollout.Verdict {
	t.Helper()
	verdicts := check.New(o).Run(context.Background(), job([]policy.Check{c}, green...))
	if len(verdicts) != 1 {
		t.Fatalf("%d verdicts for one check", len(verdicts))
	}
	v := verdicts[0]
	if v.Check != c.Name || v.Kind != c.Kind() || v.At.IsZero() || v.Summary == "" || strings.HasPrefix(v.Summary, c.Name+":") {
		t.Errorf("verdict is badly framed: %+v", v)
	}
	if v.Result == rollout.Pass && len(v.Evidence) > 0 || len(v.Evidence) > 10 {
		t.Errorf("a %s with %d pieces of evidence", v.Result, len(v.Evidence))
	}
	return v
}

func wantVerdict(t *testing.T, v rollout.Verdict, result rollout.Result, inSummary ...string) {
	t.Helper()
	if v.Result != result {
		t.Errorf("result = %s, want %s: %s", v.Result, result, v.Summary)
	}
	for _, s := range inSummary {
		if !strings.Contains(v.Summary, s) {
			t.Errorf("summary %q does not say %q", v.Summary, s)
		}
	}
}

func wantFigures(t *testing.T, v rollout.Verdict, want map[string]float64) {
	t.Helper()
	for name, f := range want {
		if got, ok := v.Figures[name]; !ok || got != f {
			t.Errorf("figure %s = %v, want %v (%s)", name, got, f, v.Summary)
		}
	}
}
