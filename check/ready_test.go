package check_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

func TestReadyAsksEveryEndpointOfTheTarget(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	handler := func(id string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			seen[id] = true
			if r.Method != http.MethodGet || r.URL.RequestURI() != "/v2/ready?x=1" ||
				r.UserAgent() != "greenlight/check" || r.Header.Get("x-greenlight-check") != "ready" {
				t.Errorf("request %s %s %v", r.Method, r.URL, r.Header)
			}
			w.WriteHeader(http.StatusNoContent)
		}
	}
	v := runOne(t, check.Options{}, ready("/v2/ready?x=1"), serve(t, "a", handler("a")), serve(t, "b", handler("b")))
	wantVerdict(t, v, rollout.Pass, "2 of 2 endpoints are ready")
	wantFigures(t, v, map[string]float64{"endpoints": 2, "ready": 2, "failed": 0})
	if len(seen) != 2 {
		t.Errorf("asked %v", seen)
	}
}

func TestReadyRefuses(t *testing.T) {
	elsewhere := serve(t, "elsewhere", func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		got     string
	}{
		"500":        {respond(500, "boom\x00\x1b[31m"), "status 500: boom"},
		"no body":    {respond(503, ""), "status 503"},
		"404":        {respond(404, "not found"), "status 404: not found"},
		"unmodified": {respond(304, ""), "status 304"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+elsewhere.Address+"/", http.StatusFound)
		}, "status 302, a redirect to"},
		"huge body": {respond(500, strings.Repeat("x", 1<<20)), "status 500: xxxxx"},
		"hang up": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		}, "EOF"},
		"not HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH\r\n\r\n")
			conn.Close()
		}, "malformed HTTP response"},
		"huge header": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, "exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			v := runOne(t, check.Options{}, ready("/"), serve(t, "ok", respond(200, "")), serve(t, "bad", c.handler))
			wantVerdict(t, v, rollout.Fail, "1 of 2 endpoints are not ready", "(bad)")
			wantFigures(t, v, map[string]float64{"endpoints": 2, "ready": 1, "failed": 1})
			e := v.Evidence[0]
			if !strings.Contains(e.Got, c.got) || e.Expected != "status 200–299 from GET /" {
				t.Errorf("evidence %+v, want got %q", e, c.got)
			}
			if len([]rune(e.Got)) > 200 || strings.ContainsAny(e.Got, "\x00\x1b") {
				t.Errorf("evidence is not fit to be shown: %q", e.Got)
			}
		})
	}
}

func TestReadyConnectionRefused(t *testing.T) {
	v := runOne(t, check.Options{}, ready("/"), closedPort(t, "gone"))
	wantVerdict(t, v, rollout.Fail, "1 of 1 endpoints are not ready", "connection refused")
}

func TestReadyReadsNoEndlessBody(t *testing.T) {
	endless := serve(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		for chunk := strings.Repeat("x", 1<<16); ; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	})
	wantVerdict(t, runOne(t, check.Options{}, ready("/"), endless), rollout.Pass)
}

func TestReadyWithoutEndpointsIsInconclusive(t *testing.T) {
	wantVerdict(t, runOne(t, check.Options{}, ready("/")), rollout.Inconclusive, "green has no ready endpoint to ask")
}

func TestReadyTakesNoProxyFromTheEnvironment(t *testing.T) {
	// The address is not of this machine: with a proxy the request would go
	// there, and be answered.
	proxy := serve(t, "proxy", func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	t.Setenv("HTTP_PROXY", "http://"+net.JoinHostPort(proxy.Address, "1"))
	c := ready("/")
	c.Timeout = 100 * time.Millisecond
	far := rollout.Endpoint{ID: "far", Address: "192.0.2.1", Port: 80}
	wantVerdict(t, runOne(t, check.Options{}, c, far), rollout.Fail)
}

func TestReadyAsksALimitedNumberAtATime(t *testing.T) {
	var now, most atomic.Int32
	var endpoints []rollout.Endpoint
	e := serve(t, "a", func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(2 * time.Millisecond)
	})
	for range 30 {
		endpoints = append(endpoints, e)
	}
	wantVerdict(t, runOne(t, check.Options{MaxEndpoints: 3}, ready("/"), endpoints...), rollout.Pass)
	if most.Load() > 3 {
		t.Errorf("%d requests at a time", most.Load())
	}
}

func grpcReady(service string) policy.Check {
	return policy.Check{Name: "ready", Timeout: 10 * time.Second, Ready: &policy.ReadyCheck{GRPC: true, Service: service}}
}

func serveHealth(t *testing.T) (*health.Server, rollout.Endpoint) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, h := grpc.NewServer(), health.NewServer()
	healthv1.RegisterHealthServer(s, h)
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() { s.Stop(); wg.Wait() })
	return h, endpointAt(t, "g", l.Addr().String())
}

func TestReadyOverGRPC(t *testing.T) {
	h, e := serveHealth(t)
	h.SetServingStatus("fraud", healthv1.HealthCheckResponse_SERVING)
	wantVerdict(t, runOne(t, check.Options{}, grpcReady(""), e), rollout.Pass)
	wantVerdict(t, runOne(t, check.Options{}, grpcReady("fraud"), e), rollout.Pass, "1 of 1 endpoints are ready")
	wantVerdict(t, runOne(t, check.Options{}, grpcReady("other"), e), rollout.Fail, "NotFound: unknown service")

	h.SetServingStatus("fraud", healthv1.HealthCheckResponse_NOT_SERVING)
	v := runOne(t, check.Options{}, grpcReady("fraud"), e)
	wantVerdict(t, v, rollout.Fail, `expected SERVING from grpc.health.v1.Health/Check of service "fraud", got NOT_SERVING`)
}

func TestReadyOverGRPCOfWhatIsNotGRPC(t *testing.T) {
	wantVerdict(t, runOne(t, check.Options{}, grpcReady(""), closedPort(t, "gone")), rollout.Fail, "Unavailable", "connection refused")

	noHealth := grpc.NewServer()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = noHealth.Serve(l) })
	t.Cleanup(func() { noHealth.Stop(); wg.Wait() })
	wantVerdict(t, runOne(t, check.Options{}, grpcReady(""), endpointAt(t, "x", l.Addr().String())), rollout.Fail, "Unimplemented")

	c := grpcReady("")
	c.Timeout = 300 * time.Millisecond
	wantVerdict(t, runOne(t, check.Options{}, c, serve(t, "http", respond(200, "hello"))), rollout.Fail)
}
