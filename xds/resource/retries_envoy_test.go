package resource_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// refusing counts the tries of requests, all of which it answers 503.
func refusing(t *testing.T, tries *atomic.Int64) rollout.Endpoint {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(s.Close)
	host, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return rollout.Endpoint{ID: s.URL, Address: host, Port: n, Weight: 1}
}

// TestEnvoyRetriesAsThePolicySays counts the tries of requests to models that share a
// host and differ in their retries, by every route that leads to them.
func TestEnvoyRetriesAsThePolicySays(t *testing.T) {
	envoyPath(t)
	attempts := map[string]int{"usual": 2, "alike": 2, "often": 4, "never": 0}
	var tries atomic.Int64
	at := refusing(t, &tries)
	var models []resource.Model
	eps := map[string][]rollout.Endpoint{}
	for name, n := range attempts {
		m := blueLive(variant(name, func(r *policy.Route) {
			r.Hosts, r.Prefix = []string{"*"}, "/"+name
			r.Outlier.Off = true
			r.Retries = policy.Retries{Attempts: n, On: []string{"5xx"}}
			if name == "alike" {
				r.Sticky = policy.Sticky{Header: "x-user"}
			}
		}))
		m.Weights = rollout.Split(policy.Green, policy.Full/2)
		models = append(models, m)
		for _, c := range policy.Colors {
			eps[resource.ClusterName(name, c)] = []rollout.Endpoint{at}
		}
	}
	fleet := edge(freePort(t))
	stub, addr := startADS(t, fleetResources(fleet, models, eps)...)
	boot, err := resource.Bootstrap(resource.Options{
		Server: addr, Node: "envoy-1", Fleet: "edge", Admin: net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t))),
	})
	if err != nil {
		t.Fatal(err)
	}
	startEnvoy(t, boot)
	base := "http://127.0.0.1:" + strconv.Itoa(fleet.Listener.Port)
	for name, n := range attempts {
		eventually(t, "an answer of "+name, func() bool {
			before := tries.Load()
			a, err := get(t, base+"/"+name, "any")
			return err == nil && a.status == http.StatusServiceUnavailable && tries.Load() > before
		})
		for _, header := range [][]string{nil, {"x-model-color", "blue"}, {"x-model-color", "idle"}, {"x-user", "7"}} {
			before := tries.Load()
			if a, err := get(t, base+"/"+name, "any", header...); err != nil || a.status != http.StatusServiceUnavailable {
				t.Fatalf("%s: %v, %v", name, a, err)
			}
			if got := tries.Load() - before; got != int64(n)+1 {
				t.Errorf("%s with %v was tried %d times, want %d", name, header, got, n+1)
			}
		}
	}
	if p := stub.problems(); len(p) > 0 {
		t.Errorf("Envoy rejected: %v", p)
	}
}

// refusingGRPC is refusing for gRPC.
type refusingGRPC struct {
	healthpb.UnimplementedHealthServer
	tries *atomic.Int64
}

func (s refusingGRPC) Check(context.Context, *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	s.tries.Add(1)
	return nil, status.Error(codes.Unavailable, "not now")
}

// TestGRPCRetriesAsThePolicySays counts the tries of calls of grpc-go's own xDS client.
func TestGRPCRetriesAsThePolicySays(t *testing.T) {
	for name, retries := range map[string]policy.Retries{
		"never":       {On: []string{"unavailable"}},
		"twice":       {Attempts: 2, On: []string{"unavailable"}},
		"not on this": {Attempts: 2, On: []string{"cancelled"}},
		"not its own": {Attempts: 2, On: []string{"connect-failure"}},
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int64
			lis, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			g := grpc.NewServer()
			healthpb.RegisterHealthServer(g, refusingGRPC{tries: &tries})
			go func() { _ = g.Serve(lis) }()
			t.Cleanup(g.Stop)
			at := []rollout.Endpoint{{ID: name, Address: "127.0.0.1", Port: lis.Addr().(*net.TCPAddr).Port, Weight: 1}}
			m := blueLive(variant("fraud", func(r *policy.Route) { r.Protocol, r.Outlier.Off, r.Retries = policy.GRPC, true, retries }))
			stub, addr := startADS(t, proxylessResources(m, map[policy.Color][]rollout.Endpoint{policy.Blue: at, policy.Green: at})...)
			conn := dialXDS(t, addr, "xds:///fraud")
			want := int64(1)
			if name == "twice" {
				want = 3
			}
			for _, header := range [][]string{nil, {"x-model-color", "idle"}} {
				before := tries.Load()
				if _, err := ask(t, conn, header...); status.Code(err) != codes.Unavailable {
					t.Fatal(err)
				}
				if got := tries.Load() - before; got != want {
					t.Errorf("a call with %v was tried %d times, want %d", header, got, want)
				}
			}
			if p := stub.problems(); len(p) > 0 {
				t.Errorf("grpc-go rejected: %v", p)
			}
		})
	}
}
