package xds

import (
	"strings"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"greenlight/policy"
	"greenlight/rollout"
)

// mirrored is a routing with all users on blue and copies to green.
func mirrored(p *policy.Model, generation uint64) rollout.Routing {
	r := routing(p, generation, allBlue)
	r.Mirror = rollout.Mirror{To: policy.Green, Percent: 1000}
	return r
}

// A copy is no user's request, but it is not sent to a cold cluster either.
func TestMirrorWaitsForWarmCluster(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	release := r.hold("fraud/green")
	a := r.client("a")
	names := []string{"fraud/blue", "fraud/green"}
	a.ask(cluster)
	a.want(cluster, names...)
	a.ask(endpoint, names...)
	a.want(endpoint, "fraud/blue")
	a.ask(route, "edge")
	if mirrors(t, a.want(route, "edge")) {
		t.Fatal("copies were not asked for")
	}
	r.Route(mirrored(fraud(), 2))
	a.none()
	rep := r.Report("fraud")
	if rep.Acked != 0 || len(rep.Pending) != 1 || !strings.Contains(rep.Pending[0].Detail, "fraud/green") {
		t.Fatalf("%+v", rep)
	}
	release()
	a.recv(endpoint)
	a.none()
	a.ack(endpoint)
	if !mirrors(t, a.want(route, "edge")) {
		t.Fatal("no copies")
	}
	r.acked("fraud", 1)
	if rep := r.Report("fraud"); rep.MaySend[policy.Green] != 0 || rep.Sending[policy.Green] != 0 || rep.MaySend[policy.Blue] != 1 {
		t.Fatalf("copies count as users' requests: %+v", rep)
	}
	// Whatever becomes of green, its cluster stays while it is mirrored to, and
	// copies end with one publish.
	r.Endpoints("fraud", eps(1, 2), nil)
	a.want(endpoint, "fraud/green")
	r.Server.mu.RLock()
	kept := r.shared[cluster]["fraud/green"] != nil
	r.Server.mu.RUnlock()
	if !kept {
		t.Fatal("the cluster is gone")
	}
	r.Route(routing(fraud(), 3, allBlue))
	if mirrors(t, a.want(route, "edge")) {
		t.Fatal("copies go on")
	}
	r.acked("fraud", 1)
}

// gRPC clients mirror nothing, so nothing is to be waited for.
func TestGRPCClientsDoNotMirror(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	c := r.clientOn(r.dial(), "apps", "client", "gRPC Go")
	c.ask(route, "fraud/routes")
	if mirrors(t, c.want(route, "fraud/routes")) {
		t.Fatal("copies were not asked for")
	}
	r.Route(mirrored(fraud(), 2))
	c.none()
	r.acked("fraud", 1)
}

func mirrors(t *testing.T, m *discoveryv3.DiscoveryResponse) bool {
	t.Helper()
	for _, r := range routesOf(t, m) {
		if len(r.GetRoute().GetRequestMirrorPolicies()) > 0 {
			return true
		}
	}
	return false
}
