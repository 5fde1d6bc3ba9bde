package rollout_test

import (
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// meet lets so much time pass, each second of it with a window of users' requests.
func (w *world) meet(d time.Duration, window func() rollout.Window) {
	w.t.Helper()
	for range int(d / time.Second) {
		w.elapse(time.Second)
		seen := window()
		seen.Begin, seen.End = w.now.Add(-time.Second), w.now
		w.step(rollout.Measured{Windows: []rollout.Window{seen}})
	}
}

// usersOf is a second of users' requests, by the weights that stand.
func (w *world) usersOf(blue, green rollout.Tally) func() rollout.Window {
	return func() rollout.Window {
		return rollout.Window{Users: []rollout.Routed{routed(w.s.Weights, blue, green)}}
	}
}

// bluesOf has so many of all instances of blue ready, and all of green.
func (w *world) bluesOf(ready, all int) {
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{
		Blue: instances(policy.Blue, ready, "v1"), Green: instances(policy.Green, all, "v2"),
		Unready: map[policy.Color]int{policy.Blue: all - ready},
	}})
}

// Nine of ten instances went away, and the last one failed most of what all users asked:
// that it was asked so much is no proof that it can carry it.
func TestWhatAnInstanceFailedItDidNotCarry(t *testing.T) {
	p := shortest()
	p.Shift = []policy.Step{{Weight: 1000, Hold: 10 * time.Minute}, {Weight: policy.Full}}
	w := newWorld(t, p)
	w.bluesOf(10, 10)
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.meet(20*time.Second, w.usersOf(tallyOf(1000, 0, time.Millisecond), rollout.Tally{}))
	w.bluesOf(1, 10)
	w.meet(20*time.Second, w.usersOf(tallyOf(1000, 900, time.Millisecond), rollout.Tally{}))
	w.bluesOf(10, 10)
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.meet(20*time.Second, w.usersOf(tallyOf(900, 0, time.Millisecond), tallyOf(100, 0, time.Millisecond)))
	w.bluesOf(2, 10)
	if r := w.s.Readiness(); !r.Short || r.Carried > 110 {
		t.Errorf("%s: %+v", w.s.Phase, r)
	}
}

// While instances come and go it is not known who carried what: the rate is that of the
// last ten seconds, the number of instances that of now.
func TestWhatOthersCarriedIsNoInstancesOwn(t *testing.T) {
	w := newWorld(t, shortest())
	all := w.usersOf(tallyOf(1000, 0, time.Millisecond), rollout.Tally{})
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: instances(policy.Blue, 10, "v1")}})
	w.meet(12*time.Second, all)
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: instances(policy.Blue, 1, "v1")}})
	w.meet(time.Second, all)
	if c := w.s.Carried.Blue; c.Rate != 100 || c.Endpoints != 10 {
		t.Errorf("%+v", c)
	}
}

// An Envoy that stops reporting still has its users, and they would go back, too.
func TestTheWayBackIsForUsersOfSilentNodesToo(t *testing.T) {
	p := shortest()
	p.Shift = []policy.Step{{Weight: 1000, Hold: 10 * time.Minute}, {Weight: policy.Full}}
	w := newWorld(t, p)
	of := func(nodes ...string) func() rollout.Window {
		return func() rollout.Window {
			n := len(nodes)
			seen := w.usersOf(tallyOf(90*n, 0, time.Millisecond), tallyOf(10*n, 0, time.Millisecond))()
			if w.s.Weights == rollout.AllOn(policy.Blue) {
				seen = w.usersOf(tallyOf(100*n, 0, time.Millisecond), rollout.Tally{})()
			}
			for _, name := range nodes {
				seen.Nodes = append(seen.Nodes, rollout.NodeWindow{Fleet: "edge", Node: name, Weights: w.s.Weights, Requests: rollout.ByColor[int]{Blue: 90, Green: 10}})
			}
			return seen
		}
	}
	w.bluesOf(4, 4)
	w.step(rollout.Reported{Report: allACK(w.s, 2)})
	w.meet(20*time.Second, of("e1", "e2"))
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 2)})
	w.meet(20*time.Second, of("e1", "e2"))
	w.meet(20*time.Second, of("e1"))
	w.bluesOf(2, 4) // which answered 50 requests a second each
	if r := w.s.Readiness(); !r.Short || r.Rate < 190 {
		t.Errorf("%s, silent %v: %+v", w.s.Phase, w.s.Silent(), r)
	}
}
