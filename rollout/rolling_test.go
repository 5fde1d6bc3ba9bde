package rollout_test

import (
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// rollingWorld is four instances of blue, of which one at a time makes room. Whoever
// is asked to let instances go, or for them back, does so at once.
func rollingWorld(t *testing.T) *world {
	p := shortest()
	p.Rolling = &policy.Rolling{Batch: policy.Amount{Count: 1}, Capacity: policy.Full * 3 / 4, Hold: time.Minute}
	p.Validate = []policy.Check{endpoints(1, 0), golden()}
	p.Retire.Webhook = "https://hooks/retire"
	w := newWorld(t, p)
	w.see(4, 0)
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	return w
}

// see has so many instances ready, and every node ACK.
func (w *world) see(blue, green int) {
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: instances(policy.Blue, blue, "v1"), Green: instances(policy.Green, green, "v2")}})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
}

// settle lets every answer come that is waited for, and time pass until nothing is due
// within d.
func (w *world) settle(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); ; {
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		switch wake := w.s.WakeAt(); {
		case !w.s.Rolled.Asked.IsZero():
			w.step(rollout.Retired{Key: w.s.Rolled.Key})
		case w.s.CheckRun != 0:
			w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
		case wake.IsZero() || wake.After(end):
			w.now = end
			return
		default:
			w.now = wake
			w.step(rollout.Tick{})
		}
	}
}

// A switch that should go back, and can't yet, has asked for what was let go. A person
// who promotes it all the same withdraws that, too.
func TestPromotedRollingSwitchEnds(t *testing.T) {
	w := rollingWorld(t)
	w.settle(20 * time.Second)
	for green := 1; w.s.Phase != rollout.Baking; green++ {
		w.see(4-green, green)
		w.settle(90 * time.Second)
		if green > 4 {
			t.Fatalf("%s %+v: %s", w.s.Phase, w.s.Weights, w.s.Problem)
		}
	}
	w.step(rollout.Command{Verb: rollout.RollBack, Actor: "ann"})
	if w.s.Phase != rollout.Held || !w.s.Rolled.Restore {
		t.Fatalf("%s %+v", w.s.Phase, w.s.Rolled)
	}
	w.step(rollout.Command{Verb: rollout.Promote, Actor: "ann"})
	generation := w.s.Generation
	for range 50 {
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		if !w.s.Rolled.Asked.IsZero() {
			w.step(rollout.Retired{Key: w.s.Rolled.Key})
		}
	}
	if n := w.s.Generation - generation; n > 2 {
		t.Errorf("%d generations were published in no time", n)
	}
	w.see(0, 4)
	w.settle(time.Hour)
	if w.s.Phase != rollout.Idle || w.s.Switch.Outcome != rollout.Succeeded {
		t.Errorf("%s %s %+v", w.s.Phase, w.s.Switch.Outcome, w.s.Rolled)
	}
}

// A node that is away may still send to what leaves the clusters, and so may a
// connected one that has not ACKed the endpoints without it. Nobody is told before.
func TestABatchWaitsForEveryNodeThatMaySendThere(t *testing.T) {
	for name, hinder := range map[string]func(*rollout.Report){
		"away": func(r *rollout.Report) {
			r.Stale = []rollout.Stale{{Fleet: "edge", Node: "e8", Since: start, Until: start.Add(time.Hour)}}
			r.MaySend[policy.Blue]++
		},
		"behind": func(r *rollout.Report) { r.Behind = map[policy.Color]int{policy.Blue: 1} },
	} {
		w := rollingWorld(t)
		for range 4 {
			r := allACK(w.s, 3)
			hinder(&r)
			w.step(rollout.Reported{Report: r})
			w.elapse(time.Minute)
		}
		if !w.s.Rolled.Asked.IsZero() {
			t.Errorf("%s: asked to let %+v go", name, w.s.Rolled.Batches)
		}
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		w.elapse(16 * time.Second)
		if w.s.Rolled.Asked.IsZero() {
			t.Errorf("%s: nobody was asked: %s", name, w.s.Problem)
		}
	}
}

// While a batch waits for a node, the switch waits too: to be held would only stop
// what it waits for.
func TestARollingSwitchWaitsForANodeThatIsAway(t *testing.T) {
	w := rollingWorld(t)
	w.settle(20 * time.Second)
	w.see(3, 1)
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.elapse(time.Minute)
	r := allACK(w.s, 3)
	r.Stale = []rollout.Stale{{Fleet: "edge", Node: "e8", Since: w.now, Until: w.now.Add(time.Hour)}}
	r.MaySend[policy.Blue]++
	w.step(rollout.Reported{Report: r})
	w.elapse(50 * time.Minute)
	if w.s.Phase != rollout.Holding || len(w.s.Rolled.Batches) != 2 {
		t.Fatalf("%s: %s %+v", w.s.Phase, w.s.Problem, w.s.Rolled)
	}
	if !strings.Contains(w.s.Problem, "edge/e8 is stale until") {
		t.Errorf("problem: %s", w.s.Problem)
	}
}

// The registry says for a minute that the old instances are all gone. The few new ones
// are not given everything, and the old ones are not let go for it.
func TestAFlapDoesNotEmptyTheOldColor(t *testing.T) {
	w := rollingWorld(t)
	w.settle(20 * time.Second)
	w.see(3, 1)
	w.settle(10 * time.Second)
	if w.s.Phase != rollout.Holding {
		t.Fatalf("%s %s", w.s.Phase, w.s.Problem)
	}
	w.see(0, 1)
	w.settle(2 * time.Minute)
	if got := w.s.Weights.Of(policy.Green); got != 2500 {
		t.Errorf("one of four instances gets %d: %s", got, w.s.Phase)
	}
	w.see(3, 1)
	w.settle(2 * time.Minute)
	if n := len(w.s.Rolled.Batches); n > 2 {
		t.Errorf("%s: %d batches were let go for one new instance", w.s.Phase, n)
	}
}

// A person may give the few that are left everything; the old ones that come back then
// are kept until there are enough new ones.
func TestTooFewNewInstancesKeepTheOldOnes(t *testing.T) {
	w := rollingWorld(t)
	w.settle(20 * time.Second)
	w.see(3, 1)
	w.settle(10 * time.Second)
	w.see(0, 1)
	w.step(rollout.Command{Verb: rollout.Promote, Actor: "ann"})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	if w.s.Phase != rollout.Baking {
		t.Fatalf("%s %s", w.s.Phase, w.s.Problem)
	}
	w.see(3, 1)
	w.settle(time.Hour)
	if n := len(w.s.Rolled.Batches); n > 1 || w.s.Phase != rollout.Baking {
		t.Errorf("%s: %d batches were let go for one new instance", w.s.Phase, n)
	}
	w.see(3, 4)
	w.settle(time.Hour)
	w.see(0, 4)
	w.settle(time.Hour)
	if w.s.Phase != rollout.Idle || w.s.Switch.Outcome != rollout.Succeeded {
		t.Errorf("%s %s", w.s.Phase, w.s.Problem)
	}
}

// A drill that becomes a rollback keeps what has not been let go yet, and wants the rest
// back, as every rollback does.
func TestADrillThatBecomesARollbackLetsNothingGo(t *testing.T) {
	w := rollingWorld(t)
	w.settle(20 * time.Second)
	for green := 1; green < 4; green++ {
		w.see(4-green, green)
		w.settle(70 * time.Second)
	}
	for w.s.Phase != rollout.Baking { // nobody has let the last one go
		w.elapse(time.Minute)
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
	}
	w.step(rollout.Command{Verb: rollout.Promote, Actor: "ann"})
	again := instances(policy.Blue, 7, "v1")[4:] // somebody brings others up
	set := rollout.EndpointSet{Blue: again, Green: instances(policy.Green, 4, "v2")}
	w.step(rollout.Observed{Endpoints: set})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Practise, Actor: "ann", AnyRate: true})
	if w.s.Phase != rollout.Drilling {
		t.Fatalf("%s: %+v", w.s.Phase, w.last)
	}
	set.Green = nil
	w.step(rollout.Observed{Endpoints: set})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	if w.s.Phase != rollout.Idle || w.s.Live != policy.Blue || !w.s.Rolled.Restore {
		t.Errorf("%s, %s live, %+v", w.s.Phase, w.s.Live, w.s.Rolled)
	}
}

// Whoever is asked in vain is corrected in the policy: a switch that is over asks whom
// the policy names now, or what it let go would keep every other switch from beginning.
func TestACorrectedPolicySaysWhoBringsInstancesBack(t *testing.T) {
	w := rollingWorld(t)
	w.settle(20 * time.Second)
	w.see(3, 0)
	w.step(rollout.Command{Verb: rollout.Abort, Actor: "ann"})
	w.step(rollout.Retired{Key: w.s.Rolled.Key, Problem: "no such host"})
	next := *w.p
	next.Retire.Webhook = "https://hooks.example/retire"
	w.p = &next
	w.step(rollout.PolicyChanged{})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	for _, a := range w.elapse(2 * time.Minute) {
		if l, ok := a.(rollout.LetGo); !ok || !l.Restore || l.How.Webhook != next.Retire.Webhook {
			t.Errorf("asks %+v", a)
		}
	}
	w.step(rollout.Retired{Key: w.s.Rolled.Key})
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s2"})
	if w.s.Switch.ID != "s2" {
		t.Errorf("%+v", w.last)
	}
}
