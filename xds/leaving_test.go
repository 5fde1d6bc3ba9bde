package xds

import (
	"slices"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// in is fraud in other fleets than edge alone.
func in(fleets ...string) *policy.Model {
	p := fraud()
	p.Route.Fleets = fleets
	return p
}

func sendsToBlue(connected int) func(rollout.Report) bool {
	return func(r rollout.Report) bool {
		return r.MaySend[policy.Blue] == 1 && r.Sending[policy.Blue] == connected && len(r.Stale) == 1-connected
	}
}

func nobodySends(r rollout.Report) bool { return r.MaySend[policy.Blue] == 0 && len(r.Stale) == 0 }

// A node of a fleet that the model left counts among those that may send until
// it took the routes away.
func TestLeftFleetMaySendUntilItsNodesTookTheRoutesAway(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, in("edge", "core"))
		n := s.running(t, delta)
		s.Route(routing(in("core"), 2, allGreen))
		n.pump()
		s.is(t, "fraud", "a sender to blue", sendsToBlue(1))
		s.is(t, "fraud", "no node that has to confirm", func(r rollout.Report) bool { return r.Connected == 0 })
		s.due()
		n.ack(route)
		s.is(t, "fraud", "no sender to blue", nobodySends)
		if !slices.Contains(s.due(), "fraud") {
			t.Error("nobody is told that the node took the routes away")
		}
	})
}

func TestLeftFleetKeepsItsStaleNodes(t *testing.T) {
	c := newClock()
	s := opened(t, Options{Now: c.Now, Lease: time.Minute}, in("edge", "core"))
	n := s.running(t, false)
	n.leave()
	s.Route(routing(in("core"), 2, allGreen))
	s.due()
	s.is(t, "fraud", "a stale sender to blue", sendsToBlue(0))

	again := s.simulate(t, "a", false) // it asks for clusters, and no routes yet
	s.is(t, "fraud", "a sender to blue", sendsToBlue(1))
	s.due()
	again.ask(route, "edge")
	again.ackAll()
	s.is(t, "fraud", "no sender to blue", nobodySends)
	if !slices.Contains(s.due(), "fraud") {
		t.Error("nobody is told that the node follows the new routes")
	}
}

// What a node of any fleet routes after a restart is not known.
func TestUnknownNodeOfAnyFleetMaySend(t *testing.T) {
	store := &memory{nodes: []rollout.NodeRecord{{Fleet: "edge", Node: "a", Agent: "envoy"}}}
	s := opened(t, Options{Nodes: store}, in("core"))
	s.is(t, "fraud", "a stale sender to blue", sendsToBlue(0))
	n := s.simulate(t, "a", true)
	s.is(t, "fraud", "a sender to blue", sendsToBlue(1))
	other := modelNamed("other")
	s.Endpoints("other", eps(1, 1), eps(2, 1))
	s.Route(routing(other, 1, allBlue))
	n.settle()
	s.is(t, "fraud", "no sender to blue", nobodySends)
}

// A node that went away before it ever routed the model does not send to it.
func TestStaleNodeThatNeverRoutedTheModel(t *testing.T) {
	s := opened(t, Options{}, modelNamed("other"))
	s.running(t, true).leave()
	s.Endpoints("fraud", eps(1, 2), eps(2, 2))
	s.Route(routing(fraud(), 1, allBlue))
	s.is(t, "fraud", "no sender to blue", nobodySends)
	s.is(t, "other", "a stale node", func(r rollout.Report) bool { return len(r.Stale) == 1 })
}

// A fleet that nobody describes any more is kept while a model leaves it: who asks
// for that model's report has it looked into.
func TestAFleetIsKeptWhileAModelLeavesIt(t *testing.T) {
	s := opened(t, Options{})
	s.SetFleets(map[string]*policy.Fleet{"edge": {Name: "edge", Routes: "special"}})
	s.Endpoints("fraud", eps(1, 2), eps(2, 2))
	s.Route(routing(fraud(), 1, allBlue))
	n := s.arrive(t, "a", "envoy", "special", true)
	n.ask(cluster)
	n.ackAll()
	s.Withdraw("fraud")
	s.SetFleets(nil)
	n.leave()
	s.is(t, "fraud", "a stale node", func(r rollout.Report) bool { return len(r.Stale) == 1 })
	s.due()
	if s.fleets["edge"] != nil || s.leaving["fraud"] != nil {
		t.Error("the fleet, or the model, is kept for nobody")
	}
}
