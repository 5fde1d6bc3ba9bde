package resource_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/xds"
	"google.golang.org/protobuf/proto"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// grpcServer is a gRPC model server that says its color.
type grpcServer struct {
	healthpb.UnimplementedHealthServer
	name string
}

func (s grpcServer) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	return &healthpb.HealthCheckResponse{}, grpc.SetHeader(ctx, metadata.Pairs("answered-by", s.name))
}

func startGRPC(t *testing.T, name string) rollout.Endpoint {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	healthpb.RegisterHealthServer(g, grpcServer{name: name})
	go func() { _ = g.Serve(lis) }()
	t.Cleanup(g.Stop)
	return rollout.Endpoint{ID: name, Address: "127.0.0.1", Port: lis.Addr().(*net.TCPAddr).Port, Weight: 1}
}

// ask makes one call and tells who answered it.
func ask(t *testing.T, conn *grpc.ClientConn, header ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got metadata.MD
	_, err := healthpb.NewHealthClient(conn).Check(metadata.AppendToOutgoingContext(ctx, header...),
		&healthpb.HealthCheckRequest{}, grpc.Header(&got))
	return strings.Join(got.Get("answered-by"), ","), err
}

func proxylessResources(m resource.Model, eps map[policy.Color][]rollout.Endpoint) []proto.Message {
	out := []proto.Message{resource.APIListener(m.Policy.Name), resource.ModelRouteConfig(m)}
	for _, c := range policy.Colors {
		out = append(out, resource.Cluster(m.Policy, c), resource.Assignment(m.Policy.Name, c, eps[c]))
	}
	return out
}

// TestGRPCFollows has grpc-go's own xDS client resolve xds:///fraud.
func TestGRPCFollows(t *testing.T) {
	eps := map[policy.Color][]rollout.Endpoint{
		policy.Blue:  {startGRPC(t, "blue")},
		policy.Green: {startGRPC(t, "green")},
	}
	m := blueLive(variant("fraud", func(r *policy.Route) { r.Protocol = policy.GRPC }))
	stub, addr := startADS(t, proxylessResources(m, eps)...)
	conn := dialXDS(t, addr, "xds:///fraud")

	for _, c := range []struct {
		value, want string
		code        codes.Code
	}{
		{value: "", want: "blue"},
		{value: "blue", want: "blue"},
		{value: "green", want: "green"},
		{value: "live", want: "blue"},
		{value: "idle", want: "green"},
		{value: "red", code: codes.Unavailable},
	} {
		t.Run("preview "+c.value, func(t *testing.T) {
			var header []string
			if c.value != "" {
				header = []string{"x-model-color", c.value}
			}
			got, err := ask(t, conn, header...)
			if got != c.want || status.Code(err) != c.code {
				t.Errorf("got %q, %v; want %q, %v", got, err, c.want, c.code)
			}
		})
	}

	t.Run("weights move without a failed call", func(t *testing.T) {
		for _, w := range []policy.Weight{5000, policy.Full, 0} {
			m.Weights = rollout.Split(policy.Green, w)
			stub.replace(t, proxylessResources(m, eps)...)
			eventually(t, "the new split", func() bool {
				seen := map[string]int{}
				for range 40 {
					who, err := ask(t, conn)
					if err != nil {
						t.Fatal(err)
					}
					seen[who]++
				}
				return (seen["green"] == 0) == (w == 0) && (seen["blue"] == 0) == (w == policy.Full)
			})
		}
	})

	if p := stub.problems(); len(p) > 0 {
		t.Errorf("grpc-go rejected:\n%s", strings.Join(p, "\n"))
	}
}

// TestGRPCWarmsTheIdleColor: without a preview no reachable route names green,
// yet the client asks for its cluster and its endpoints.
func TestGRPCWarmsTheIdleColor(t *testing.T) {
	eps := map[policy.Color][]rollout.Endpoint{policy.Blue: {startGRPC(t, "blue")}, policy.Green: {startGRPC(t, "green")}}
	m := blueLive(variant("fraud", func(r *policy.Route) { r.Preview = ""; r.Protocol = policy.GRPC }))
	stub, addr := startADS(t, proxylessResources(m, eps)...)
	conn := dialXDS(t, addr, "xds:///fraud")
	if who, err := ask(t, conn, "x-model-color", "green"); who != "blue" || err != nil {
		t.Fatalf("got %q, %v; want blue: the preview is off", who, err)
	}
	for _, url := range []string{"type.googleapis.com/envoy.config.cluster.v3.Cluster", "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"} {
		eventually(t, "the client's wish for "+url, func() bool { return stub.wants(url, "fraud/green") })
	}
}

// TestEnvoyCarriesGRPC sends gRPC through an Envoy, over its HTTP/2 upstream options.
func TestEnvoyCarriesGRPC(t *testing.T) {
	envoyPath(t)
	m := blueLive(variant("fraud", func(r *policy.Route) {
		r.Protocol, r.Prefix, r.Hosts = policy.GRPC, "/grpc.health.v1.Health", []string{"*"}
	}))
	fleet := edge(freePort(t))
	_, addr := startADS(t, fleetResources(fleet, []resource.Model{m}, map[string][]rollout.Endpoint{
		"fraud/blue": {startGRPC(t, "blue")}, "fraud/green": {startGRPC(t, "green")},
	})...)
	boot, err := resource.Bootstrap(resource.Options{
		Server: addr, Node: "envoy-1", Fleet: "edge", Admin: net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t))),
	})
	if err != nil {
		t.Fatal(err)
	}
	startEnvoy(t, boot)
	conn, err := grpc.NewClient(net.JoinHostPort("127.0.0.1", strconv.Itoa(fleet.Listener.Port)),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	eventually(t, "the first answer", func() bool {
		conn.ResetConnectBackoff()
		who, err := ask(t, conn)
		return err == nil && who == "blue"
	})
	for range 20 {
		if who, err := ask(t, conn, "x-model-color", "idle", "under_score", "fine"); who != "green" || err != nil {
			t.Fatalf("got %q, %v; want green", who, err)
		}
	}
	if who, err := ask(t, conn, "x-model-color", "red"); status.Code(err) != codes.Internal {
		t.Errorf("got %q, %v; want an error made of the 400", who, err)
	}
}

func dialXDS(t *testing.T, server, target string) *grpc.ClientConn {
	t.Helper()
	boot, err := resource.GRPCBootstrap(resource.Options{Server: server, Node: t.Name(), Fleet: "clients"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := xds.NewXDSResolverWithConfigForTesting(boot)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(target, grpc.WithResolvers(r), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
