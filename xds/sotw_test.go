package xds

import (
	"strings"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/policy"
	"greenlight/rollout"
)

func TestNothingIsSentBeforeOpen(t *testing.T) {
	r := start(t, Options{})
	r.Route(routing(fraud(), 1, allBlue))
	c := r.client("a")
	c.ask(cluster)
	c.none()
	r.Endpoints("fraud", eps(1, 1), eps(2, 1))
	c.none()
	r.Open()
	c.want(cluster, "fraud/blue", "fraud/green")
}

func TestSwitchIsConfirmedByAcks(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a, b := r.client("a"), r.client("b")
	a.join()
	b.join()
	r.acked("fraud", 2)

	r.Route(routing(fraud(), 2, allGreen))
	m := a.recv(route)
	if got := weightsOf(t, m.Resources[0], fraudHost); got != allGreen {
		t.Fatalf("got weights %+v", got)
	}
	b.recv(route)
	rep := r.Report("fraud")
	if rep.Generation != 2 || rep.Acked != 0 || len(rep.Pending) != 2 || rep.Pending[0].Detail == "" {
		t.Fatalf("before any ACK: %+v", rep)
	}
	if rep.MaySend[policy.Blue] != 2 || rep.MaySend[policy.Green] != 2 {
		t.Fatalf("while in flight both colors may get requests: %+v", rep.MaySend)
	}
	a.ack(route)
	r.report("fraud", "a's ACK", func(rep rollout.Report) bool {
		return rep.Acked == 1 && len(rep.Pending) == 1 && rep.Pending[0].Node == "b" && rep.MaySend[policy.Blue] == 1
	})
	b.ack(route)
	r.acked("fraud", 2)
}

func TestStaleNonceIsNoAck(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.join()
	r.acked("fraud", 1)
	old := a.last[route]
	r.Route(routing(fraud(), 2, allGreen))
	a.recv(route)
	a.send(&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[route], ResourceNames: []string{"edge"}, VersionInfo: a.last[route].VersionInfo, ResponseNonce: old.Nonce})
	a.none()
	if rep := r.Report("fraud"); rep.Acked != 0 {
		t.Fatalf("a stale nonce was taken for an ACK: %+v", rep)
	}
	a.ack(route)
	a.want(route, "edge") // the repeated request is answered after the answer in flight
	r.acked("fraud", 1)
}

func TestBackToAcknowledgedContentWaitsForWhatIsInFlight(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.join()
	r.acked("fraud", 1)
	r.Route(routing(fraud(), 2, allGreen))
	a.recv(route)
	r.Route(routing(fraud(), 3, allBlue))
	if rep := r.Report("fraud"); rep.Acked != 0 {
		t.Fatalf("green is on its way, and blue is said to be confirmed: %+v", rep)
	}
	a.ack(route)
	if got := weightsOf(t, a.want(route, "edge").Resources[0], fraudHost); got != allBlue {
		t.Fatalf("got weights %+v", got)
	}
	r.acked("fraud", 1)
}

func TestEqualContentNeedsNoNewAck(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.join()
	r.Route(routing(fraud(), 9, allBlue))
	a.none()
	r.report("fraud", "generation 9", func(rep rollout.Report) bool { return rep.Generation == 9 && rep.Acked == 1 })
}

func TestRejectedRoutesAreNotSentAgain(t *testing.T) {
	r := start(t, Options{})
	other := modelNamed("other")
	r.open(fraud(), other)
	a := r.client("a")
	names := []string{"fraud/blue", "fraud/green", "other/blue", "other/green"}
	a.warm(names...)
	a.ask(route, "edge")
	a.want(route, "edge")
	r.acked("fraud", 1)

	r.Route(routing(fraud(), 2, allGreen))
	a.recv(route)
	a.nack(route, "no such thing")
	rep := r.report("fraud", "the rejection", func(rep rollout.Report) bool { return len(rep.Rejected) == 1 })
	if x := rep.Rejected[0]; x.Node != "a" || x.Fleet != "edge" || x.Type != "route" || x.Reason != "no such thing" || x.At.IsZero() {
		t.Fatalf("%+v", x)
	}
	if rep.Acked != 0 || len(rep.Pending) != 0 || rep.MaySend[policy.Green] != 0 {
		t.Fatalf("%+v", rep)
	}
	a.none()
	r.acked("other", 1) // a model that did not change is not concerned

	// Another model's change does not bring the rejected host along.
	r.Route(routing(other, 2, allGreen))
	m := a.want(route, "edge")
	if got := weightsOf(t, m.Resources[0], fraudHost); got != allBlue {
		t.Fatalf("the rejected host was sent again: %+v", got)
	}
	r.acked("other", 1)
	if rep := r.Report("fraud"); len(rep.Rejected) != 1 {
		t.Fatalf("the NACK stands no more: %+v", rep)
	}

	// Going back needs no new answer; a correction is sent.
	r.Route(routing(fraud(), 3, allBlue))
	a.none()
	r.acked("fraud", 1)
	fixed := fraud()
	fixed.Route.Timeout = time.Second
	r.Route(routing(fixed, 4, allGreen))
	a.want(route, "edge")
	r.acked("fraud", 1)
}

func TestRejectedClustersConcernThoseNamed(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud(), modelNamed("my-fraud"))
	a := r.client("a")
	names := []string{"fraud/blue", "fraud/green", "my-fraud/blue", "my-fraud/green"}
	a.warm(names...)
	a.ask(route, "edge")
	a.want(route, "edge")
	r.acked("fraud", 1)
	changed := fraud()
	changed.Route.ConnectTimeout = 3 * time.Second
	r.Route(routing(changed, 2, allBlue))
	a.recv(cluster)
	a.nack(cluster, "Error adding/updating cluster(s) fraud/blue: nonsense")
	r.report("fraud", "the rejection", func(rep rollout.Report) bool { return len(rep.Rejected) == 1 && rep.Rejected[0].Type == "cluster" })
	if rep := r.Report("my-fraud"); len(rep.Rejected) != 0 || rep.Acked != 1 {
		t.Fatalf("my-fraud is not concerned: %+v", rep)
	}
	a.none()
	// The node may have taken a part of it, so going back is sent too.
	r.Route(routing(fraud(), 3, allBlue))
	a.want(cluster, names...)
	r.acked("fraud", 1)
}

func TestRejectedListenerConcernsAllModels(t *testing.T) {
	r := start(t, Options{})
	r.SetFleets(map[string]*policy.Fleet{"edge": {Name: "edge", Routes: "edge", Listener: &policy.Listener{Name: "in", Address: "127.0.0.1", Port: 1}}})
	r.open(fraud(), modelNamed("other"))
	a := r.client("a")
	a.ask(listener)
	a.recv(listener)
	a.nack(listener, "cannot bind")
	for _, m := range []string{"fraud", "other"} {
		r.report(m, "the rejection", func(rep rollout.Report) bool { return len(rep.Rejected) == 1 && rep.Rejected[0].Type == "listener" })
	}
	a.none()
	r.SetFleets(map[string]*policy.Fleet{"edge": {Name: "edge", Routes: "edge", Listener: &policy.Listener{Name: "in", Address: "127.0.0.1", Port: 2}}})
	a.want(listener, "in")
	r.report("fraud", "no rejection", func(rep rollout.Report) bool { return len(rep.Rejected) == 0 })
}

func TestRepeatedRequestIsAnswered(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.join()
	a.ask(endpoint, "fraud/blue", "fraud/green")
	a.want(endpoint, "fraud/blue", "fraud/green")
	a.none()
}

func TestOnlyChangedEndpointsAreSent(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud(), modelNamed("other"))
	a, b := r.client("a"), r.client("b")
	a.warm("fraud/blue", "fraud/green", "other/blue", "other/green")
	b.ask(endpoint, "other/blue")
	b.want(endpoint, "other/blue")
	r.Endpoints("fraud", eps(1, 2), eps(3, 2))
	a.want(endpoint, "fraud/green")
	b.none()
}

func TestUnknownNamesAreAnsweredWhenTheyExist(t *testing.T) {
	r := start(t, Options{})
	r.open()
	a := r.client("a")
	a.ask(route, "edge")
	a.ask(endpoint, "fraud/blue")
	a.none()
	r.Route(routing(fraud(), 1, allBlue))
	a.none()
	r.Endpoints("fraud", nil, nil)
	a.want(endpoint, "fraud/blue") // empty, but an answer
}

func TestUnknownTypesAreIgnored(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	a := r.client("a")
	a.send(&discoveryv3.DiscoveryRequest{TypeUrl: "type.googleapis.com/envoy.service.runtime.v3.Runtime"})
	a.none()
	a.join()
}

func TestRequestsThatAreRefused(t *testing.T) {
	r := start(t, Options{})
	r.open(fraud())
	for name, c := range map[string]struct {
		first *discoveryv3.DiscoveryRequest
		code  codes.Code
		text  string
	}{
		"no node":    {&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[cluster]}, codes.InvalidArgument, "node.id"},
		"no cluster": {&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[cluster], Node: nodeOf("", "a")}, codes.InvalidArgument, "node.cluster"},
		"many names": {&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[endpoint], Node: nodeOf("edge", "a"), ResourceNames: make([]string, maxNames+1)}, codes.ResourceExhausted, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			a := r.client("a")
			a.first = false
			a.send(c.first)
			err := <-a.ended
			if status.Code(err) != c.code || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("got %v", err)
			}
		})
	}
}
