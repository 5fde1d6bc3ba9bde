package xds

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// listenerOf is a fleet that takes its listener from here.
func listenerOf(routes string, port int) map[string]*policy.Fleet {
	return map[string]*policy.Fleet{"edge": {
		Name: "edge", Routes: routes, Listener: &policy.Listener{Name: "greenlight", Address: "127.0.0.1", Port: port},
	}}
}

// ledger knows of every model what somebody who reads its report only when
// told to would believe.
type ledger struct {
	s      *Server
	models []string
	told   map[string]rollout.Report
}

func newLedger(s *Server, models ...string) *ledger {
	l := &ledger{s: s, models: models, told: map[string]rollout.Report{}}
	l.tell()
	return l
}

// tell takes the news, and returns what Run would call Changed for.
func (l *ledger) tell() []string {
	poked := false
	for _, c := range l.s.news {
		select {
		case <-c:
			poked = true
		default:
		}
	}
	if !poked {
		return nil
	}
	due := l.s.due()
	for _, m := range due {
		l.told[m] = l.s.Report(m)
	}
	return due
}

// unheard is a model whose report is not what was last told; "" if there is none.
func (l *ledger) unheard() string {
	for _, m := range l.models {
		if now := l.s.Report(m); !reflect.DeepEqual(now, l.told[m]) {
			return fmt.Sprintf("nobody was told that the report of %s changed\nfrom %+v\nto   %+v", m, l.told[m], now)
		}
	}
	return ""
}

// TestNoNewsIsLost tries random interleavings of everything that can happen,
// with Run looking only now and then: whatever changed a report must be told.
func TestNoNewsIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		s, err := New(Options{Log: quiet, Now: c.Now, Lease: time.Minute})
		if err != nil {
			rt.Fatal(err)
		}
		w := &world{s: s, weights: map[string]rollout.Weights{}, policies: map[string]*policy.Model{}}
		for _, name := range []string{"fraud", "other"} {
			w.policies[name] = modelNamed(name)
			w.back(name)
			s.Route(routing(w.policies[name], 1, allBlue))
		}
		s.Open()
		w.nodes = []*simNode{
			s.subscriber(rt, "a", "envoy", false), s.subscriber(rt, "b", "envoy", true),
			s.subscriber(rt, "g", "gRPC Go", false),
		}
		l := newLedger(s, "fraud", "other")
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) {
				if !rapid.Bool().Draw(rt, "look") {
					return
				}
				l.tell()
				if news := l.unheard(); news != "" {
					rt.Fatalf("%s", news)
				}
				w.pump()
			},
			"route":     w.route,
			"endpoints": w.endpoints,
			"policy":    w.policy,
			"withdraw":  w.withdraw,
			"fleets": func(rt *rapid.T) {
				s.SetFleets(rapid.SampledFrom([]map[string]*policy.Fleet{
					nil, listenerOf("edge", 1), listenerOf("edge", 2), listenerOf("renamed", 1),
				}).Draw(rt, "fleets"))
				w.pump()
			},
			"ack":  func(rt *rapid.T) { w.node(rt).ack(anyKind(rt)) },
			"nack": func(rt *rapid.T) { w.node(rt).nack(anyKind(rt)) },
			"ask": func(rt *rapid.T) {
				n, k := w.node(rt), anyKind(rt)
				names := n.names[k]
				if k != cluster && len(names) > 0 && !n.delta {
					names = names[:rapid.IntRange(1, len(names)).Draw(rt, "names")]
				}
				n.ask(k, names...)
			},
			"rename": func(rt *rapid.T) {
				n := w.node(rt)
				n.ask(route, rapid.SampledFrom([]string{n.config, "renamed"}).Draw(rt, "routes"))
			},
			"disconnect": func(rt *rapid.T) {
				i := rapid.IntRange(0, len(w.nodes)-1).Draw(rt, "node")
				n := w.nodes[i]
				n.leave()
				w.nodes[i] = s.subscriber(rt, n.id, n.agent, n.delta)
			},
			"lease": func(rt *rapid.T) {
				i := rapid.IntRange(0, len(w.nodes)-1).Draw(rt, "node")
				n := w.nodes[i]
				n.leave()
				c.add(time.Minute)
				s.endLeases(c.Now())
				l.tell()
				if news := l.unheard(); news != "" {
					rt.Fatalf("%s", news)
				}
				w.nodes[i] = s.subscriber(rt, n.id, n.agent, n.delta)
			},
		})
	})
}

// subscriber is a node that has asked for all that it can ask for at its start.
func (s *Server) subscriber(t failer, id, agent string, delta bool) *simNode {
	n := s.arrive(t, id, agent, "edge", delta)
	n.loose = true
	if agent == "envoy" {
		n.ask(cluster)
		n.ask(listener)
		return n
	}
	n.config = "fraud/routes"
	n.ask(listener, "fraud", "other")
	n.ask(cluster, "fraud/blue", "fraud/green")
	return n
}

func anyKind(rt *rapid.T) kind { return kind(rapid.IntRange(0, int(kinds)-1).Draw(rt, "kind")) }

// edge is a world of one model and one node that has taken everything.
type edge struct {
	s     *Server
	n     *simNode
	clock *clock
}

// TestNews has one line for each kind of thing that changes a report.
func TestNews(t *testing.T) {
	corrected := func(e *edge) {
		e.s.SetFleets(listenerOf("edge", 1))
		e.n.pump()
		e.n.ack(listener)
		e.s.SetFleets(listenerOf("edge", 2))
		e.n.pump()
		e.n.nack(listener)
	}
	green := func(e *edge) {
		e.s.Route(routing(fraud(), 2, allGreen))
		e.n.pump()
	}
	cases := map[string]struct{ before, then func(*edge) }{
		"a routing":                   {nil, green},
		"a routing that is sent":      {func(e *edge) { e.s.Route(routing(fraud(), 2, allGreen)) }, func(e *edge) { e.n.pump() }},
		"a routing that is ACKed":     {green, func(e *edge) { e.n.ack(route) }},
		"a routing that is NACKed":    {green, func(e *edge) { e.n.nack(route) }},
		"a rejected routing's return": {func(e *edge) { green(e); e.n.nack(route) }, func(e *edge) { e.s.Route(routing(fraud(), 1, allBlue)) }},
		"endpoints that end": {nil, func(e *edge) {
			e.s.Endpoints("fraud", eps(1, 2), nil)
			e.n.pump()
			e.n.ack(endpoint)
		}},
		"endpoints that are NACKed": {func(e *edge) {
			e.s.Endpoints("fraud", eps(3, 2), eps(2, 2))
			e.n.pump()
		}, func(e *edge) { e.n.nack(endpoint) }},
		"rejected endpoints' correction": {func(e *edge) {
			e.s.Endpoints("fraud", eps(3, 2), eps(2, 2))
			e.n.pump()
			e.n.nack(endpoint)
		}, func(e *edge) { e.s.Endpoints("fraud", eps(4, 2), eps(2, 2)) }},
		"a cluster that is NACKed": {func(e *edge) {
			p := fraud()
			p.Route.ConnectTimeout *= 2
			e.s.Route(routing(p, 2, allBlue))
			e.n.pump()
		}, func(e *edge) { e.n.nack(cluster) }},
		"a listener that is NACKed": {func(e *edge) {
			e.s.SetFleets(listenerOf("edge", 1))
			e.n.pump()
		}, func(e *edge) { e.n.nack(listener) }},
		"a rejected listener's correction": {corrected, func(e *edge) { e.s.SetFleets(listenerOf("edge", 3)) }},
		"a rejected listener's return":     {corrected, func(e *edge) { e.s.SetFleets(listenerOf("edge", 1)) }},
		"a rejected listener's end":        {corrected, func(e *edge) { e.s.SetFleets(nil) }},
		"another name of the routes":       {nil, func(e *edge) { e.s.SetFleets(listenerOf("renamed", 1)) }},
		"a subscription to the routes": {func(e *edge) { e.s.SetFleets(listenerOf("renamed", 1)); e.n.pump() }, func(e *edge) {
			e.n.ask(route, "renamed")
		}},
		"the first ACK after a renaming": {func(e *edge) {
			e.s.SetFleets(listenerOf("renamed", 1))
			e.n.ask(route, "renamed")
		}, func(e *edge) { e.n.ack(route) }},
		"routes that a node no longer asks for":    {nil, func(e *edge) { e.n.ask(route, "elsewhere") }},
		"endpoints that a node no longer asks for": {nil, func(e *edge) { e.n.ask(endpoint, "fraud/blue") }},
		"a node that comes":                        {nil, func(e *edge) { e.s.simulate(e.n.t, "b", false) }},
		"a node that goes":                         {nil, func(e *edge) { e.n.leave() }},
		"a gRPC client that asks for the routes": {nil, func(e *edge) {
			g := e.s.arrive(e.n.t, "g", "gRPC Go", "fraud/routes", false)
			g.loose = true
			g.ask(route, "fraud/routes")
		}},
		"a lease that ends": {func(e *edge) { e.n.leave() }, func(e *edge) {
			e.clock.add(time.Hour)
			e.s.endLeases(e.clock.Now())
		}},
		"a withdrawal": {nil, func(e *edge) { e.s.Withdraw("fraud"); e.n.leave() }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := newEdge(t)
			if c.before != nil {
				c.before(e)
			}
			l := newLedger(e.s, "fraud")
			l.told["fraud"] = e.s.Report("fraud")
			was := l.told["fraud"]
			c.then(e)
			if now := e.s.Report("fraud"); reflect.DeepEqual(now, was) {
				t.Fatalf("the report did not change: %+v", now)
			}
			if due := l.tell(); !slices.Contains(due, "fraud") {
				t.Errorf("told only of %q", due)
			}
			if news := l.unheard(); news != "" {
				t.Error(news)
			}
		})
	}
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	c := newClock()
	s, err := New(Options{Log: quiet, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.Endpoints("fraud", eps(1, 2), eps(2, 2))
	s.Route(routing(fraud(), 1, allBlue))
	s.Open()
	e := &edge{s: s, n: s.subscriber(t, "a", "envoy", false), clock: c}
	e.n.ackAll()
	if rep := s.Report("fraud"); rep.Acked != 1 {
		t.Fatalf("%+v", rep)
	}
	return e
}

// Known nodes from before a restart that come back, or don't, settle a report.
func TestSettlingIsNews(t *testing.T) {
	for _, back := range []bool{true, false} {
		t.Run(fmt.Sprint("back ", back), func(t *testing.T) {
			c := newClock()
			s, err := New(Options{Log: quiet, Now: c.Now, Nodes: &memory{nodes: []rollout.NodeRecord{{Fleet: "edge", Node: "a"}}}})
			if err != nil {
				t.Fatal(err)
			}
			s.Endpoints("fraud", eps(1, 2), eps(2, 2))
			s.Route(routing(fraud(), 1, allBlue))
			s.Open()
			l := newLedger(s, "fraud")
			if l.told["fraud"].Settled {
				t.Fatal("settled at once")
			}
			if back {
				s.subscriber(t, "a", "envoy", false)
			} else {
				c.add(s.opts.ReconnectGrace)
				s.endLeases(c.Now())
			}
			if l.tell(); !l.told["fraud"].Settled {
				t.Error("nobody was told that the report is settled")
			}
		})
	}
}

// Run tells news as soon as its haste asks for, whatever came before: the wait
// for the one must not delay the other.
func TestRunTellsInTime(t *testing.T) {
	moves := map[haste]time.Duration{partial: partialGap, soon: quietGap, urgent: urgentGap}
	for _, before := range []haste{partial, soon, urgent} {
		for last, within := range moves {
			for _, after := range []time.Duration{0, time.Millisecond, quietGap - time.Millisecond, quietGap, time.Second} {
				synctest.Test(t, func(t *testing.T) {
					var told atomic.Int64 // in Unix nanoseconds
					s, err := New(Options{Log: quiet, Changed: func(string) { told.Store(time.Now().UnixNano()) }})
					if err != nil {
						t.Fatal(err)
					}
					s.Endpoints("fraud", eps(1, 2), nil)
					s.Route(routing(fraud(), 1, allBlue))
					ctx, cancel := context.WithCancel(t.Context())
					ended := make(chan error)
					go func() { ended <- s.Run(ctx) }()
					synctest.Wait()
					s.touch(s.models["fraud"].flags, before)
					time.Sleep(after)
					synctest.Wait()
					told.Store(0) // before the touch, which may be told of at once
					s.touch(s.models["fraud"].flags, last)
					time.Sleep(within)
					synctest.Wait()
					if told.Load() == 0 {
						t.Errorf("news of haste %d, %v after news of haste %d, was not told in %v", last, after, before, within)
					}
					cancel()
					if err := <-ended; err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// Nodes that ACK at the same time, each in its own goroutine, never leave the
// last word untold.
func TestLastAckIsToldUnderContention(t *testing.T) {
	var s *Server
	told := make(chan rollout.Report, 1)
	s, err := New(Options{Log: quiet, Changed: func(m string) {
		select {
		case <-told:
		default:
		}
		told <- s.Report(m)
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Endpoints("fraud", eps(1, 2), eps(2, 2))
	s.Route(routing(fraud(), 1, allBlue))
	s.Open()
	var nodes []*simNode
	for i := range 32 {
		n := s.simulate(t, fmt.Sprint(i), i%2 == 0)
		n.ackAll()
		nodes = append(nodes, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { _ = s.Run(ctx) })
	defer run.Wait()
	defer cancel()
	for g := range uint64(100) {
		s.Route(routing(fraud(), g+2, []rollout.Weights{allGreen, allBlue}[g%2]))
		var all sync.WaitGroup
		for _, n := range nodes {
			all.Go(func() {
				n.pump()
				n.ack(route)
			})
		}
		all.Wait()
		patience := time.After(30 * time.Second)
		for rep := (rollout.Report{}); rep.Acked < len(nodes) || rep.Generation != g+2; {
			select {
			case rep = <-told:
			case <-patience:
				t.Fatalf("all have ACKed generation %d, and what was told last is %+v", g+2, rep)
			}
		}
	}
}
