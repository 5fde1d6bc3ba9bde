package rollout_test

import (
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// halfWatched is a step that is held for ten minutes, after six of them, with users'
// requests seen every second.
func halfWatched(t *testing.T) *world {
	p := shortest()
	p.Shift = []policy.Step{{Weight: 500, Hold: 10 * time.Minute}, {Weight: policy.Full}}
	p.Judge = policy.Judge{Risk: 0.01, MinRequests: 1, MaxHold: time.Minute, Errors: policy.ErrorRule{Tolerate: 1}, Latency: policy.LatencyRule{Tolerate: 1.1}}
	w := newWorld(t, p)
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	if w.s.Phase != rollout.Holding {
		t.Fatal(w.s.Phase)
	}
	for range 360 {
		w.watched()
	}
	return w
}

// watched lets a second pass in which users' requests are seen.
func (w *world) watched() {
	w.now = w.now.Add(time.Second)
	users := routed(w.s.Weights, tallyOf(95, 0, 10*time.Millisecond), tallyOf(5, 0, 10*time.Millisecond))
	w.step(rollout.Measured{Windows: []rollout.Window{{Begin: w.now.Add(-time.Second), End: w.now, Users: []rollout.Routed{users}}}})
}

// The clock is set while the server is away: the step is watched for the time that it
// lacked, whatever the clock says, not shorter, and not for an hour more.
func TestAClockThatIsSetWhileNobodyRuns(t *testing.T) {
	for _, jump := range []time.Duration{0, time.Hour, -time.Hour} {
		w := halfWatched(t)
		w.now = w.now.Add(jump)
		w.restart()
		w.step(rollout.Observed{Endpoints: w.healthy()})
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		watched := 0
		for w.s.Phase == rollout.Holding && watched < 3600 {
			w.watched()
			watched++
		}
		if watched < 239 || watched > 601 {
			t.Errorf("clock set by %s: the rest of 4 min was watched for %d s", jump, watched)
		}
	}
}

// The clock was far ahead when the old color fell silent, and set back while nobody ran:
// it retires after its time by the clock of now, and a batch goes.
func TestAQuietThatIsStillToCome(t *testing.T) {
	p := shortest()
	p.Bake.For, p.Bake.Checks, p.Retire.After = 0, nil, time.Minute
	w := newWorld(t, p)
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.s.Letting.Quiet = w.now.Add(100 * time.Hour)
	w.restart()
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.elapse(2 * time.Hour)
	if w.s.Letting.Asked.IsZero() {
		t.Errorf("%s, wakes at %s: %s", w.s.Phase, w.s.WakeAt(), w.s.Problem)
	}
}

func TestABatchThatIsStillToGo(t *testing.T) {
	w := rollingWorld(t)
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.now = w.now.Add(-100 * time.Hour)
	w.restart()
	w.see(4, 0)
	w.elapse(time.Minute)
	if w.s.Rolled.Asked.IsZero() {
		t.Errorf("wakes at %s: %+v", w.s.WakeAt(), w.s.Rolled)
	}
}

// Who was asked while the clock was far ahead is not waited for longer than from now on.
func TestAnApprovalThatIsLongToCome(t *testing.T) {
	p := shortest()
	p.Bake.For, p.Bake.Checks, p.Retire.After = 0, nil, time.Minute
	p.Approve = []policy.Approval{{Before: policy.BeforeRetire, By: []string{"bob"}, Count: 1, Within: time.Hour}}
	w := newWorld(t, p)
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.elapse(2 * time.Minute)
	if w.s.Letting.Until.IsZero() {
		t.Fatalf("%s: %s", w.s.Phase, w.s.Problem)
	}
	w.now = w.now.Add(-100 * time.Hour)
	w.restart()
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.elapse(2 * time.Hour)
	if w.s.Phase != rollout.Idle || !w.s.Switch.LetGo.IsZero() {
		t.Errorf("%s, wakes at %s: %s", w.s.Phase, w.s.WakeAt(), w.s.Problem)
	}
}

// A first weight that waits for a cold node has its patience anew after a restart: while
// nobody ran nobody could get ready.
func TestPatienceEndsForNobodyWhileNobodyRuns(t *testing.T) {
	for _, away := range []time.Duration{time.Hour, -100 * time.Hour} {
		p := shortest()
		p.Approve = []policy.Approval{{Before: policy.BeforeShift, By: []string{"bob"}, Count: 1, Within: 24 * time.Hour}}
		w := newWorld(t, p)
		w.step(rollout.Observed{Endpoints: w.healthy()})
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
		w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
		cold := allACK(w.s, 3)
		cold.Cold = map[policy.Color]int{policy.Green: 1}
		w.step(rollout.Reported{Report: cold})
		w.step(rollout.Command{Verb: rollout.Approve, Actor: "bob"})
		if w.s.Phase != rollout.Approving || w.s.GiveUpAt.IsZero() {
			t.Fatalf("%s: %s", w.s.Phase, w.s.Problem)
		}
		w.now = w.now.Add(away)
		w.restart()
		w.step(rollout.Observed{Endpoints: w.healthy()})
		w.step(rollout.Reported{Report: cold})
		if w.s.Phase != rollout.Approving {
			t.Errorf("away for %s: %s: %s", away, w.s.Phase, w.s.Switch.Cause)
		}
		w.elapse(p.Prepare.Within + time.Minute)
		if w.s.Phase != rollout.Idle {
			t.Errorf("away for %s: %s, wakes at %s", away, w.s.Phase, w.s.WakeAt())
		}
	}
}

// A bake of a model that users ask in the morning alone is not made longer by the hours
// without a request, however often the server is started anew.
func TestARestartAddsNoQuietHours(t *testing.T) {
	p := shortest()
	p.Validate, p.Bake = nil, policy.Bake{For: 24 * time.Hour}
	w := judgedByUsers(t, p)
	w.starts("s1")
	began := w.now
	w.meet(70*time.Second, w.all(time.Millisecond))
	for range 3 {
		w.elapse(7 * time.Hour)
		w.restart()
		w.serving("v1", "v2")
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
	}
	w.elapse(4 * time.Hour)
	if took := w.s.Since.Sub(began); w.s.Phase != rollout.Retiring || took < 24*time.Hour || took > 24*time.Hour+5*time.Minute {
		t.Errorf("%s after %s", w.s.Phase, took)
	}
}

// A server that is started again and again before a window comes adds the time in which
// nobody looked once.
func TestRestartsInARowAddTheTimeOnce(t *testing.T) {
	w := halfWatched(t)
	left := w.s.Deadline.Sub(w.now)
	for range 5 {
		w.now = w.now.Add(time.Minute)
		w.restart()
	}
	if now := w.s.Deadline.Sub(w.now); now < left || now > left+time.Second {
		t.Errorf("%s are left after the restarts, %s before", now, left)
	}
}
