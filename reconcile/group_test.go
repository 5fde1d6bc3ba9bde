package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/policy"
	"greenlight/reconcile"
	"greenlight/rollout"
)

func TestReadyComesOnceForAll(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		synctest.Wait()
		if w.readied.Load() != 0 {
			t.Error("ready before spam had an answer")
		}
		w.registry.say("spam", set(0, 0)) // no live color: nothing to route
		synctest.Wait()
		if w.readied.Load() != 1 {
			t.Errorf("ready %d times", w.readied.Load())
		}
		w.policies(model("fraud"), model("spam"), model("third"))
		w.registry.say("third", set(1, 1))
		synctest.Wait()
		if w.readied.Load() != 1 {
			t.Errorf("ready %d times", w.readied.Load())
		}
	}, model("fraud"), model("spam"))
}

func TestReadyWithoutModels(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		if w.readied.Load() != 1 {
			t.Errorf("ready %d times", w.readied.Load())
		}
	})
}

// A source of policies that can't be read and of which nothing was kept says nothing.
func TestNotReadyWithoutAnyPolicyKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.begin()
		defer w.end()
		w.g.SetPolicies(policy.Set{}.Troubled("https://git.example/policies can't be fetched", time.Now()))
		synctest.Wait()
		broken := policy.Set{Models: map[string]policy.Entry{"fraud": {Problem: "fraud.yaml:1:1: no"}}}
		w.g.SetPolicies(broken.Troubled("commit 1 is not taken", time.Now()))
		synctest.Wait()
		if n := w.readied.Load(); n != 0 {
			t.Errorf("ready %d times before any policy was known", n)
		}
		if s := w.status(t, "fraud"); s.PolicyProblem == "" {
			t.Errorf("the broken policy is not told: %+v", s)
		}
		w.g.SetPolicies(policy.Set{Origin: policy.Origin{Commit: &policy.Commit{ID: "2"}}})
		synctest.Wait()
		if n := w.readied.Load(); n != 1 {
			t.Errorf("ready %d times, want once", n)
		}
	})
}

func TestReadyWhenTheMissingModelIsRemoved(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		w.policies(model("fraud"))
		synctest.Wait()
		if w.readied.Load() != 1 {
			t.Errorf("ready %d times", w.readied.Load())
		}
	}, model("fraud"), model("spam"))
}

func TestIdempotencyKey(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		cmd := rollout.Command{Verb: rollout.Start, Actor: "ann", Key: "deploy-7", Target: "green"}
		first, err := w.g.Do(t.Context(), "fraud", cmd)
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.g.Do(t.Context(), "fraud", cmd)
		if err != nil || again.State.Switch.ID != first.State.Switch.ID {
			t.Errorf("again: %v, %v", again.State.Switch, err)
		}
		other := cmd
		other.Target = "blue"
		if _, err := w.g.Do(t.Context(), "fraud", other); !errors.Is(err, rollout.ErrKeyReused) {
			t.Errorf("another target: %v", err)
		}
		other = cmd
		other.Actor = "bob"
		if _, err := w.g.Do(t.Context(), "fraud", other); !errors.Is(err, rollout.ErrKeyReused) {
			t.Errorf("another actor: %v", err)
		}
		// Long after, when another switch was the last, the key still leads to its own.
		w.wait(t, "fraud", rollout.Retiring, time.Hour)
		second := w.do(t, rollout.Start)
		again, err = w.g.Do(t.Context(), "fraud", cmd)
		if err != nil || again.State.Switch.ID != first.State.Switch.ID {
			t.Errorf("again: %v, %v", again.State.Switch, err)
		}
		if s := w.status(t, "fraud"); s.State.Switch.ID != second.State.Switch.ID {
			t.Errorf("a repeated start changed the switch to %s", s.State.Switch.ID)
		}
	}, instant("fraud"))
}

func TestRefusals(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		_, err := w.g.Do(t.Context(), "fraud", rollout.Command{Verb: rollout.Start, Actor: "ann"})
		var refused *rollout.RefusedError
		if !errors.As(err, &refused) || refused.Code != rollout.NotReady {
			t.Errorf("start without endpoints: %v", err)
		}
		if _, err := w.g.Do(t.Context(), "nobody", rollout.Command{}); !errors.Is(err, rollout.ErrNoModel) {
			t.Errorf("unknown model: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.g.Do(ctx, "fraud", rollout.Command{Verb: rollout.Pause, Actor: "ann"}); err == nil {
			t.Error("a command with an ended context was taken")
		}
	}, instant("fraud"))
}

// A watcher that sleeps sees every model first and then only the newest.
func TestWatchSkipsForTheSlow(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		got, next, ended := make(chan rollout.Status), make(chan struct{}), make(chan error)
		go func() {
			ended <- w.g.Watch(ctx, func(s rollout.Status) { got <- s; <-next })
		}()
		s := <-got
		if s.State.Model != "fraud" || s.Revision == 0 {
			t.Errorf("first came %+v", s)
		}
		// It sleeps inside emit while much happens.
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Baking, time.Minute)
		next <- struct{}{}
		if s := <-got; s.State.Model != "spam" {
			t.Errorf("second came %s", s.State.Model)
		}
		next <- struct{}{}
		last := <-got
		if last.State.Phase != rollout.Baking || last.Revision <= s.Revision+1 {
			t.Errorf("third came %s, revision %d", last.State.Phase, last.Revision)
		}
		next <- struct{}{}
		w.policies(instant("fraud"))
		if gone := <-got; gone.State.Model != "spam" || gone.Policy != nil || gone.PolicyProblem == "" {
			t.Errorf("then came %+v", gone)
		}
		next <- struct{}{}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("watch ended with %v", err)
		}
	}, instant("fraud"), instant("spam"))
}

func TestWatchEndsWithTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.begin()
		ended := make(chan error, 1)
		go func() { ended <- w.g.Watch(t.Context(), func(rollout.Status) {}) }()
		synctest.Wait()
		w.end()
		if err := <-ended; !errors.Is(err, reconcile.ErrStopped) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSwitchIDsSortByTime(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		var last string
		for range 3 {
			time.Sleep(2 * time.Second)
			id := w.command(t, rollout.Command{Verb: rollout.Start, Again: true}).State.Switch.ID
			if id <= last {
				t.Errorf("%s came after %s", id, last)
			}
			last = id
			w.do(t, rollout.RollBack)
		}
	}, instant("fraud"))
}

// A model that was never routed, and of which the registry says nothing, does
// not keep the others from being served; who is waited for is told.
func TestSilentNewModelHoldsUpTheStartForAWhile(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if got := w.g.Waiting(); w.readied.Load() != 0 || !slices.Equal(got, []string{"spam"}) {
			t.Errorf("ready %d times, waits for %q", w.readied.Load(), got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := w.g.Waiting(); w.readied.Load() != 1 || len(got) != 0 {
			t.Errorf("ready %d times, waits for %q", w.readied.Load(), got)
		}
		if log := w.logged(); !strings.Contains(log, "models=[spam]") {
			t.Errorf("log:\n%s", log)
		}

		// After a restart fraud was routed, and is waited for however long.
		w.end()
		w.registry.forget()
		w.begin()
		w.policies(model("fraud"), model("spam"))
		synctest.Wait()
		w.registry.say("spam", set(2, 2))
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := w.g.Waiting(); w.readied.Load() != 1 || !slices.Equal(got, []string{"fraud"}) {
			t.Errorf("ready %d times, waits for %q", w.readied.Load()-1, got)
		}
		w.registry.say("fraud", set(2, 2))
		synctest.Wait()
		if w.readied.Load() != 2 {
			t.Errorf("ready %d times", w.readied.Load()-1)
		}
	}, model("fraud"), model("spam"))
}

// A registry that says nothing of any model is down as a whole. If the journal
// was lost as well, an empty first push would empty the fleets.
func TestStartWaitsForASilentRegistry(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.readied.Load() != 0 {
			t.Error("ready although the registry has never spoken")
		}
		w.registry.say("spam", set(2, 2))
		synctest.Wait()
		if w.readied.Load() != 1 {
			t.Errorf("ready %d times", w.readied.Load())
		}
	}, model("fraud"), model("spam"))
}
