package xds

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	grpcxds "google.golang.org/grpc/xds"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

func TestEnvoyFollowsASwitch(t *testing.T) {
	for name, delta := range map[string]bool{"sotw": false, "delta": true} {
		t.Run(name, func(t *testing.T) { followSwitch(t, delta) })
	}
}

// followSwitch is the life of one Envoy: it starts, follows a switch, waits
// with another one while endpoints are withheld, takes a changed cluster and
// lets a withdrawn model go.
func followSwitch(t *testing.T, delta bool) {
	r := start(t, Options{})
	url := r.inbound(t)
	blue, green := backend(t, "blue"), backend(t, "green")
	r.Endpoints("fraud", []rollout.Endpoint{blue}, []rollout.Endpoint{green})
	r.Route(routing(fraud(), 1, allBlue))
	r.Open()
	r.envoy(t, "envoy-1", delta)
	r.acked("fraud", 1)
	eventually(t, "the first answer", func() bool { return get(t, url, "") == "200 blue" })
	if got := get(t, url, "green"); got != "200 green" {
		t.Fatalf("preview: %s", got)
	}

	begin := time.Now()
	r.Route(routing(fraud(), 2, allGreen))
	r.acked("fraud", 1)
	t.Logf("switch to ACK, as polled: %v", time.Since(begin))
	for range 20 {
		if got := get(t, url, ""); got != "200 green" {
			t.Fatalf("after the confirmation: %s", got)
		}
	}

	// A changed policy rebuilds both clusters; Envoy asks for endpoints again.
	changed := fraud()
	changed.Route.ConnectTimeout = 2 * time.Second
	r.Route(routing(changed, 3, allGreen))
	r.report("fraud", "cluster ACK", func(rollout.Report) bool { return typeView(r, cluster).Acked == typeView(r, cluster).Wanted })
	if got := get(t, url, ""); got != "200 green" {
		t.Fatalf("after a changed cluster: %s", got)
	}

	withheldSwitch(t, r, url, []rollout.Endpoint{blue}, []rollout.Endpoint{green})

	r.Withdraw("fraud")
	eventually(t, "the clusters' removal", func() bool {
		r.Server.mu.RLock()
		defer r.Server.mu.RUnlock()
		return len(r.fleets["edge"].leaving) == 0 && len(r.shared[cluster]) == len(r.models)*2
	})
	if got := get(t, url, ""); !strings.HasPrefix(got, "404") {
		t.Fatalf("after the withdrawal: %s", got)
	}
}

func typeView(r *rig, k kind) rollout.TypeView {
	for _, n := range r.Fleets()[0].Nodes {
		for _, v := range n.Types {
			if v.Type == k.String() {
				return v
			}
		}
	}
	return rollout.TypeView{Wanted: "none"}
}

// withheldSwitch adds a model whose green endpoints don't come; its routes wait.
func withheldSwitch(t *testing.T, r *rig, url string, blue, green []rollout.Endpoint) {
	release := r.hold("slow/green")
	slow := modelNamed("slow")
	slow.Route.Hosts, slow.Route.Prefix = []string{fraudHost}, "/slow"
	r.Endpoints("slow", blue, green)
	r.Route(routing(slow, 1, allBlue))
	r.Route(routing(slow, 2, allGreen))
	r.report("slow", "a node that waits", func(rep rollout.Report) bool { return len(rep.Pending) == 1 && rep.Cold[policy.Green] == 1 })
	for range 10 {
		if got := get(t, url+"/slow", ""); got != "200 green" { // fraud has all paths, and is green
			t.Fatalf("before slow is warm: %s", got)
		}
	}
	release()
	r.report("slow", "its ACK", func(rep rollout.Report) bool { return rep.Acked == 1 && rep.Cold[policy.Green] == 0 })
	if got := get(t, url+"/slow", ""); got != "200 green" {
		t.Fatalf("after: %s", got)
	}
	r.Withdraw("slow")
}

// TestProxylessClientFollowsASwitch resolves xds:///fraud in grpc-go.
func TestProxylessClientFollowsASwitch(t *testing.T) {
	r := start(t, Options{})
	blue, green := grpcBackend(t, "blue"), grpcBackend(t, "green")
	p := fraud()
	p.Route.Protocol = policy.GRPC
	r.Endpoints("fraud", []rollout.Endpoint{blue}, []rollout.Endpoint{green})
	r.Route(routing(p, 1, allBlue))
	r.Open()
	boot, err := resource.GRPCBootstrap(resource.Options{Server: r.addr, Node: "client-1", Fleet: "edge"})
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := grpcxds.NewXDSResolverWithConfigForTesting(boot)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("xds:///fraud", grpc.WithResolvers(resolver), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if got := call(t, conn); got != "blue" {
		t.Fatalf("got %q", got)
	}
	r.acked("fraud", 1)
	r.report("fraud", "a warm green", func(rep rollout.Report) bool { return rep.Cold[policy.Green] == 0 && rep.Cold[policy.Blue] == 0 })
	r.Route(routing(p, 2, allGreen))
	r.acked("fraud", 1)
	eventually(t, "an answer of green", func() bool { return call(t, conn) == "green" })
	if v := r.Fleets()[0].Nodes[0]; v.Node != "client-1" || !strings.HasPrefix(v.Agent, "gRPC Go 1.") {
		t.Fatalf("%+v", v)
	}
}

// grpcBackend answers health checks, its name in a header.
func grpcBackend(t *testing.T, name string) rollout.Endpoint {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		_ = grpc.SetHeader(ctx, metadata.Pairs("color", name))
		return h(ctx, req)
	}))
	grpc_health_v1.RegisterHealthServer(g, health.NewServer())
	go func() { _ = g.Serve(lis) }()
	t.Cleanup(g.Stop)
	return endpointAt(t, name, lis.Addr())
}

func call(t *testing.T, conn *grpc.ClientConn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var h metadata.MD
	_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.Header(&h), grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(h.Get("color"), ",")
}
