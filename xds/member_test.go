package xds

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	routeservice "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	"google.golang.org/grpc"

	"greenlight/policy"
	"greenlight/rollout"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// memory is a NodeStore.
type memory struct {
	mu    sync.Mutex
	nodes []rollout.NodeRecord
	fail  error
}

func (m *memory) SaveNodes(n []rollout.NodeRecord) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.nodes = n
	}
	return m.fail
}

func (m *memory) Nodes() ([]rollout.NodeRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nodes, m.fail
}

func TestDisconnectedNodeStaysStaleUntilItsLeaseEnds(t *testing.T) {
	c := newClock()
	r := start(t, Options{Now: c.Now, Lease: time.Minute})
	r.open(fraud())
	a, b := r.client("a"), r.client("b")
	a.join()
	b.join()
	r.acked("fraud", 2)
	a.close()
	rep := r.report("fraud", "a stale node", func(rep rollout.Report) bool { return len(rep.Stale) == 1 })
	if s := rep.Stale[0]; s.Node != "a" || s.Fleet != "edge" || s.Until.Sub(s.Since) != time.Minute {
		t.Fatalf("%+v", s)
	}
	r.Route(routing(fraud(), 2, allGreen))
	b.want(route, "edge")
	r.report("fraud", "one sender to blue", func(rep rollout.Report) bool {
		return rep.Acked == 1 && rep.MaySend[policy.Blue] == 1 && rep.MaySend[policy.Green] == 1
	})
	c.add(time.Minute)
	r.endLeases(c.Now())
	if rep := r.Report("fraud"); len(rep.Stale) != 0 || rep.MaySend[policy.Blue] != 0 {
		t.Fatalf("after the lease: %+v", rep)
	}
}

func TestReconnectedNodeKeepsItsPastUntilItAcks(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.join()
	a.close()
	r.report("fraud", "a stale node", func(rep rollout.Report) bool { return len(rep.Stale) == 1 })
	r.Route(routing(fraud(), 2, allGreen))
	again := r.client("a")
	again.ask(cluster)
	again.recv(cluster)
	rep := r.Report("fraud")
	if rep.Connected != 1 || rep.Acked != 0 || len(rep.Stale) != 0 || rep.MaySend[policy.Blue] != 1 {
		t.Fatalf("%+v", rep)
	}
	again.ack(cluster)
	again.ask(endpoint, "fraud/blue", "fraud/green")
	again.want(endpoint, "fraud/blue", "fraud/green")
	again.ask(route, "edge")
	again.want(route, "edge")
	r.report("fraud", "no sender to blue", func(rep rollout.Report) bool { return rep.Acked == 1 && rep.MaySend[policy.Blue] == 0 })
}

func TestTwoConnectionsOfOneNodeAnswerForThemselves(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	old, young := r.client("a"), r.client("a")
	old.join()
	r.acked("fraud", 1)
	young.join()
	r.acked("fraud", 2)
	if nodes := r.Fleets()[0].Nodes; len(nodes) != 1 {
		t.Fatalf("shown twice: %+v", nodes)
	}
	r.Route(routing(fraud(), 2, allGreen))
	old.recv(route) // half dead: it never answers
	young.want(route, "edge")
	r.report("fraud", "one ACK of two", func(rep rollout.Report) bool { return rep.Acked == 1 && rep.Connected == 2 })
	old.close()
	r.report("fraud", "the young one alone", func(rep rollout.Report) bool {
		return rep.Acked == 1 && rep.Connected == 1 && len(rep.Stale) == 0
	})
}

func TestKnownNodesSurviveARestart(t *testing.T) {
	c, store := newClock(), &memory{nodes: []rollout.NodeRecord{
		{Fleet: "edge", Node: "a", LastSeen: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)},
		{Fleet: "edge", Node: "b", LastSeen: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)},
	}}
	r := start(t, Options{Now: c.Now, Nodes: store, Lease: time.Minute, ReconnectGrace: 10 * time.Second})
	if rep := r.Report("fraud"); rep.Settled {
		t.Fatal("settled before Open")
	}
	r.open(fraud())
	rep := r.Report("fraud")
	if rep.Settled || len(rep.Stale) != 2 || rep.MaySend[policy.Green] != 2 || rep.MaySend[policy.Blue] != 2 {
		t.Fatalf("%+v", rep)
	}
	a := r.client("a")
	a.join()
	r.acked("fraud", 1)
	if r.Report("fraud").Settled {
		t.Fatal("b had no time to come back")
	}
	c.add(10 * time.Second)
	if rep := r.Report("fraud"); !rep.Settled || len(rep.Stale) != 1 {
		t.Fatalf("%+v", rep)
	}
	if err := r.save(); err != nil {
		t.Fatal(err)
	}
	if got, _ := store.Nodes(); len(got) != 2 || got[0].Node != "a" || !got[0].LastSeen.Equal(c.Now()) || got[1].Node != "b" {
		t.Fatalf("%+v", got)
	}
}

func TestSettledWhenAllKnownNodesAreBack(t *testing.T) {
	store := &memory{nodes: []rollout.NodeRecord{{Fleet: "edge", Node: "a"}}}
	r := start(t, Options{Nodes: store, ReconnectGrace: time.Hour})
	r.open(fraud())
	r.client("a").join()
	r.report("fraud", "settled", func(rep rollout.Report) bool { return rep.Settled })
}

func TestUnreadableNodesFailTheStart(t *testing.T) {
	if _, err := New(Options{Nodes: &memory{fail: errors.New("disk gone")}}); err == nil {
		t.Fatal("a server that forgot its nodes started")
	}
}

func TestNodeWithoutRoutesIsPending(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.ask(cluster)
	a.recv(cluster)
	rep := r.Report("fraud")
	if rep.Connected != 1 || len(rep.Pending) != 1 || rep.Pending[0].Detail != "has not asked for the route configuration of its fleet" {
		t.Fatalf("%+v", rep)
	}
}

func TestChangedIsCalledForTheLastAck(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	var all []*client
	for i := range 20 {
		c := r.client(fmt.Sprint(i))
		c.join()
		all = append(all, c)
	}
	r.acked("fraud", len(all))
	time.Sleep(3 * quietGap)
	r.mu.Lock()
	clear(r.calls)
	r.mu.Unlock()
	r.Route(routing(fraud(), 2, allGreen))
	for _, c := range all {
		c.want(route, "edge")
	}
	r.acked("fraud", len(all))
	time.Sleep(3 * quietGap)
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.calls["fraud"]; n < 1 || n > len(all) {
		t.Fatalf("Changed was called %d times for %d ACKs", n, len(all))
	}
}

// single opens a non-aggregated stream of kind k.
func (r *rig) single(conn *grpc.ClientConn, k kind, id string) *client {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{t: r.t, fleet: "edge", id: id, agent: "envoy", first: true}
	var err error
	switch k {
	case cluster:
		c.stream, err = clusterservice.NewClusterDiscoveryServiceClient(conn).StreamClusters(ctx)
	case endpoint:
		c.stream, err = endpointservice.NewEndpointDiscoveryServiceClient(conn).StreamEndpoints(ctx)
	default:
		c.stream, err = routeservice.NewRouteDiscoveryServiceClient(conn).StreamRoutes(ctx)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	c.begin(cancel)
	return c
}

func TestSingleStreamsAreOneNode(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	conn := r.dial()
	cds, rds := r.single(conn, cluster, "a"), r.single(conn, route, "a")
	blue, green := r.single(conn, endpoint, "a"), r.single(conn, endpoint, "a")
	cds.ask(cluster)
	cds.want(cluster, "fraud/blue", "fraud/green")
	rds.ask(route, "edge")
	rds.none()
	blue.ask(endpoint, "fraud/blue")
	blue.want(endpoint, "fraud/blue")
	green.ask(endpoint, "fraud/green")
	green.want(endpoint, "fraud/green")
	rds.want(route, "edge") // the other streams' ACKs opened the gate
	r.acked("fraud", 1)
	again := r.single(conn, cluster, "a")
	again.ask(cluster)
	again.recv(cluster)
	if rep := r.Report("fraud"); rep.Connected != 2 || rep.Envoys["edge"] != 2 {
		t.Fatalf("a second stream for clusters is another connection: %+v", rep)
	}
}

func TestProxylessClientsCountWhereTheyAsk(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud(), modelNamed("other"))
	g := r.clientOn(r.dial(), "", "g", "gRPC Go")
	g.ask(listener, "fraud")
	g.want(listener, "fraud")
	if rep := r.Report("fraud"); rep.Connected != 0 {
		t.Fatalf("%+v", rep)
	}
	g.ask(route, "fraud/routes")
	g.want(route, "fraud/routes")
	g.ask(cluster, "fraud/blue", "fraud/green")
	g.want(cluster, "fraud/blue", "fraud/green")
	r.acked("fraud", 1)
	r.Route(routing(fraud(), 2, allGreen))
	g.none() // it asks for the cluster, and has no endpoints of it
	g.ask(endpoint, "fraud/blue", "fraud/green")
	g.want(endpoint, "fraud/blue", "fraud/green")
	g.want(route, "fraud/routes")
	r.acked("fraud", 1)
	if rep := r.Report("other"); rep.Connected != 0 {
		t.Fatalf("%+v", rep)
	}
	if rep := r.Report("fraud"); len(rep.Envoys) != 0 {
		t.Fatalf("a client without a proxy is no Envoy: %+v", rep)
	}
}
