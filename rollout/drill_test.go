package rollout_test

import (
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// settledWorld is a model whose switch to green has succeeded and keeps blue.
func settledWorld(t *testing.T) *world {
	p := shortest()
	p.Bake.For, p.Bake.Checks, p.Retire = 0, nil, policy.Retire{Off: true}
	w := newWorld(t, p)
	w.step(rollout.Observed{Endpoints: w.healthy()})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
	w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	if w.s.Phase != rollout.Idle || w.s.Live != policy.Green {
		t.Fatalf("%s, %s live", w.s.Phase, w.s.Live)
	}
	return w
}

// users ask green for so many requests a second, for ten seconds.
func (w *world) users(perSecond int) {
	for range 10 {
		w.now = w.now.Add(time.Second)
		users := routed(rollout.AllOn(policy.Green), rollout.Tally{}, tallyOf(perSecond, 0, 10*time.Millisecond))
		w.step(rollout.Measured{Windows: []rollout.Window{{Begin: w.now.Add(-time.Second), End: w.now, Users: []rollout.Routed{users}}}})
	}
}

// A drill waits for a quiet time: half of the busiest one, or what is asked for.
func TestDrillWantsAQuietTime(t *testing.T) {
	w := settledWorld(t)
	w.users(100)
	drill := rollout.Command{Verb: rollout.Practise, Actor: "ann"}
	refusedAs := func(c rollout.Command, says string) {
		t.Helper()
		actions := w.step(c)
		if no, ok := actions[0].(rollout.Refuse); !ok || !strings.Contains(no.Message, says) {
			t.Errorf("%+v", actions)
		}
	}
	refusedAs(drill, "users ask for 100 requests a second, quiet is at most 50 (half of 100, the most of the last week)")
	drill.Quiet = 99
	refusedAs(drill, "quiet is at most 99;")
	w.users(40)
	drill.Quiet = 0
	w.step(drill)
	if w.s.Phase != rollout.Drilling || w.s.Switch.Drills[0].Rate != 40 {
		t.Errorf("%s %+v", w.s.Phase, w.s.Switch.Drills)
	}
}

// The busiest time of long ago is forgotten.
func TestBusiestIsOfTheLastWeek(t *testing.T) {
	w := settledWorld(t)
	w.users(100)
	w.now = w.now.Add(8 * 24 * time.Hour)
	w.users(30)
	if w.s.Busiest.Rate > 60 {
		t.Errorf("busiest %+v", w.s.Busiest)
	}
}

// What a drill measured stays in the history, and only the newest ones do.
func TestDrillsAreRecorded(t *testing.T) {
	w := settledWorld(t)
	for range 12 {
		w.step(rollout.Command{Verb: rollout.Practise, Actor: "ann", AnyRate: true})
		w.now = w.now.Add(40 * time.Millisecond)
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		w.now = w.now.Add(30 * time.Millisecond)
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
	}
	drills := w.s.Switch.Drills
	if len(drills) != 10 {
		t.Fatalf("%d drills", len(drills))
	}
	if d := drills[9]; d.Back != 40*time.Millisecond || d.Forth != 30*time.Millisecond || d.Problem != "" || d.Ended.IsZero() {
		t.Errorf("%+v", d)
	}
	if w.s.Phase != rollout.Idle || w.s.Live != policy.Green || w.s.Switch.Outcome != rollout.Succeeded {
		t.Errorf("%s, %s live, %s", w.s.Phase, w.s.Live, w.s.Switch.Outcome)
	}
}

// Users can't be kept on a color that can't take them: the drill goes on, and ends.
func TestRollBackInADrillToASickColor(t *testing.T) {
	w := settledWorld(t)
	w.step(rollout.Command{Verb: rollout.Practise, Actor: "ann", AnyRate: true})
	w.step(rollout.Reported{Report: allACK(w.s, 3)}) // all are back, and are sent forward again
	set := w.healthy()
	set.Blue = nil
	w.step(rollout.Observed{Endpoints: set})
	w.step(rollout.Command{Verb: rollout.RollBack, Actor: "ann"})
	w.step(rollout.Command{Verb: rollout.Promote, Actor: "ann"})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	if w.s.Phase != rollout.Idle || w.s.Weights != rollout.AllOn(policy.Green) {
		t.Fatalf("phase %q, %+v", w.s.Phase, w.s.Weights)
	}
}

// A drill that a person turns into a rollback has ended, and says how.
func TestADrillThatIsRolledBackHasEnded(t *testing.T) {
	w := settledWorld(t)
	w.step(rollout.Command{Verb: rollout.Practise, Actor: "ann", AnyRate: true})
	w.now = w.now.Add(time.Second)
	w.step(rollout.Command{Verb: rollout.RollBack, Actor: "ann", Reason: "it is nicer there"})
	d := w.s.Switch.Drills[0]
	if !d.Ended.Equal(w.now) || d.Problem != "rolled back by ann: it is nicer there" {
		t.Errorf("%+v", d)
	}
}

// Envoys that report nothing any more tell of no quiet time: their users may be there.
func TestSilenceIsNoQuietTime(t *testing.T) {
	w := settledWorld(t)
	report := func(asked int) func() rollout.Window {
		return func() rollout.Window {
			seen := w.usersOf(rollout.Tally{}, tallyOf(asked, 0, time.Millisecond))()
			seen.Nodes = []rollout.NodeWindow{{Fleet: "edge", Node: "e1", Weights: w.s.Weights, Requests: rollout.ByColor[int]{Green: asked}}}
			return seen
		}
	}
	w.meet(20*time.Second, report(100))
	w.meet(time.Minute, report(0))
	actions := w.step(rollout.Command{Verb: rollout.Practise, Actor: "ann"})
	if no, ok := actions[0].(rollout.Refuse); !ok || no.Code != rollout.NotReady || !strings.Contains(no.Message, "1 node of users is silent (edge/e1") {
		t.Errorf("%s: %+v", w.s.Phase, actions)
	}
	w.step(rollout.Command{Verb: rollout.Practise, Actor: "ann", AnyRate: true})
	if w.s.Phase != rollout.Drilling {
		t.Error(w.s.Phase)
	}
}
