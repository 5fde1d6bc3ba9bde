package xds

import (
	"slices"
	"strings"
	"testing"

	"greenlight/policy"
	"greenlight/rollout"
)

// slower is fraud with other clusters and the same routes.
func slower() *policy.Model {
	p := fraud()
	p.Route.ConnectTimeout *= 3
	return p
}

func (s *Server) is(t *testing.T, model, what string, ok func(rollout.Report) bool) {
	t.Helper()
	if rep := s.Report(model); !ok(rep) {
		t.Fatalf("want %s of %s, got %+v", what, model, rep)
	}
}

func oneAcked(r rollout.Report) bool    { return r.Acked == 1 && len(r.Pending) == 0 }
func oneRejected(r rollout.Report) bool { return len(r.Rejected) == 1 && len(r.Pending) == 0 }

func onePending(r rollout.Report) bool {
	return r.Acked == 0 && len(r.Pending) == 1 && strings.Contains(r.Pending[0].Detail, "has not ACKed cluster fraud/")
}

// A generation that changes clusters alone is confirmed by the clusters' ACK.
func TestChangedClustersAreConfirmedByTheirAck(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud(), modelNamed("other"))
		n := s.running(t, delta)
		s.due()
		s.Route(routing(slower(), 2, allBlue))
		n.pump()
		s.is(t, "fraud", "no confirmation", onePending)
		s.is(t, "other", "a confirmation", oneAcked)
		s.due()
		n.ack(cluster)
		s.is(t, "fraud", "a confirmation", oneAcked)
		if !slices.Contains(s.due(), "fraud") {
			t.Error("nobody is told of the ACK")
		}
	})
}

func TestRejectedClustersAreNotPending(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud(), modelNamed("other"))
		n := s.running(t, delta)
		s.Route(routing(slower(), 2, allBlue))
		n.pump()
		n.nack(cluster)
		s.is(t, "fraud", "a rejection", oneRejected)
		s.is(t, "other", "a confirmation", func(r rollout.Report) bool { return len(r.Rejected) == 0 && r.Acked+len(r.Pending) == 1 })
		n.ackAll()
		s.is(t, "other", "a confirmation", oneAcked)
		// What a node rejected it may have taken in part: going back is an answer too.
		s.Route(routing(fraud(), 3, allBlue))
		n.pump()
		s.is(t, "fraud", "no confirmation", onePending)
		n.ackAll()
		s.is(t, "fraud", "a confirmation", oneAcked)
	})
}

// A rejection that names another model's cluster leaves the rest of the answer.
func TestClustersBesideARejectedOneAreConfirmed(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud(), modelNamed("other"))
		n := s.running(t, delta)
		bad := modelNamed("other")
		bad.Route.ConnectTimeout *= 5
		s.Route(routing(slower(), 2, allBlue))
		s.Route(routing(bad, 2, allBlue))
		n.pump()
		a := n.pending[cluster]
		n.pending[cluster] = nil
		n.reply(cluster, a, "bad other/blue")
		n.ackAll()
		s.is(t, "other", "a rejection", oneRejected)
		s.is(t, "fraud", "a confirmation", oneAcked)
	})
}

func TestEndpointsUnconfirmNothing(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud())
		n := s.running(t, delta)
		s.Endpoints("fraud", eps(5, 1), eps(6, 3))
		s.is(t, "fraud", "a confirmation", oneAcked)
		n.pump()
		s.is(t, "fraud", "a confirmation", oneAcked)
	})
}

// A cluster that was changed and put back while the change is on its way.
func TestRevertedClusterWaitsForWhatIsOnItsWay(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud())
		n := s.running(t, delta)
		s.Route(routing(slower(), 2, allBlue))
		n.pump()
		s.Route(routing(fraud(), 3, allBlue))
		n.pump()
		s.is(t, "fraud", "no confirmation", onePending)
		n.ack(cluster)
		s.is(t, "fraud", "no confirmation", onePending)
		n.ackAll()
		s.is(t, "fraud", "a confirmation", oneAcked)
	})
}

// What instances a node sends to is told apart from what it routes: only its ACK of the
// endpoints says that those which left get nothing more.
func TestANodeIsBehindUntilItACKsTheEndpoints(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		behind := func(blue int) func(rollout.Report) bool {
			return func(r rollout.Report) bool { return r.Behind[policy.Blue] == blue && r.Behind[policy.Green] == 0 }
		}
		s := opened(t, Options{}, fraud())
		n := s.running(t, delta)
		s.is(t, "fraud", "nobody behind", behind(0))
		s.due()
		s.Route(routing(fraud(), 2, allBlue))
		s.Endpoints("fraud", eps(1, 1), eps(2, 2))
		s.is(t, "fraud", "a confirmation", oneAcked)
		s.is(t, "fraud", "one behind", behind(1))
		n.pump()
		s.is(t, "fraud", "one behind", behind(1))
		s.due()
		n.ack(endpoint)
		s.is(t, "fraud", "nobody behind", behind(0))
		if !slices.Contains(s.due(), "fraud") {
			t.Error("nobody is told of the ACK")
		}
	})
}

// A fleet's routes that get another name, and theirs back, while a node is being told
// that they are gone.
func TestRoutesThatComeBackWaitForTheirRemoval(t *testing.T) {
	s := opened(t, Options{}, fraud())
	n := s.running(t, true)
	s.is(t, "fraud", "a confirmation", oneAcked)
	s.SetFleets(map[string]*policy.Fleet{"edge": {Name: "edge", Routes: "other"}})
	n.pump()
	s.SetFleets(nil)
	n.pump()
	s.is(t, "fraud", "no confirmation", func(r rollout.Report) bool { return r.Acked == 0 && len(r.Pending) == 1 })
	n.ackAll()
	s.is(t, "fraud", "a confirmation", oneAcked)
}
