package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

func TestRestartGoesOn(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Holding, time.Second)
		w.end()
		w.take()

		w.registry.forget() // it does not answer at once
		w.begin()
		w.policies(model("fraud"))
		w.expect(t, "watch fraud") // nothing is routed before the registry has answered
		if w.readied.Load() != 1 {
			t.Errorf("ready %d times before the registry answered", w.readied.Load()-1)
		}
		if last := w.registry.lasts["fraud"]; last == nil || len(last.Green) != 2 {
			t.Errorf("the registry was given %+v", last)
		}
		w.registry.say("fraud", set(2, 2))
		w.expect(t, "endpoints fraud 2 2", "route fraud g2 green 1000")
		if w.readied.Load() != 2 {
			t.Errorf("ready %d times", w.readied.Load()-1)
		}
		w.wait(t, "fraud", rollout.Baking, 2*time.Minute)
	}, model("fraud"))
}

// After a restart a color with weight keeps its endpoints of before, as long
// as the registry has none.
func TestRestartWithAnEmptiedCatalog(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 1))
		time.Sleep(time.Second)
		w.end()
		w.take()
		w.registry.forget()
		w.begin()
		w.policies(model("fraud"))
		synctest.Wait()
		w.registry.say("fraud", set(0, 0))
		time.Sleep(2 * reconnect)
		// Green goes when the nodes have told that they send nothing there. That nobody
		// has to be paid for it any more is journaled.
		w.expect(t, "watch fraud", "endpoints fraud 2 1", "route fraud g1 green 0", "commit fraud g1 idle", "endpoints fraud 2 0")
	}, model("fraud"))
}

// A kill before or after any commit of a switch loses nothing: the next
// process takes it to its end. A Start that was not heard is said again.
func TestKillAtEveryCommit(t *testing.T) {
	for _, durable := range []bool{false, true} {
		for at := 1; ; at++ {
			survived := false
			t.Run(fmt.Sprintf("durable=%t/commit=%d", durable, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { survived = killAt(t, at, durable) })
			})
			if survived || t.Failed() {
				break
			}
		}
	}
}

// killAt plays a switch that is killed at one commit, and then goes on. It
// reports whether the switch ended before there were so many commits.
func killAt(t *testing.T, at int, durable bool) (survived bool) {
	w := newWorld()
	killed := make(chan struct{})
	kill := func(n int) error {
		if n != at {
			return nil
		}
		close(killed)
		w.stop()
		return errors.New("killed")
	}
	if durable {
		w.journal.after = kill
	} else {
		w.journal.before = kill
	}
	w.begin()
	w.policies(model("fraud"))
	w.registry.say("fraud", set(2, 2))
	start := rollout.Command{Verb: rollout.Start, Actor: "ann", Key: "k"}
	time.Sleep(time.Second)
	_, _ = w.g.Do(t.Context(), "fraud", start)
	select {
	case <-killed:
	case <-time.After(3 * time.Hour):
		survived = true
	}
	w.end()

	w.begin()
	w.policies(model("fraud"))
	time.Sleep(time.Second)
	if _, err := w.g.Do(t.Context(), "fraud", start); err != nil {
		t.Errorf("the same start again: %v", err)
	}
	time.Sleep(3 * time.Hour)
	s := w.status(t, "fraud").State
	if s.Phase != rollout.Idle || s.Live != policy.Green || s.Switch.Outcome != rollout.Succeeded {
		t.Errorf("ended %s with %s live: %+v", s.Phase, s.Live, s.Switch)
	}
	w.end()
	for _, s := range w.wrongs() {
		t.Error(s)
	}
	return survived
}

func TestRunEndsWithEverythingUnderWay(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.checker.hold = true
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.take()
		w.end()
		if _, err := w.g.Do(context.Background(), "fraud", rollout.Command{Verb: rollout.Abort, Actor: "ann"}); err == nil {
			t.Error("a command was taken after the end")
		}
		trace := w.take()
		slices.Sort(trace)
		if !slices.Equal(trace, []string{"check cancelled", "watched fraud"}) {
			t.Errorf("the end was %q", trace)
		}
		w.checker.hold = false
		w.begin()
		w.policies(model("fraud"))
		w.wait(t, "fraud", rollout.Baking, 2*time.Minute)
	}, model("fraud"))
}

// Instances that made room in a rolling switch do not come back into the clusters with a
// restart, although the registry's last answer still had them.
func TestRestartKeepsInstancesOutThatMadeRoom(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		rolling := instant("fraud")
		rolling.Rolling = &policy.Rolling{Batch: policy.Amount{Count: 4}, Capacity: 2500, Hold: time.Second}
		rolling.Source.Hash = "fraud-2"
		w.policies(rolling)
		w.registry.say("fraud", set(4, 4))
		time.Sleep(time.Second)
		w.hooks.err = errDisk
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Baking, time.Minute)
		time.Sleep(time.Second)
		w.end()
		w.take()
		w.registry.forget()
		w.begin()
		w.policies(rolling)
		synctest.Wait()
		w.registry.say("fraud", set(4, 4))
		for _, line := range w.take() {
			if line == "endpoints fraud 4 4" {
				t.Error("all old instances are in the clusters again")
			}
		}
	}, instant("fraud"))
}

// A switch that the policy started goes on although the process ended before it was
// kept that the fleets took that policy: the policy that stands in for it until the
// files are read has no word on what should be live.
func TestRestartHeedsNoOlderWord(t *testing.T) {
	wants := func(c policy.Color) *policy.Model {
		m := changed(model("fraud"), string(c))
		m.Wanted = policy.Wanted{Color: c}
		return m
	}
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.kept.setBroken(true)
		w.policies(wants(policy.Green))
		w.wait(t, "fraud", rollout.Holding, time.Minute)
		id := w.status(t, "fraud").State.Switch.ID
		w.end()

		w.kept.setBroken(false)
		w.begin()
		w.policies(wants(policy.Green))
		time.Sleep(3 * time.Hour)
		if s := w.status(t, "fraud").State; s.Switch.ID != id || s.Live != policy.Green || s.Switch.Outcome != rollout.Succeeded {
			t.Errorf("switch %s, not %s, %s: %s; %s is live", s.Switch.ID, id, s.Switch.Outcome, s.Switch.Cause, s.Live)
		}
		if kept := w.kept.loadPolicies()["fraud"]; kept.Wanted.Color != policy.Green || kept.Source.Hash != "green" {
			t.Errorf("kept: %+v of %s", kept.Wanted, kept.Source.Hash)
		}
	}, wants(policy.Blue))
}

// Nor does what stands in begin a switch: its plan is not the file's.
func TestRestartBeginsNothingByAnOlderPolicy(t *testing.T) {
	wants := func(c policy.Color) *policy.Model {
		m := changed(model("fraud"), string(c))
		m.Wanted = policy.Wanted{Color: c}
		return m
	}
	for range 200 {
		run(t, func(t *testing.T, w *world) {
			w.fleet.behave(0, "")
			w.registry.say("fraud", set(2, 0))
			time.Sleep(time.Second)
			w.kept.setBroken(true)
			w.policies(wants(policy.Green))
			time.Sleep(time.Minute)
			w.end()

			w.registry.forget()
			w.registry.say("fraud", set(2, 2))
			w.begin()
			w.policies(wants(policy.Green))
			w.wait(t, "fraud", rollout.Holding, time.Hour)
			if s := w.status(t, "fraud").State; s.Switch.Plan.Source.Hash != "green" {
				t.Errorf("switched by policy %s", s.Switch.Plan.Source.Hash)
			}
		}, wants(policy.Blue))
	}
}

// A disk that is full at the start keeps nobody from what is in the journal: neither the
// users of a switch that was going back, nor those of all other models.
func TestAFullDiskAtTheStart(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		w.registry.say("spam", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Holding, time.Second)
		w.fleet.behave(time.Minute, "")
		w.do(t, rollout.RollBack)
		w.end()
		w.take()

		w.registry.forget()
		w.journal.setBroken(errDisk)
		w.begin()
		w.policies(model("fraud"), model("spam"))
		synctest.Wait()
		if w.readied.Load() != 1 {
			t.Error("ready before the registry has answered")
		}
		w.registry.say("spam", set(2, 2))
		w.take()
		w.registry.say("fraud", set(2, 2))
		w.expect(t, "endpoints fraud 2 2", "route fraud g3 green 0")
		if w.readied.Load() != 2 {
			t.Error("the fleets are told nothing while the disk is full")
		}
		if s := w.status(t, "fraud").State; !strings.Contains(s.Problem, "disk is full") {
			t.Errorf("problem = %q", s.Problem)
		}
		w.journal.setBroken(nil)
		w.wait(t, "fraud", rollout.Idle, 2*time.Minute)
	}, model("fraud"), model("spam"))
}
