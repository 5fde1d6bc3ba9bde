package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/reconcile"
	"greenlight/rollout"
)

// While the journal fails nothing is done and the status says so; endpoints
// still reach the fleets. When it works again all that happened is made up for.
func TestJournalFails(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.take()

		w.journal.setBroken(errDisk)
		w.wait(t, "fraud", rollout.Confirming, time.Second)
		time.Sleep(5 * time.Second)
		w.registry.say("fraud", set(3, 3))
		w.expect(t, "endpoints fraud 3 3")
		s := w.status(t, "fraud")
		if s.State.Phase != rollout.Confirming || !strings.Contains(s.State.Problem, "disk is full") {
			t.Errorf("%s: %q", s.State.Phase, s.State.Problem)
		}
		_, err := w.g.Do(t.Context(), "fraud", rollout.Command{Verb: rollout.Pause, Actor: "ann"})
		if !errors.Is(err, reconcile.ErrJournal) || !errors.Is(err, errDisk) {
			t.Errorf("a command was answered with %v", err)
		}

		w.journal.setBroken(nil)
		w.wait(t, "fraud", rollout.Baking, 10*time.Second)
		if s := w.status(t, "fraud"); s.State.Problem != "" {
			t.Errorf("problem %q stays", s.State.Problem)
		}
	}, instant("fraud"))
}

// A command that could not be journaled has not happened.
func TestCommandIsNotDoneWithoutJournal(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.journal.setBroken(errDisk)
		_, err := w.g.Do(t.Context(), "fraud", rollout.Command{Verb: rollout.Start, Actor: "ann"})
		if !errors.Is(err, reconcile.ErrJournal) {
			t.Errorf("a command was answered with %v", err)
		}
		w.journal.setBroken(nil)
		time.Sleep(time.Minute)
		s := w.status(t, "fraud").State
		if s.Switch != nil || s.Generation != 1 || s.Problem != "" {
			t.Errorf("generation %d, problem %q, switch %+v", s.Generation, s.Problem, s.Switch)
		}
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Baking, time.Minute)
	}, instant("fraud"))
}

// A result that came while the journal failed is not lost.
func TestVerdictsOutliveAFailingJournal(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.checker.hold = true
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.journal.setBroken(errDisk)
		w.status(t, "fraud")
		w.checker.held <- verdicts(w.checker.job, rollout.Pass)
		time.Sleep(time.Minute)
		if s := w.status(t, "fraud").State; s.Phase != rollout.Validating {
			t.Errorf("phase %s", s.Phase)
		}
		w.journal.setBroken(nil)
		w.wait(t, "fraud", rollout.Holding, 10*time.Second)
	}, model("fraud"))
}

func TestSavingLastGoodIsTriedAgain(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.kept.broken = true
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Minute)
		if len(w.kept.loadEndpoints()) != 0 {
			t.Fatal("the disk is not broken")
		}
		w.kept.mu.Lock()
		w.kept.broken = false
		w.kept.mu.Unlock()
		time.Sleep(time.Minute)
		if got := w.kept.loadEndpoints()["fraud"]; len(got.Blue) != 2 {
			t.Errorf("kept %+v", got)
		}
		if got := w.kept.loadPolicies()["fraud"]; got == nil {
			t.Error("the policy that all nodes took was not kept")
		}
		bad := rollout.EndpointSet{Blue: set(2, 0).Blue, Problem: "consul is away"}
		w.registry.say("fraud", bad)
		time.Sleep(time.Minute)
		if got := w.kept.loadEndpoints()["fraud"]; got.Problem != "" || len(got.Green) != 2 {
			t.Errorf("kept %+v", got)
		}
	}, instant("fraud"))
}

// slow is a disk on which one commit takes long.
type slow struct {
	*journal
	next atomic.Int64 // a time.Duration
}

func (s *slow) Commit(state rollout.State) error {
	time.Sleep(time.Duration(s.next.Swap(0)))
	return s.journal.Commit(state)
}

// The time that a disk takes to journal a step is not taken from the nodes.
func TestSlowDiskIsNotHeldAgainstNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		disk := &slow{journal: w.journal}
		w.g = reconcile.New(reconcile.Options{Fleet: w.fleet, Journal: disk, Checker: w.checker, Registry: w.registry})
		w.fleet.setChanged(w.g.FleetChanged)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.g.Run(ctx) }()
		w.policies(instant("fraud"))
		synctest.Wait()
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		disk.next.Store(int64(31 * time.Second)) // confirm.within is 30s
		w.do(t, rollout.Start)
		time.Sleep(time.Second)
		if s := w.status(t, "fraud").State; s.Phase != rollout.Baking {
			t.Errorf("%s: %s", s.Phase, s.Switch.Cause)
		}
		cancel()
		<-ended
	})
}

// taken counts the windows that a loop took.
type taken struct{ windows atomic.Int64 }

func (t *taken) Take(string) []rollout.Window {
	t.windows.Add(1)
	return []rollout.Window{{Begin: time.Now().Add(-time.Second), End: time.Now()}}
}

// While the journal fails users' requests wait where their number is bounded: a disk may
// be full for days.
func TestAFailingJournalGathersNoTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, traffic := newWorld(), &taken{}
		w.g = reconcile.New(reconcile.Options{Fleet: w.fleet, Journal: w.journal, Checker: w.checker, Registry: w.registry, Traffic: traffic})
		w.fleet.setChanged(w.g.FleetChanged)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.g.Run(ctx) }()
		w.policies(instant("fraud"))
		synctest.Wait()
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.journal.setBroken(errDisk)
		_, _ = w.g.Do(t.Context(), "fraud", rollout.Command{Verb: rollout.Start, Actor: "ann"})
		for range 600 {
			time.Sleep(time.Second)
			w.g.TrafficChanged("fraud")
		}
		synctest.Wait()
		if n := traffic.windows.Load(); n != 0 {
			t.Errorf("%d windows wait in the loop", n)
		}
		w.journal.setBroken(nil)
		time.Sleep(10 * time.Second)
		if n := traffic.windows.Load(); n != 1 {
			t.Errorf("%d windows were taken when the journal worked again", n)
		}
		cancel()
		<-ended
	})
}
