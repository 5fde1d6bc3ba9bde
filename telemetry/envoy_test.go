package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"greenlight/examples/lab"
	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/telemetry"
	"greenlight/xds"
)

const patience = 30 * time.Second

// stand is a real Envoy that takes everything from an xDS server and reports to a
// telemetry server, and a model behind it.
type stand struct {
	t       *testing.T
	xds     *xds.Server
	heard   *telemetry.Server
	envoy   *lab.Envoy
	port    int
	policy  *policy.Model
	routing rollout.Routing

	mu      sync.Mutex
	windows []rollout.Window
}

func newStand(t *testing.T, tune func(*policy.Telemetry)) *stand {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real Envoy; run without -short")
	}
	bin, err := lab.FindEnvoy()
	if err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	must(t, err)
	s := &stand{t: t}
	s.xds, err = xds.New(xds.Options{})
	must(t, err)
	s.heard = telemetry.New(telemetry.Options{Changed: s.take})
	s.heard.SetModels([]string{"fraud"})
	server := grpc.NewServer(xds.ServerOptions()...)
	s.xds.Register(server)
	s.heard.Register(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() { _ = s.xds.Run(ctx) }()
	go func() { _ = s.heard.Run(ctx) }()

	ports, err := lab.FreePorts(1)
	must(t, err)
	s.port = ports[0]
	fleet := &policy.Fleet{
		Name: "edge", Routes: "edge",
		Listener:  &policy.Listener{Name: "greenlight", Address: "127.0.0.1", Port: s.port},
		Telemetry: &policy.Telemetry{Sample: policy.Full, Every: 200 * time.Millisecond},
	}
	if tune != nil {
		tune(fleet.Telemetry)
	}
	s.policy = &policy.Model{Name: "fraud", Route: policy.Route{
		Fleets: []string{"edge"}, Hosts: []string{"fraud"}, Prefix: "/", Preview: "x-model-color",
		Protocol: policy.HTTP1, Timeout: time.Second, ConnectTimeout: time.Second,
		Limits:  policy.Limits{Connections: 100, Pending: 100, Requests: 100, Retries: 3},
		Outlier: policy.Outlier{Off: true},
	}}
	s.xds.SetFleets(map[string]*policy.Fleet{"edge": fleet})
	s.xds.Endpoints("fraud", []rollout.Endpoint{s.instance("blue")}, []rollout.Endpoint{s.instance("green")})
	s.route(rollout.Routing{Live: policy.Blue, Weights: rollout.Split(policy.Green, 5000)})
	s.xds.Open()
	s.envoy, err = lab.StartEnvoy(s.within(), lab.EnvoyOptions{Bin: bin, Dir: t.TempDir(), Node: "e1", Fleet: "edge", XDS: l.Addr().String()})
	must(t, err)
	t.Cleanup(s.envoy.Stop)
	must(t, s.envoy.AwaitServing(s.within(), s.url("/ready"), "fraud"))
	s.awaitUsers(1, 1)
	return s
}

// instance answers as the path asks.
func (s *stand) instance(color string) rollout.Endpoint {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case strings.HasPrefix(r.URL.Path, "/status/"):
			code, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/status/"))
			w.WriteHeader(code)
		case r.URL.Path == "/hang":
			<-r.Context().Done()
		case r.URL.Path == "/slow":
			time.Sleep(150 * time.Millisecond) // what is measured
		case strings.HasPrefix(r.URL.Path, "/grpc/"):
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("grpc-status", strings.TrimPrefix(r.URL.Path, "/grpc/"))
		}
		fmt.Fprint(w, color)
	}))
	s.t.Cleanup(server.Close)
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	must(s.t, err)
	n, err := strconv.Atoi(port)
	must(s.t, err)
	return rollout.Endpoint{ID: color, Address: host, Port: n, Weight: 1}
}

func (s *stand) route(r rollout.Routing) {
	s.routing.Generation++
	r.Generation, r.Policy = s.routing.Generation, s.policy
	s.routing = r
	s.xds.Route(r)
}

// awaitAck waits until the Envoy runs the last routing.
func (s *stand) awaitAck() {
	s.t.Helper()
	s.await("the ACK", func() bool {
		r := s.xds.Report("fraud")
		return r.Generation == s.routing.Generation && r.Connected == 1 && r.Acked == 1
	})
}

func (s *stand) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path) }

func (s *stand) within() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	return ctx
}

func (s *stand) take(model string) {
	windows := s.heard.Take(model)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.windows = append(s.windows, windows...)
}

// forget drops what was heard so far; then only what comes counts.
func (s *stand) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.windows = nil
}

// sum adds up what was heard, by what of adds.
func (s *stand) sum(of func(rollout.Window) rollout.ByColor[rollout.Tally]) rollout.ByColor[rollout.Tally] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out rollout.ByColor[rollout.Tally]
	for _, w := range s.windows {
		got := of(w)
		for _, c := range policy.Colors {
			add(out.At(c), got.Of(c))
		}
	}
	return out
}

func add(to *rollout.Tally, t rollout.Tally) {
	to.Requests += t.Requests
	to.Scaled += t.Scaled
	to.Errors += t.Errors
	to.Rejected += t.Rejected
	to.Gone += t.Gone
	for i := range to.Classes {
		to.Classes[i] += t.Classes[i]
	}
	for f, n := range t.Flags {
		if to.Flags == nil {
			to.Flags = map[string]int{}
		}
		to.Flags[f] += n
	}
	if t.Latency.Count() > 0 && t.Latency.Quantile(1) > to.Scaled*0 { // keep the last sketch that has something
		to.Latency = t.Latency
	}
}

func users(w rollout.Window) rollout.ByColor[rollout.Tally] {
	var out rollout.ByColor[rollout.Tally]
	for _, r := range w.Users {
		add(&out.Blue, r.Colors.Blue)
		add(&out.Green, r.Colors.Green)
	}
	return out
}

func (s *stand) awaitUsers(blueAndGreen, _ int) rollout.ByColor[rollout.Tally] {
	s.t.Helper()
	var got rollout.ByColor[rollout.Tally]
	s.await(fmt.Sprintf("%d users", blueAndGreen), func() bool {
		got = s.sum(users)
		return got.Blue.Requests+got.Green.Requests >= blueAndGreen
	})
	return got
}

func (s *stand) await(what string, ok func() bool) {
	s.t.Helper()
	must(s.t, lab.Await(s.within(), s.envoyProc(), what, ok))
}

func (s *stand) envoyProc() *lab.Proc {
	if s.envoy == nil {
		return nil
	}
	return s.envoy.Proc
}

// ask sends n requests one after the other and counts the answers by color.
func (s *stand) ask(n int, path string, header ...string) map[string]int {
	s.t.Helper()
	got := map[string]int{}
	for range n {
		req, err := http.NewRequest(http.MethodPost, s.url(path), strings.NewReader("{}"))
		must(s.t, err)
		req.Host = "fraud"
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		must(s.t, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		got[resp.Header.Get("x-greenlight-color")]++
	}
	return got
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What users met is counted to the last request, by color, class and weights.
func TestEnvoyReportsUsersRequests(t *testing.T) {
	s := newStand(t, nil)
	s.forget()
	seen := s.ask(200, "/infer")
	got := s.awaitUsers(200, 0)
	if got.Blue.Requests != seen["blue"] || got.Green.Requests != seen["green"] || got.Blue.Classes[2] != seen["blue"] {
		t.Errorf("reported %+v, users saw %v", got, seen)
	}
	s.mu.Lock()
	for _, w := range s.windows {
		for _, r := range w.Users {
			if r.Weights != rollout.Split(policy.Green, 5000) {
				t.Errorf("weights %+v", r.Weights)
			}
		}
		for _, n := range w.Nodes {
			if n.Fleet != "edge" || n.Node != "e1" {
				t.Errorf("node %+v", n)
			}
		}
	}
	s.mu.Unlock()
	s.forget()
	s.ask(20, "/status/500")
	s.ask(20, "/status/422")
	s.ask(20, "/grpc/13")
	s.ask(20, "/grpc/5")
	s.ask(1, "/hang")
	got = s.awaitUsers(81, 0)
	all := got.Blue
	add(&all, got.Green)
	if all.Errors != 41 || all.Rejected != 40 || all.Flags["UT"] != 1 {
		t.Errorf("errors %d, rejected %d, flags %v", all.Errors, all.Rejected, all.Flags)
	}
	s.forget()
	s.ask(10, "/infer", "x-model-color", "green")
	s.await("previews", func() bool {
		return s.sum(func(w rollout.Window) rollout.ByColor[rollout.Tally] { return w.Preview }).Green.Requests == 10
	})
	if got := s.sum(users); got.Blue.Requests+got.Green.Requests != 0 {
		t.Errorf("previews were counted as users: %+v", got)
	}
	s.route(rollout.Routing{Live: policy.Blue, Weights: rollout.AllOn(policy.Blue)})
	s.awaitAck()
	s.ask(10, "/infer")
	s.await("the new weights", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		for _, w := range s.windows {
			for _, r := range w.Users {
				if r.Weights == rollout.AllOn(policy.Blue) {
					n += r.Colors.Blue.Requests
				}
			}
		}
		return n == 10
	})
}
