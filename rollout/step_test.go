package rollout_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// baking is a world whose switch to green has all of the traffic.
func baking(t *testing.T, p *policy.Model) *world {
	w := newWorld(t, p)
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1", Key: "k1", Reason: "new"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	if w.s.Phase != rollout.Baking {
		t.Fatalf("phase = %s", w.s.Phase)
	}
	return w
}

func TestWakeAt(t *testing.T) {
	early, late := start, start.Add(time.Second)
	for _, c := range []struct {
		name string
		s    rollout.State
		want time.Time
	}{
		{"nothing to wait for", rollout.State{}, time.Time{}},
		{"a deadline", rollout.State{Deadline: late}, late},
		{"a check before the deadline", rollout.State{Deadline: late, NextCheck: early}, early},
		{"a deadline before the check", rollout.State{Deadline: early, NextCheck: late}, early},
		{"a step given up first", rollout.State{Deadline: late, GiveUpAt: early}, early},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.s.WakeAt(); !got.Equal(c.want) {
				t.Errorf("WakeAt = %s, want %s", got, c.want)
			}
		})
	}
}

func TestNewWaitsForNothing(t *testing.T) {
	w := newWorld(t, shortest())
	if w.s.Model != "fraud" || w.s.Phase != rollout.Idle || !w.s.WakeAt().IsZero() {
		t.Errorf("New = %+v", w.s)
	}
	for _, e := range []rollout.Event{
		rollout.Recovered{}, rollout.Tick{}, rollout.PolicyChanged{}, rollout.Retired{},
		rollout.Checked{Run: 1}, rollout.Reported{},
	} {
		if actions := w.step(e); len(actions) != 0 {
			t.Errorf("%T: actions = %+v", e, actions)
		}
	}
}

// TestSwitchTellsItsStory: what history shows is all in the switch.
func TestSwitchTellsItsStory(t *testing.T) {
	w := baking(t, shortest())
	sw := w.s.Switch
	if sw.ID != "s1" || sw.Key != "k1" || sw.Actor != "ann" || sw.Reason != "new" || sw.Model != "fraud" {
		t.Errorf("switch = %+v", sw)
	}
	if sw.FromVersion != "v1" || sw.ToVersion != "v2" || sw.Needed != 4 || !sw.Validated.Equal(start) {
		t.Errorf("switch = %+v", sw)
	}
	var phases []rollout.Phase
	for _, tr := range sw.Transitions {
		phases = append(phases, tr.To)
	}
	want := []rollout.Phase{rollout.Preparing, rollout.Validating, rollout.Confirming, rollout.Baking}
	if !slices.Equal(phases, want) {
		t.Errorf("phases = %v, want %v", phases, want)
	}
	if sw.Transitions[0].Actor != "ann" || sw.Transitions[1].Actor != "" {
		t.Errorf("only the first transition is ann's: %+v", sw.Transitions)
	}
}

// TestPlanStands: a running switch keeps the policy that it began with.
func TestPlanStands(t *testing.T) {
	w := baking(t, shortest())
	next := *w.p
	next.Bake.For, next.Rollback.Automatic = time.Second, false
	w.p = &next
	w.step(rollout.PolicyChanged{})
	w.elapse(time.Minute)
	if w.s.Phase != rollout.Baking {
		t.Fatalf("phase = %s", w.s.Phase)
	}
	w.elapse(10 * time.Minute)
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Fail, "wrong")})
	if w.s.Phase != rollout.RollingBack {
		t.Errorf("phase = %s", w.s.Phase)
	}
}

// TestNewestVerdicts: a later run replaces a check's verdict, and adds others at the end.
func TestNewestVerdicts(t *testing.T) {
	p := shortest()
	p.Bake.Checks = []policy.Check{golden(), {Name: "ready", Ready: &policy.ReadyCheck{Path: "/ready"}}}
	w := baking(t, p)
	w.elapse(10 * time.Minute)
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "later")})
	var got []string
	for _, v := range w.s.Switch.Verdicts {
		got = append(got, v.Check+" "+v.Summary)
	}
	if want := []string{"endpoints ", "golden later", "ready later"}; !slices.Equal(got, want) {
		t.Errorf("verdicts = %q, want %q", got, want)
	}
}

// TestRetireBacksOff: a webhook that fails is asked ever less often, never not at all.
func TestRetireBacksOff(t *testing.T) {
	p := shortest()
	p.Bake.For, p.Retire.After = 0, 0
	p.Bake.Checks = nil
	w := newWorld(t, p)
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.elapse(15 * time.Second)
	for i, minutes := range []int{1, 2, 4, 8, 10, 10} {
		if !slices.ContainsFunc(w.last, isLetGo) {
			t.Fatalf("try %d: actions = %+v", i, w.last)
		}
		w.step(rollout.Retired{Key: "s1", Problem: "503"})
		if got := w.s.WakeAt().Sub(w.now); got != time.Duration(minutes)*time.Minute {
			t.Fatalf("try %d: waits %s, want %d min", i, got, minutes)
		}
		w.elapse(time.Duration(minutes) * time.Minute)
	}
	w.step(rollout.Retired{Key: "s1"})
	if w.s.Phase != rollout.Idle || w.s.Problem != "" {
		t.Errorf("phase = %s, problem = %q", w.s.Phase, w.s.Problem)
	}
	if actions := w.step(rollout.Retired{Key: "s1"}); len(actions) != 0 {
		t.Errorf("a second answer: %+v", actions)
	}
}

func isLetGo(a rollout.Action) bool { _, ok := a.(rollout.LetGo); return ok }

// TestTwoRoadsToOneRest: at one instant, a report and a command end in the
// same place whichever comes first.
func TestTwoRoadsToOneRest(t *testing.T) {
	report := func(w *world) { w.step(rollout.Reported{Report: allACK(w.s, 3)}) }
	back := func(w *world) { w.step(rollout.Command{Verb: rollout.RollBack, Actor: "ann"}) }
	for _, order := range [][]func(*world){{report, back}, {back, report}} {
		w := baking(t, shortest())
		for _, do := range order {
			do(w)
		}
		report(w)
		if w.s.Phase != rollout.Idle || w.s.Live != policy.Blue || w.s.Switch.Outcome != rollout.RolledBack {
			t.Errorf("phase = %s, live = %s", w.s.Phase, w.s.Live)
		}
	}
}

// TestBakeAsksAgainstLiveDuty: during the bake the target is what is live.
func TestBakeAsksAgainstLiveDuty(t *testing.T) {
	w := baking(t, shortest())
	actions := w.elapse(10 * time.Minute)
	if len(actions) != 1 {
		t.Fatalf("actions = %+v", actions)
	}
	if run := actions[0].(rollout.RunChecks); run.Target != policy.Green || run.Live != policy.Green {
		t.Errorf("run = %+v", run)
	}
}

// TestRunsSayWhatTheyAreFor: a run carries its stage, and with users on the
// target the first failure ends it.
func TestRunsSayWhatTheyAreFor(t *testing.T) {
	p := shortest()
	p.Shift = []policy.Step{{Weight: 1250}, {Weight: policy.Full}}
	p.StepChecks = policy.StepChecks{Every: time.Minute, Checks: []policy.Check{golden()}}
	w := newWorld(t, p)
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	var got []string
	note := func(actions []rollout.Action) {
		for _, a := range actions {
			if r, ok := a.(rollout.RunChecks); ok {
				got = append(got, fmt.Sprintf("%s %v %s", r.Stage, r.FailFast, r.Live))
			}
		}
	}
	note(w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"}))
	for range 2 {
		note(w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")}))
		note(w.step(rollout.Reported{Report: allACK(w.s, 3)}))
	}
	note(w.elapse(10 * time.Minute))
	if want := []string{"validate false blue", "12.5% true blue", "bake true green"}; !slices.Equal(got, want) {
		t.Errorf("runs = %q, want %q", got, want)
	}
}

// TestRecoveredKnowsNothing: what was heard before is not taken for true.
func TestRecoveredKnowsNothing(t *testing.T) {
	w := baking(t, shortest())
	w.step(rollout.Recovered{})
	if w.s.Facts.EndpointsKnown || w.s.Facts.ReportKnown {
		t.Errorf("facts = %+v", w.s.Facts)
	}
}

// A restart while known requests go through the route: they go again, whoever is heard
// first, and the bake does not end before.
func TestTheWalkThroughTheRouteIsNotLostInARestart(t *testing.T) {
	p := shortest()
	p.Bake.Checks = nil
	w := newWorld(t, p)
	reported := func() {
		r := allACK(w.s, 3)
		r.Entries = []rollout.Entry{{Fleet: "edge", Node: "e1", Address: "10.0.0.9:80"}}
		w.step(rollout.Reported{Report: r})
	}
	w.step(rollout.Observed{Endpoints: w.healthy()})
	reported()
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	reported()
	if w.s.Phase != rollout.Baking || w.s.WalkRun == 0 {
		t.Fatalf("%s, walk %d", w.s.Phase, w.s.WalkRun)
	}
	w.now = w.now.Add(time.Hour)
	w.restart()
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: rollout.Report{Generation: w.s.Generation}}) // no node has come back yet
	w.step(rollout.Reported{Report: rollout.Report{
		Generation: w.s.Generation, Settled: true,
		Stale: []rollout.Stale{{Fleet: "edge", Node: "e1", Since: w.now, Until: w.now.Add(time.Hour)}},
	}})
	if w.s.Phase != rollout.Baking || w.s.Walked {
		t.Errorf("%s, walked %v, and no node is there", w.s.Phase, w.s.Walked)
	}
	reported()
	if w.s.Phase != rollout.Baking || w.s.WalkRun == 0 {
		t.Errorf("%s, walk %d", w.s.Phase, w.s.WalkRun)
	}
}

// While green bakes, somebody deploys the next model to blue: users are not sent to what
// nobody has validated. A person may, by force.
func TestTheWayBackIsToWhatWasLive(t *testing.T) {
	w := newWorld(t, shortest())
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	set := w.healthy()
	set.Blue = instances(policy.Blue, 4, "v3")
	w.step(rollout.Observed{Endpoints: set})
	w.elapse(10 * time.Minute)
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Fail, "1 of 40 answers differs")})
	if w.s.Phase != rollout.Held || w.s.Weights != rollout.AllOn(policy.Green) || w.s.Back == "" {
		t.Fatalf("%s %+v: %s", w.s.Phase, w.s.Weights, w.s.Problem)
	}
	set.Blue = instances(policy.Blue, 4, "v1")
	w.step(rollout.Observed{Endpoints: set})
	if w.s.Phase != rollout.RollingBack || w.s.Weights != rollout.AllOn(policy.Blue) {
		t.Fatalf("%s %+v: %s", w.s.Phase, w.s.Weights, w.s.Problem)
	}
}
