package xds

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"greenlight/policy"
)

// deltaRig is an open server with one model and a delta node that has taken
// everything.
func deltaRig(t *testing.T) (*Server, *simNode) {
	t.Helper()
	s, err := New(Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s.Endpoints("fraud", eps(1, 2), eps(2, 2))
	s.Route(routing(fraud(), 1, allBlue))
	s.Open()
	n := s.simulate(t, "a", true)
	n.ackAll()
	if rep := s.Report("fraud"); rep.Acked != 1 || rep.Cold[policy.Green] != 0 {
		t.Fatalf("%+v", rep)
	}
	return s, n
}

func (n *simNode) deltaRequest(req *discoveryv3.DeltaDiscoveryRequest) {
	n.must(n.st.takeDelta(req))
	n.pump()
}

func TestDeltaSendsOnlyWhatChanged(t *testing.T) {
	s, n := deltaRig(t)
	s.Endpoints("fraud", eps(1, 2), eps(3, 1))
	n.pump()
	a := n.pending[endpoint]
	if a == nil || len(a.items) != 1 || a.items["fraud/green"].any == nil {
		t.Fatalf("%+v", a)
	}
}

func TestDeltaAddsAndRemovesClusters(t *testing.T) {
	s, n := deltaRig(t)
	s.Endpoints("other", nil, nil)
	s.Route(routing(modelNamed("other"), 1, allBlue))
	n.pump()
	if a := n.pending[cluster]; a == nil || len(a.items) != 2 || len(a.removed) != 0 {
		t.Fatalf("%+v", a)
	}
	n.ack(cluster)
	s.Withdraw("other")
	n.pump()
	n.ackAll()
	s.due()
	n.pump()
	if a := n.pending[cluster]; a == nil || len(a.items) != 0 || len(a.removed) != 2 {
		t.Fatalf("%+v", a)
	}
	n.ack(cluster)
	if len(n.st.watches[cluster].held) != 2 {
		t.Fatal("removed clusters are still held")
	}
}

func TestDeltaAnswersWhatIsAskedAgain(t *testing.T) {
	_, n := deltaRig(t)
	n.deltaRequest(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[endpoint], ResourceNamesSubscribe: []string{"fraud/blue"}})
	if a := n.pending[endpoint]; a == nil || len(a.items) != 1 {
		t.Fatalf("%+v", a)
	}
}

func TestDeltaSaysThatAResourceIsMissing(t *testing.T) {
	_, n := deltaRig(t)
	n.deltaRequest(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[endpoint], ResourceNamesSubscribe: []string{"nothing"}})
	if a := n.pending[endpoint]; a == nil || len(a.removed) != 1 || a.removed[0] != "nothing" {
		t.Fatalf("%+v", a)
	}
}

func TestDeltaUnsubscribe(t *testing.T) {
	s, n := deltaRig(t)
	n.deltaRequest(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[endpoint], ResourceNamesUnsubscribe: []string{"fraud/green"}})
	s.Endpoints("fraud", eps(1, 2), eps(3, 1))
	n.pump()
	if a := n.pending[endpoint]; a != nil {
		t.Fatalf("%+v", a)
	}
	if rep := s.Report("fraud"); rep.Cold[policy.Green] != 1 {
		t.Fatalf("%+v", rep)
	}
}

func TestDeltaEmptyWildcardIsAnswered(t *testing.T) {
	s, err := New(Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s.Open()
	n := s.simulate(t, "a", true)
	if a := n.pending[cluster]; a == nil || len(a.items) != 0 {
		t.Fatalf("an Envoy without clusters would wait: %+v", a)
	}
}

// TestDeltaReconnect: what a node says it has need not be sent when the version
// is that of the content, and counts as acknowledged.
func TestDeltaReconnect(t *testing.T) {
	s, n := deltaRig(t)
	versions := [kinds]map[string]string{}
	for _, k := range []kind{cluster, endpoint, route} {
		versions[k] = map[string]string{}
		for name, h := range n.st.watches[k].held {
			versions[k][name] = h.acked.version
		}
	}
	n.leave()
	s.Endpoints("fraud", eps(1, 2), eps(4, 1))
	versions[cluster]["gone/blue"] = "1"

	again := &simNode{t: t, server: s, id: "a", delta: true, clusters: n.clusters, endpoints: n.endpoints, routes: n.routes, refused: map[string]bool{}}
	again.st = &stream{server: s, aggregated: true, delta: true, awake: make(chan struct{}, 1), unknown: map[string]struct{}{}}
	for _, k := range []kind{cluster, endpoint, route} {
		names := map[kind][]string{endpoint: {"fraud/blue", "fraud/green"}, route: {"edge"}}[k]
		again.deltaRequest(&discoveryv3.DeltaDiscoveryRequest{
			Node: nodeOf("edge", "a"), TypeUrl: typeURLs[k], ResourceNamesSubscribe: names, InitialResourceVersions: versions[k],
		})
	}
	if a := again.pending[cluster]; a == nil || len(a.items) != 0 || len(a.removed) != 1 {
		t.Fatalf("clusters: %+v", a)
	}
	if a := again.pending[endpoint]; a == nil || len(a.items) != 1 {
		t.Fatalf("endpoints: %+v", a)
	}
	if a := again.pending[route]; a != nil {
		t.Fatalf("routes: %+v", a)
	}
	if rep := s.Report("fraud"); rep.Acked != 1 || rep.MaySend[policy.Green] != 0 {
		t.Fatalf("%+v", rep)
	}
}
