package rollout_test

import (
	"math"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

func hours(t *testing.T, what string, w rollout.Twice, now time.Time, want float64) {
	t.Helper()
	if got := w.At(now); math.Abs(got-want) > 1e-9 {
		t.Errorf("%s: %g instance-hours, want %g", what, got, want)
	}
}

// The color that is not live is what running twice takes, ready or not, whichever
// color that is; a switch has the part from its start until its old color is let go.
func TestTwiceCountsTheColorThatIsNotLive(t *testing.T) {
	p := shortest()
	p.Bake.For, p.Bake.Checks, p.Retire.After = time.Hour, nil, time.Hour
	w := newWorld(t, p)
	two := rollout.EndpointSet{Blue: instances(policy.Blue, 2, "v1"), Green: instances(policy.Green, 1, "v2"), Unready: map[policy.Color]int{policy.Green: 2}}
	w.step(rollout.Observed{Endpoints: two})
	w.now = w.now.Add(time.Hour)
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: two.Blue, Green: instances(policy.Green, 3, "v2")}})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	hours(t, "before the switch", w.s.Twice, w.now, 3)

	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.now = w.now.Add(time.Hour)
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	hours(t, "validation, of green", w.s.Switch.Twice, w.now, 3)
	w.elapse(time.Hour)
	hours(t, "the bake, of blue", w.s.Switch.Twice, w.now, 5)
	if w.s.Phase != rollout.Retiring {
		t.Fatal(w.s.Phase)
	}

	// A registry that is not trusted takes nothing away.
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Problem: "consul: connection refused", Since: w.now}})
	w.now = w.now.Add(time.Hour)
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: two.Blue, Green: instances(policy.Green, 3, "v2")}})
	hours(t, "retiring", w.s.Switch.Twice, w.now, 7)

	// What is left of a color that was let go is the model's, not the switch's.
	w.elapse(20 * time.Second)
	w.step(rollout.Retired{Key: "s1"})
	if w.s.Phase != rollout.Idle {
		t.Fatal(w.s.Phase)
	}
	let := w.s.Switch.Twice.At(w.now)
	w.now = w.now.Add(time.Hour)
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Green: instances(policy.Green, 3, "v2")}})
	hours(t, "let go", w.s.Switch.Twice, w.now, let)
	total := w.s.Twice.At(w.now)
	if total < 3+let+1.9 || total > 3+let+2.1 {
		t.Errorf("of the model: %g instance-hours, of the switch %g", total, let)
	}
	w.now = w.now.Add(time.Hour)
	hours(t, "gone", w.s.Twice, w.now, total)
}

// How long instances take to get ready is measured where a color starts from none.
func TestWarmUpIsMeasured(t *testing.T) {
	w := newWorld(t, shortest())
	blue := instances(policy.Blue, 2, "v1")
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: blue}})
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: blue, Unready: map[policy.Color]int{policy.Green: 2}}})
	w.now = w.now.Add(90 * time.Second)
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: blue, Green: instances(policy.Green, 1, "v2"), Unready: map[policy.Color]int{policy.Green: 1}}})
	if w.s.WarmUp.Took != 0 {
		t.Errorf("took %s with one to come", w.s.WarmUp.Took)
	}
	w.now = w.now.Add(30 * time.Second)
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: blue, Green: instances(policy.Green, 2, "v2")}})
	if w.s.WarmUp.Took != 2*time.Minute {
		t.Errorf("took %s", w.s.WarmUp.Took)
	}
	// An instance that is ill for a moment warms nothing up.
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: blue, Green: instances(policy.Green, 1, "v2"), Unready: map[policy.Color]int{policy.Green: 1}}})
	w.now = w.now.Add(time.Second)
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: blue, Green: instances(policy.Green, 2, "v2")}})
	if w.s.WarmUp.Took != 2*time.Minute {
		t.Errorf("took %s after an illness", w.s.WarmUp.Took)
	}
}

// A rolling switch that waits for its turn runs nothing twice, for days perhaps.
func TestARollingSwitchThatWaitsTakesNothing(t *testing.T) {
	p := shortest()
	p.Rolling = &policy.Rolling{Batch: policy.Amount{Count: 1}, Capacity: policy.Full * 3 / 4, Hold: time.Minute}
	p.Calendar = closedAtNight(t)
	w := newWorld(t, p)
	w.see(4, 1)
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.elapse(10 * time.Hour)
	if w.s.Phase != rollout.Waiting {
		t.Fatal(w.s.Phase)
	}
	hours(t, "of the model", w.s.Twice, w.now, 10)
	hours(t, "of the switch", w.s.Switch.Twice, w.now, 10)
}
