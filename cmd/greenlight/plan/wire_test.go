package plan

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds"
)

const typePrefix = "type.googleapis.com/envoy.config."

var typeURLs = map[string]string{
	listenerType: typePrefix + "listener.v3.Listener",
	routeType:    typePrefix + "route.v3.RouteConfiguration",
	clusterType:  typePrefix + "cluster.v3.Cluster",
	"endpoint":   typePrefix + "endpoint.v3.ClusterLoadAssignment",
}

// What a plan lists for a fleet is, name by name and line by line, what a node of it
// is sent when the server is told the same change.
func TestPlanIsWhatIsSent(t *testing.T) {
	archives, _ := filepath.Glob("testdata/*.txtar")
	for _, archive := range archives {
		archive, _ := filepath.Abs(archive)
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			b, r := parted(t, archive)
			p := Make(b, r)
			if len(p.Problems) > 0 { // nothing of it is taken
				return
			}
			before, after := sides(b, r)
			s := startServer(t)
			s.apply(before, 1)
			s.server.Open()
			n := s.node(t, "edge")
			s.settled(t, n, before, 1, nil)
			had := n.holds()
			s.apply(after, 2)
			for name := range before.models {
				if _, stays := after.models[name]; !stays {
					s.server.Withdraw(name)
				}
			}
			var planned []Resource
			for _, f := range p.Fleets {
				if f.Fleet == "edge" {
					planned = f.Resources
				}
			}
			s.settled(t, n, after, 2, planned)
			sameResources(t, planned, sent(had, n.holds()))
		})
	}
}

// sides is what the plan of r compares.
func sides(b Basis, r policy.Reading) (before, after side) {
	b = b.in(r.Dir)
	next, _ := Next(b, r)
	m := &maker{basis: b, next: next, before: newSide(b.Set.Fleets), after: newSide(next.Fleets), then: map[string]rollout.State{}}
	m.models()
	return m.before, m.after
}

// sent is the difference between what a node had and has.
func sent(had, has map[string]proto.Message) []Resource {
	all := maps.Clone(had)
	maps.Copy(all, has)
	var out []Resource
	for _, at := range slices.Sorted(maps.Keys(all)) {
		kind, name, _ := strings.Cut(at, " ")
		found := differ(kind, name, had[at], has[at])
		for i := range found {
			if kind != routeType {
				continue
			}
			found[i].Diff = ""
			found[i].Hosts = sentHosts(hostsOf(had[at]), hostsOf(has[at]))
		}
		out = append(out, found...)
	}
	return out
}

func hostsOf(m proto.Message) map[string]*routev3.VirtualHost {
	out := map[string]*routev3.VirtualHost{}
	if c, ok := m.(*routev3.RouteConfiguration); ok {
		for _, h := range c.VirtualHosts {
			out[h.Name] = h
		}
	}
	return out
}

func sentHosts(had, has map[string]*routev3.VirtualHost) []Host {
	all := maps.Clone(had)
	maps.Copy(all, has)
	var out []Host
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, is := had[name], has[name]
		if change, _ := difference(message(was), message(is)); change != "" {
			_, text := difference(message(without(was, is)), message(without(is, was)))
			out = append(out, Host{Host: name, Change: change, Diff: text})
		}
	}
	return out
}

// without is a virtual host without the routes of models that have the very same routes
// in another one.
func without(h, other *routev3.VirtualHost) *routev3.VirtualHost {
	if h == nil {
		return nil
	}
	differs := map[string]bool{}
	for _, r := range routes(other.GetRoutes(), h.GetRoutes()) {
		differs[modelOf(r.Route)] = true
	}
	out := proto.CloneOf(h)
	out.Routes = slices.DeleteFunc(out.Routes, func(r *routev3.Route) bool { return !differs[modelOf(r.Name)] })
	return out
}

func sameResources(t *testing.T, planned, came []Resource) {
	t.Helper()
	told := map[string]Resource{}
	for _, r := range planned {
		told[r.Type+" "+r.Name] = r
	}
	renamed := len(planned) > 0 && slices.ContainsFunc(planned, func(r Resource) bool { return r.Type == routeType && r.Change == Removed })
	for _, got := range came {
		at := got.Type + " " + got.Name
		want, there := told[at]
		delete(told, at)
		if !there || want.Change != got.Change || want.Diff != got.Diff {
			t.Errorf("%s was sent, planned was %+v:\n%s", at, want, got.Diff)
		}
		if got.Type != routeType || renamed {
			continue
		}
		if len(want.Hosts) != len(got.Hosts) {
			t.Fatalf("%s: %d hosts were sent, %d planned", at, len(got.Hosts), len(want.Hosts))
		}
		for i, h := range got.Hosts {
			if w := want.Hosts[i]; w.Host != h.Host || w.Change != h.Change || w.Diff != h.Diff {
				t.Errorf("%s, host %s: planned %s %s:\n%s\nsent:\n%s", at, h.Host, w.Change, w.Host, w.Diff, h.Diff)
			}
		}
	}
	for at := range told {
		t.Errorf("%s was planned, and not sent", at)
	}
}

// xdsServer is a real server on a port of its own.
type xdsServer struct {
	server *xds.Server
	addr   string
}

func startServer(t *testing.T) *xdsServer {
	t.Helper()
	s, err := xds.New(xds.Options{
		Log:    slog.New(slog.DiscardHandler),
		Secret: func(policy.Secret) (string, error) { return tokenPlaceholder, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(xds.ServerOptions()...)
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
	return &xdsServer{s, lis.Addr().String()}
}

// apply tells the server one side, with placeholders for endpoints.
func (s *xdsServer) apply(to side, generation uint64) {
	s.server.SetFleets(to.fleets)
	endpoint := func(at string) []rollout.Endpoint {
		return []rollout.Endpoint{{ID: at, Address: at, Port: 8080, Weight: 1}}
	}
	for _, name := range slices.Sorted(maps.Keys(to.models)) {
		m := to.models[name]
		s.server.Endpoints(name, endpoint("10.0.0.1"), endpoint("10.0.0.2"))
		s.server.Route(rollout.Routing{Generation: generation, Policy: m.Policy, Live: m.Live, Weights: m.Weights, Mirror: m.Mirror})
	}
}

// settled waits until the node has acknowledged all that one side wants of it, and has
// dropped what the plan says is removed.
func (s *xdsServer) settled(t *testing.T, n *node, to side, generation uint64, planned []Resource) {
	t.Helper()
	ready := func() bool {
		for name, m := range to.models {
			r := s.server.Report(name)
			if on := slices.Contains(m.Policy.Route.Fleets, n.fleet); on && (r.Generation != generation || r.Connected != 1 || r.Acked != 1) {
				return false
			}
		}
		for _, f := range s.server.Fleets() {
			for _, v := range f.Nodes {
				for _, k := range v.Types {
					// A fleet without a listener has nothing to acknowledge of that type.
					_, listens := listener(to.fleets[n.fleet])
					if f.Name == n.fleet && k.Wanted != k.Acked && (k.Type != listenerType || listens != "") {
						return false
					}
				}
			}
		}
		holds := n.holds()
		for _, r := range planned {
			if _, there := holds[r.Type+" "+r.Name]; there == (r.Change == Removed) {
				return false
			}
		}
		return n.has(routeType, to.routesName(n.fleet)) || !to.configured(n.fleet)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ready() {
			return
		}
	}
	t.Fatalf("the node never had all of generation %d: %v", generation, slices.Sorted(maps.Keys(n.holds())))
}

// node is an incremental xDS client that acknowledges all that it is sent, and follows
// it as an Envoy does: listeners to routes, clusters to endpoints.
type node struct {
	fleet  string
	stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient

	mu   sync.Mutex
	held map[string]proto.Message // by type and name
}

func (s *xdsServer) node(t *testing.T, fleet string) *node {
	t.Helper()
	conn, err := grpc.NewClient(s.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{fleet: fleet, stream: stream, held: map[string]proto.Message{}}
	first := &discoveryv3.DeltaDiscoveryRequest{
		Node: &corev3.Node{Id: "a", Cluster: fleet, UserAgentName: "envoy"}, TypeUrl: typeURLs[clusterType],
	}
	for _, req := range []*discoveryv3.DeltaDiscoveryRequest{
		first, {TypeUrl: typeURLs[listenerType]},
		{TypeUrl: typeURLs[routeType], ResourceNamesSubscribe: []string{fleet}},
	} {
		if err := stream.Send(req); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n.take() == nil { //nolint:revive // until the stream ends
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = conn.Close()
	})
	return n
}

// take takes one answer.
func (n *node) take() error {
	m, err := n.stream.Recv()
	if err != nil {
		return err
	}
	kind := ""
	for k, url := range typeURLs {
		if url == m.TypeUrl {
			kind = k
		}
	}
	follow := map[string][]string{}
	n.mu.Lock()
	for _, r := range m.Resources {
		got, err := r.Resource.UnmarshalNew()
		if err != nil {
			n.mu.Unlock()
			return err
		}
		n.held[kind+" "+r.Name] = got
		switch got := got.(type) {
		case *clusterv3.Cluster:
			follow["endpoint"] = append(follow["endpoint"], r.Name)
		case *listenerv3.Listener:
			follow[routeType] = append(follow[routeType], routesOf(got)...)
		}
	}
	for _, name := range m.RemovedResources {
		delete(n.held, kind+" "+name)
	}
	n.mu.Unlock()
	if err := n.stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: m.TypeUrl, ResponseNonce: m.Nonce}); err != nil {
		return err
	}
	for k, names := range follow {
		if err := n.stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[k], ResourceNamesSubscribe: names}); err != nil {
			return err
		}
	}
	return nil
}

// holds is what the node has, endpoints left out.
func (n *node) holds() map[string]proto.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := map[string]proto.Message{}
	for at, m := range n.held {
		if !strings.HasPrefix(at, "endpoint ") {
			out[at] = m
		}
	}
	return out
}

func (n *node) has(kind, name string) bool {
	_, there := n.holds()[kind+" "+name]
	return there
}

// routesOf is the names of the route configurations that a listener follows.
func routesOf(l *listenerv3.Listener) []string {
	var out []string
	for _, chain := range l.FilterChains {
		for _, filter := range chain.Filters {
			m := &hcmv3.HttpConnectionManager{}
			if filter.GetTypedConfig().UnmarshalTo(m) == nil {
				out = append(out, m.GetRds().GetRouteConfigName())
			}
		}
	}
	return out
}
