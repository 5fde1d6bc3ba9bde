package xds

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/anypb"

	"greenlight/policy"
	"greenlight/rollout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fraud is a policy with the decoder's defaults.
func fraud() *policy.Model { return modelNamed("fraud") }

func modelNamed(name string) *policy.Model {
	return &policy.Model{Name: name, Route: policy.Route{
		Fleets: []string{"edge"}, Hosts: []string{name + ".models.internal"}, Prefix: "/",
		Preview: "x-model-color", Protocol: policy.HTTP1, Timeout: 2 * time.Second,
		Retries:        policy.Retries{Attempts: 2, On: []string{"connect-failure"}},
		Outlier:        policy.Outlier{ConsecutiveErrors: 5, Interval: 5 * time.Second, EjectFor: 15 * time.Second, MaxEjectionPercent: 50},
		Limits:         policy.Limits{Connections: 10240, Pending: 10240, Requests: 10240, Retries: 64},
		ConnectTimeout: time.Second,
	}}
}

func routing(p *policy.Model, generation uint64, w rollout.Weights) rollout.Routing {
	live := policy.Blue
	if w.Green > w.Blue {
		live = policy.Green
	}
	return rollout.Routing{Generation: generation, Policy: p, Live: live, Weights: w}
}

// eps are n endpoints; seed tells one set from another.
func eps(seed, n int) []rollout.Endpoint {
	var out []rollout.Endpoint
	for i := range n {
		out = append(out, rollout.Endpoint{ID: fmt.Sprint(seed, i), Address: fmt.Sprintf("10.0.%d.%d", seed, i+1), Port: 8080, Weight: 1})
	}
	return out
}

var (
	allBlue  = rollout.AllOn(policy.Blue)
	allGreen = rollout.AllOn(policy.Green)
)

// rig is a server on a port of its own.
type rig struct {
	*Server
	t     testing.TB
	addr  string
	mu    sync.Mutex
	calls map[string]int // of Changed
}

func start(t testing.TB, opts Options) *rig {
	t.Helper()
	r := &rig{t: t, calls: map[string]int{}}
	opts.Changed = func(m string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls[m]++
	}
	if opts.Log == nil {
		opts.Log = quiet
	}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = s
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(ServerOptions()...)
	s.Register(g)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = g.Serve(lis) })
	wg.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		g.Stop()
		wg.Wait()
	})
	r.addr = lis.Addr().String()
	return r
}

// open gives the server one model, blue, and opens it.
func (r *rig) open(models ...*policy.Model) {
	for _, p := range models {
		r.Endpoints(p.Name, eps(1, 2), eps(2, 2))
		r.Route(routing(p, 1, allBlue))
	}
	r.Open()
}

func (r *rig) dial() *grpc.ClientConn {
	r.t.Helper()
	c, err := grpc.NewClient(r.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func nodeOf(fleet, id string) *corev3.Node {
	return &corev3.Node{Id: id, Cluster: fleet, UserAgentName: "envoy"}
}

// report waits until the report is as it should be.
func (r *rig) report(model, what string, ok func(rollout.Report) bool) rollout.Report {
	r.t.Helper()
	var last rollout.Report
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if last = r.Report(model); ok(last) {
			return last
		}
	}
	r.t.Fatalf("report of %s never had %s: %+v", model, what, last)
	return last
}

func (r *rig) acked(model string, n int) {
	r.t.Helper()
	r.report(model, fmt.Sprint(n, " acked"), func(rep rollout.Report) bool { return rep.Acked == n && rep.Connected == n })
}

// resourceNames is the names of resources, sorted.
func resourceNames(t testing.TB, anys []*anypb.Any) []string {
	t.Helper()
	var out []string
	for _, a := range anys {
		m, err := a.UnmarshalNew()
		if err != nil {
			t.Fatal(err)
		}
		switch r := m.(type) {
		case *endpointv3.ClusterLoadAssignment:
			out = append(out, r.ClusterName)
		case *clusterv3.Cluster:
			out = append(out, r.Name)
		case *listenerv3.Listener:
			out = append(out, r.Name)
		case *routev3.RouteConfiguration:
			out = append(out, r.Name)
		}
	}
	slices.Sort(out)
	return out
}

// weightsOf reads the users' weights of a model's first host out of a route
// configuration.
func weightsOf(t testing.TB, a *anypb.Any, domain string) rollout.Weights {
	t.Helper()
	rc := &routev3.RouteConfiguration{}
	if err := a.UnmarshalTo(rc); err != nil {
		t.Fatal(err)
	}
	for _, vh := range rc.VirtualHosts {
		if !slices.Contains(vh.Domains, domain) {
			continue
		}
		return usersWeights(vh)
	}
	return rollout.Weights{}
}

func usersWeights(vh *routev3.VirtualHost) rollout.Weights {
	last := vh.Routes[len(vh.Routes)-1].GetRoute()
	var w rollout.Weights
	add := func(name string, n uint32) {
		if name[len(name)-1] == 'e' {
			w.Blue += policy.Weight(n)
		} else {
			w.Green += policy.Weight(n)
		}
	}
	if name := last.GetCluster(); name != "" {
		add(name, uint32(policy.Full))
	}
	for _, c := range last.GetWeightedClusters().GetClusters() {
		add(c.Name, c.Weight.GetValue())
	}
	return w
}
