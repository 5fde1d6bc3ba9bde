package xds

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"greenlight/policy"
	"greenlight/rollout"
)

// What goes wrong for one model, or keeps changing, must not keep another, or
// the model itself, from going back.

// opened is a server with models that are all blue.
func opened(t *testing.T, o Options, models ...*policy.Model) *Server {
	t.Helper()
	o.Log = quiet
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range models {
		s.Endpoints(p.Name, eps(1, 2), eps(2, 2))
		s.Route(routing(p, 1, allBlue))
	}
	s.Open()
	return s
}

// running is a node that has everything.
func (s *Server) running(t *testing.T, delta bool) *simNode {
	t.Helper()
	n := s.simulate(t, "a", delta)
	n.settle()
	return n
}

// settle lets the node ACK all that it is sent.
func (n *simNode) settle() {
	for range 5 {
		n.pump()
		n.ackAll()
	}
}

func (n *simNode) expect(want rollout.Weights) {
	if got := n.routes[fraudHost]; got != want {
		n.t.Fatalf("the node has weights %+v, want %+v; report %+v", got, want, n.server.Report("fraud"))
	}
}

// bothProtocols runs a test for each.
func bothProtocols(t *testing.T, do func(t *testing.T, delta bool)) {
	t.Run("state of the world", func(t *testing.T) { do(t, false) })
	t.Run("delta", func(t *testing.T) { do(t, true) })
}

func TestRollbackOvertakesEndpointsThatKeepChanging(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud())
		n := s.running(t, delta)
		s.Route(routing(fraud(), 2, allGreen))
		n.settle()
		s.Endpoints("fraud", eps(10, 2), eps(2, 2))
		n.pump()
		s.Route(routing(fraud(), 3, allBlue))
		for i := range 2 {
			s.Endpoints("fraud", eps(11+i, 2), eps(2, 2))
			n.pump()
			n.ack(endpoint)
			n.ack(route)
		}
		n.expect(allBlue)
	})
}

func TestUsersNeverMeetEndpointsOlderThanTheirRoutes(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud())
		n := s.running(t, delta)
		s.Endpoints("fraud", eps(1, 2), eps(7, 2)) // green is another model now
		n.pump()
		s.Route(routing(fraud(), 2, allGreen))
		s.Endpoints("fraud", eps(1, 2), eps(8, 2))
		n.pump()
		if n.pending[route] != nil {
			t.Fatal("users are sent to the endpoints of the model before")
		}
		n.ack(endpoint)
		n.ack(route) // the next endpoints are on their way, and these are of this model
		n.expect(allGreen)
	})
}

func TestRoutesWaitForEndpointsThatEmptyTheCluster(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud())
		n := s.running(t, delta)
		s.Endpoints("fraud", eps(1, 2), nil)
		n.pump() // the empty set is on its way
		s.Endpoints("fraud", eps(1, 2), eps(2, 2))
		s.Route(routing(fraud(), 2, allGreen))
		n.pump()
		if n.pending[route] != nil {
			t.Fatal("users are sent to a cluster that is being emptied")
		}
		n.settle()
		n.expect(allGreen)
	})
}

// coldOnly withholds the endpoints of one cluster.
func (s *Server) coldOnly(name string) {
	f := func(_ string, k kind, n string) bool { return k == endpoint && n == name }
	s.withhold.Store(&f)
}

func TestFirstRoutesGoWithoutAModelThatStaysCold(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		c := newClock()
		s := opened(t, Options{Now: c.Now}, fraud(), modelNamed("other"))
		s.coldOnly("other/blue")
		n := s.running(t, delta)
		if len(n.routes) != 0 {
			t.Fatalf("the node opens its ports before it has all models: %v", n.routes)
		}
		c.add(firstWithin)
		n.settle()
		n.expect(allBlue)
		if rep := s.Report("other"); rep.Acked != 0 || len(rep.Pending) != 1 || rep.Pending[0].Detail != "is not sent the routes yet: it has not ACKed the endpoints of other/blue" {
			t.Errorf("%+v", rep)
		}
		s.withhold.Store(nil)
		n.settle()
		if rep := s.Report("other"); rep.Acked != 1 {
			t.Errorf("other never arrives: %+v", rep)
		}
	})
}

func TestFirstRoutesGoWithoutARejectedModel(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud(), modelNamed("other"))
		n := s.simulate(t, "a", delta)
		n.ack(cluster)
		n.pump()
		a := n.pending[endpoint]
		n.pending[endpoint] = nil
		n.reply(endpoint, a, "bad other/blue")
		n.settle()
		n.expect(allBlue)
		if rep := s.Report("other"); len(rep.Rejected) != 1 {
			t.Errorf("%+v", rep)
		}
		s.Route(routing(fraud(), 2, allGreen))
		n.settle()
		n.expect(allGreen)
	})
}

func TestReconnectedNodeKeepsTheRoutesOfARejectedModel(t *testing.T) {
	s := opened(t, Options{}, fraud(), modelNamed("other"))
	s.running(t, false).leave()
	s.Route(routing(fraud(), 2, allGreen))
	n := s.simulate(t, "a", false)
	n.loose = true // it knows its endpoints from before
	all := []string{"fraud/blue", "fraud/green", "other/blue", "other/green"}
	n.names[endpoint], n.names[route] = all, []string{"edge"}
	n.ack(cluster)
	n.ask(endpoint, all...)
	a := n.pending[endpoint]
	n.pending[endpoint] = nil
	n.must(n.st.takeSotw(&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[route], ResourceNames: n.names[route], VersionInfo: "before"}))
	n.reply(endpoint, a, "bad other/blue")
	n.settle()
	n.expect(allGreen)
	if got := n.routes["other.models.internal"]; got != allBlue {
		t.Errorf("the node lost the routes of other: %v", n.routes)
	}
}

// sharing is two policies on one host.
func sharing() (fraud, other *policy.Model) {
	fraud, other = modelNamed("fraud"), modelNamed("other")
	fraud.Route.Prefix, other.Route.Prefix = "/a", "/longer"
	other.Route.Hosts = fraud.Route.Hosts
	return fraud, other
}

func TestRollbackPassesARejectedNeighbourOnItsHost(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		a, b := sharing()
		s := opened(t, Options{}, a)
		n := s.running(t, delta)
		n.loose = true // it looks at models by their hosts
		s.Route(routing(a, 2, allGreen))
		n.settle()
		s.Endpoints("other", eps(3, 2), eps(4, 2))
		s.Route(routing(b, 1, allBlue))
		n.pump()
		p := n.pending[cluster]
		n.pending[cluster] = nil
		n.reply(cluster, p, "bad other/blue")
		n.settle()
		s.Route(routing(a, 3, allBlue))
		n.settle()
		n.expect(allBlue)
		if rep := s.Report("fraud"); rep.Acked != 1 {
			t.Errorf("fraud can't go back: %+v", rep)
		}
		if rep := s.Report("other"); rep.Acked != 0 || rep.MaySend[policy.Blue] != 0 {
			t.Errorf("other was routed without its cluster: %+v", rep)
		}
	})
}

func TestHandoverOfAPrefixWaitsForTheNewcomer(t *testing.T) {
	a, b := sharing()
	b.Route.Prefix = a.Route.Prefix
	s := opened(t, Options{}, a)
	n := s.running(t, true)
	n.loose = true
	s.coldOnly("other/blue")
	moved := modelNamed("fraud")
	moved.Route.Hosts, moved.Route.Prefix = []string{"elsewhere.internal"}, a.Route.Prefix
	s.Route(routing(moved, 2, allBlue))
	s.Endpoints("other", eps(3, 2), eps(4, 2))
	s.Route(routing(b, 1, allBlue))
	n.settle()
	n.ask(endpoint, "other/blue", "other/green")
	n.settle()
	if rep := s.Report("other"); rep.Acked != 0 || rep.MaySend[policy.Blue] != 0 {
		t.Fatalf("other was routed while it was cold: %+v", rep)
	}
	n.expect(allBlue) // fraud still serves the host
	if got := n.routes["elsewhere.internal"]; got != allBlue {
		t.Errorf("fraud's new host has to wait: %v", n.routes)
	}
	s.withhold.Store(nil)
	n.settle()
	for _, m := range []string{"fraud", "other"} {
		if rep := s.Report(m); rep.Acked != 1 {
			t.Errorf("%s: %+v", m, rep)
		}
	}
}

// refuse answers the routes in flight with a NACK that names none of them, if
// bad says so of the hosts.
func (n *simNode) refuse(bad func(weights map[string]rollout.Weights) bool) {
	a := n.pending[route]
	if a == nil || !bad(weightsByDomain(a)) {
		n.ack(route)
		return
	}
	n.pending[route] = nil
	n.reply(route, a, "no such thing")
}

func TestBystanderOfARejectionGoesBack(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		s := opened(t, Options{}, fraud(), modelNamed("other"))
		n := s.running(t, delta)
		s.Route(routing(fraud(), 2, allGreen))
		n.settle()
		s.Route(routing(modelNamed("other"), 2, rollout.Split(policy.Green, 1000)))
		n.pump()
		// While an answer is in flight fraud goes back and other gets what is rejected.
		s.Route(routing(modelNamed("other"), 3, allGreen))
		s.Route(routing(fraud(), 3, allBlue))
		n.ack(route)
		n.pump()
		for range 5 {
			n.refuse(func(w map[string]rollout.Weights) bool { return w["other.models.internal"] == allGreen })
		}
		n.expect(allBlue)
		if rep := s.Report("fraud"); rep.Acked != 1 {
			t.Errorf("fraud: %+v", rep)
		}
		if rep := s.Report("other"); len(rep.Rejected) != 1 {
			t.Errorf("other: %+v", rep)
		}
		s.Route(routing(fraud(), 4, allGreen))
		s.Route(routing(modelNamed("other"), 4, allBlue))
		n.settle()
		n.expect(allGreen)
		if rep := s.Report("other"); rep.Acked != 1 {
			t.Errorf("other: %+v", rep)
		}
	})
}

func TestOneOfManyHostsIsFoundAtFault(t *testing.T) {
	bothProtocols(t, func(t *testing.T, delta bool) {
		all := []string{"fraud", "a", "b", "z"}
		var models []*policy.Model
		for _, m := range all {
			models = append(models, modelNamed(m))
		}
		s := opened(t, Options{}, models...)
		n := s.running(t, delta)
		s.Route(routing(models[0], 2, rollout.Split(policy.Green, 1)))
		n.pump() // in flight, so the others come together
		for _, p := range models {
			s.Route(routing(p, 3, allGreen))
		}
		answers := 0
		for n.pump(); n.pending[route] != nil; n.pump() {
			answers++
			n.refuse(func(w map[string]rollout.Weights) bool { return w["b.models.internal"] == allGreen })
		}
		for _, m := range all {
			rep := s.Report(m)
			if bad := m == "b"; bad != (len(rep.Rejected) == 1) || bad == (rep.Acked == 1) {
				t.Errorf("%s: %+v", m, rep)
			}
		}
		if answers > 2+len(all) {
			t.Errorf("%d answers", answers)
		}
	})
}

func TestReasonThatNamesAHostSparesTheOthers(t *testing.T) {
	for _, reason := range []string{"Duplicate entry of domain other.models.internal", "route: unknown weighted cluster 'other/green'"} {
		s := opened(t, Options{}, fraud(), modelNamed("other"))
		n := s.running(t, true)
		s.Route(routing(modelNamed("other"), 2, rollout.Split(policy.Green, 1)))
		n.pump()
		s.Route(routing(modelNamed("other"), 3, allGreen))
		s.Route(routing(fraud(), 2, allGreen))
		n.ack(route)
		a := n.pending[route]
		n.pending[route] = nil
		n.reply(route, a, reason)
		n.ack(route)
		n.expect(allGreen)
		if rep := s.Report("other"); len(rep.Rejected) != 1 {
			t.Errorf("%s: %+v", reason, rep)
		}
	}
}
