package xds

import (
	"strings"
	"sync/atomic"
	"testing"

	"greenlight/policy"
	"greenlight/rollout"
)

// hold keeps endpoints of a cluster from being sent until release is called.
func (r *rig) hold(name string) (release func()) {
	var off atomic.Bool
	f := func(_ string, k kind, n string) bool { return !off.Load() && k == endpoint && n == name }
	r.withhold.Store(&f)
	return func() {
		off.Store(true)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.Server.mu.RLock()
		defer r.Server.mu.RUnlock()
		r.eachNode(func(n *node) {
			n.mu.Lock()
			n.wakeAll()
			n.mu.Unlock()
		})
	}
}

func TestWeightWaitsForWarmCluster(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud(), modelNamed("other"))
	release := r.hold("fraud/green")
	a := r.client("a")
	names := []string{"fraud/blue", "fraud/green", "other/blue", "other/green"}
	a.ask(cluster)
	a.want(cluster, names...)
	a.ask(endpoint, names...)
	a.want(endpoint, "fraud/blue", "other/blue", "other/green")
	a.ask(route, "edge")
	a.want(route, "edge")

	r.Route(routing(fraud(), 2, allGreen))
	a.none()
	rep := r.Report("fraud")
	if rep.Cold[policy.Green] != 1 || rep.Acked != 0 || len(rep.Pending) != 1 || !strings.Contains(rep.Pending[0].Detail, "fraud/green") {
		t.Fatalf("%+v", rep)
	}
	// One cold cluster does not hold up another model.
	r.Route(routing(modelNamed("other"), 2, allGreen))
	m := a.want(route, "edge")
	if got := weightsOf(t, m.Resources[0], fraudHost); got != allBlue {
		t.Fatalf("weight moved to a cold cluster: %+v", got)
	}
	r.acked("other", 1)

	release()
	a.recv(endpoint)
	a.none()
	a.ack(endpoint)
	if got := weightsOf(t, a.want(route, "edge").Resources[0], fraudHost); got != allGreen {
		t.Fatalf("got %+v", got)
	}
	r.acked("fraud", 1)
}

func TestFirstRoutesWaitForAllClusters(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.ask(route, "edge")
	a.none()
	a.ask(cluster)
	a.recv(cluster)
	a.ask(endpoint, "fraud/blue", "fraud/green")
	a.want(endpoint, "fraud/blue", "fraud/green")
	a.none() // the cluster is not answered yet
	a.ack(cluster)
	a.want(route, "edge")
}

func TestRejectedClusterCountsWhenItsEndpointsAreAsked(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.ask(cluster)
	a.recv(cluster)
	a.nack(cluster, "some other cluster is bad")
	a.ask(route, "edge")
	a.none()
	a.ask(endpoint, "fraud/blue", "fraud/green")
	a.want(endpoint, "fraud/blue", "fraud/green")
	a.want(route, "edge")
}

func TestRoutesWaitForNewestEndpoints(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.join()
	r.Endpoints("fraud", eps(1, 2), eps(7, 3))
	r.Route(routing(fraud(), 2, allGreen))
	a.recv(endpoint)
	a.none()
	a.ack(endpoint)
	a.want(route, "edge")
}

func TestWithdrawRemovesRoutesBeforeClusters(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud(), modelNamed("other"))
	a, b := r.client("a"), r.client("b")
	for _, c := range []*client{a, b} {
		c.warm("fraud/blue", "fraud/green", "other/blue", "other/green")
		c.ask(route, "edge")
		c.want(route, "edge")
	}
	r.acked("fraud", 2)
	r.Withdraw("fraud")
	a.want(route, "edge")
	a.none() // b may still route to it
	b.recv(route)
	b.none()
	b.ack(route)
	a.want(cluster, "other/blue", "other/green")
	b.want(cluster, "other/blue", "other/green")
	if rep := r.Report("fraud"); rep.Connected != 0 {
		t.Fatalf("%+v", rep)
	}
	// And it may come again.
	r.open(fraud())
	a.want(cluster, "fraud/blue", "fraud/green", "other/blue", "other/green")
}

func TestModelMovesToAnotherFleet(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.join()
	r.acked("fraud", 1)
	b := r.clientOn(r.dial(), "core", "b", "envoy")
	b.ask(cluster)
	b.want(cluster)
	moved := fraud()
	moved.Route.Fleets = []string{"core"}
	r.Route(routing(moved, 2, allBlue))
	b.want(cluster, "fraud/blue", "fraud/green")
	a.want(route, "edge")
	a.want(cluster)
	r.report("fraud", "b alone", func(rep rollout.Report) bool {
		return rep.Connected == 1 && len(rep.Pending) == 1 && rep.Pending[0].Node == "b"
	})
}
