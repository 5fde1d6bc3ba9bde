package reconcile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Every routing is journaled before it is published, endpoints go before
// routes, and a Start without checks costs one commit.
func TestOrderOfWork(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.expect(t, "watch fraud")
		w.registry.say("fraud", set(2, 2))
		w.expect(t, "endpoints fraud 2 2", "commit fraud g1 idle", "route fraud g1 green 0")
		time.Sleep(time.Second)
		w.expect(t)

		s := w.do(t, rollout.Start)
		if s.State.Phase != rollout.Confirming || s.State.Generation != 2 {
			t.Errorf("answered with %s, generation %d", s.State.Phase, s.State.Generation)
		}
		w.expect(t, "commit fraud g2 confirming", "route fraud g2 green 10000")
		time.Sleep(time.Second)
		if got := w.status(t, "fraud").State; got.Phase != rollout.Baking || got.Live != policy.Green {
			t.Errorf("%s with %s live: %s", got.Phase, got.Live, got.Problem)
		}
	}, instant("fraud"))
}

func TestWholeSwitch(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.take()
		w.do(t, rollout.Start)
		w.expect(t, "commit fraud g1 validating", "check fraud green",
			"commit fraud g2 confirming", "route fraud g2 green 1000")
		w.wait(t, "fraud", rollout.Holding, time.Second)
		w.wait(t, "fraud", rollout.Baking, 2*time.Minute)
		w.wait(t, "fraud", rollout.Retiring, 11*time.Minute)
		w.wait(t, "fraud", rollout.Idle, 2*time.Hour)
		s := w.status(t, "fraud").State
		if s.Live != policy.Green || s.Switch.Outcome != rollout.Succeeded {
			t.Errorf("%s is live, outcome %s", s.Live, s.Switch.Outcome)
		}
		trace := w.take()
		if trace[len(trace)-2] != "let go fraud blue 1" {
			t.Errorf("the end was %q", trace)
		}
	}, model("fraud"))
}

func TestFailedBakeGoesBack(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Baking, 2*time.Minute)
		w.checker.set(rollout.Fail)
		w.wait(t, "fraud", rollout.Idle, 2*time.Minute)
		s := w.status(t, "fraud").State
		if s.Live != policy.Blue || s.Switch.Outcome != rollout.RolledBack {
			t.Errorf("%s is live, outcome %s", s.Live, s.Switch.Outcome)
		}
	}, model("fraud"))
}

// A color that lost its weight is emptied when, and not before, all nodes have
// said that they send nothing there.
func TestEmptyingWaitsForTheFleets(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.fleet.behave(time.Minute, "")
		w.do(t, rollout.Start)
		w.take()
		gone := set(0, 2)
		w.registry.say("fraud", gone)
		w.expect(t) // blue has no weight any more, but nobody has ACKed that
		w.fleet.settle("fraud")
		w.expect(t, "commit fraud g2 baking", "endpoints fraud 0 2")
	}, instant("fraud"))
}

func TestAWeightedColorIsNeverEmptied(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 0))
		time.Sleep(time.Second)
		w.take()
		w.registry.say("fraud", set(0, 0))
		w.expect(t)
		if s := w.status(t, "fraud"); len(s.Endpoints.Blue) != 0 || s.State.Problem == "" {
			t.Errorf("endpoints %v, problem %q", s.Endpoints, s.State.Problem)
		}
		w.registry.say("fraud", set(1, 0))
		w.expect(t, "endpoints fraud 1 0")
	}, instant("fraud"))
}

func TestRegistryAnswersAreCoalesced(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(1, 1))
		time.Sleep(time.Second)
		w.take()
		for n := range 1000 {
			w.registry.say("fraud", set(1+n%7, 2))
		}
		w.registry.say("fraud", set(5, 5))
		trace := w.take()
		trace = slices.DeleteFunc(trace, func(line string) bool { return strings.HasPrefix(line, "commit ") })
		if len(trace) == 0 || trace[len(trace)-1] != "endpoints fraud 5 5" {
			t.Errorf("the end was %q", trace)
		}
		for range 1000 {
			w.g.FleetChanged("fraud")
		}
		w.g.FleetChanged("nobody")
		w.expect(t)
	}, instant("fraud"))
}

func TestChecksAreCancelled(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.checker.hold = true
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.take()
		w.checker.job.Progress(rollout.CheckProgress{Check: "ready", Done: 1, Total: 2})
		s := w.status(t, "fraud")
		if len(s.Checks) != 1 || s.Checks[0].Done != 1 || s.Checks[0].Total != 2 {
			t.Errorf("progress is %+v", s.Checks)
		}
		if got := len(w.checker.job.Endpoints.Green); got != 2 {
			t.Errorf("checks were given %d endpoints", got)
		}
		w.do(t, rollout.Abort)
		w.expect(t, "commit fraud g1 idle", "check cancelled")
		if s := w.status(t, "fraud"); s.Checks != nil || s.State.Switch.Outcome != rollout.Aborted {
			t.Errorf("checks %v, outcome %s", s.Checks, s.State.Switch.Outcome)
		}
		// A run that is still going on at the end is cancelled, too; see run.
		w.do(t, rollout.Start)
	}, model("fraud"))
}

func TestWebhookIsAskedAgain(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.hooks.hang = true // until its 30 s are over
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Retiring, 11*time.Minute)
		time.Sleep(time.Hour + 40*time.Second)
		if s := w.status(t, "fraud").State; s.Phase != rollout.Retiring || s.Letting.Tries != 1 || s.Problem == "" {
			t.Errorf("%s after %d tries: %q", s.Phase, s.Letting.Tries, s.Problem)
		}
		w.hooks.hang = false
		w.wait(t, "fraud", rollout.Idle, time.Hour)
	}, instant("fraud"))
}

func TestNoWebhookRetiresAtOnce(t *testing.T) {
	m := instant("fraud")
	m.Retire.Webhook = ""
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Idle, 2*time.Hour)
		if s := w.status(t, "fraud").State; s.Switch.Outcome != rollout.Succeeded {
			t.Errorf("outcome %s", s.Switch.Outcome)
		}
	}, m)
}

// Each transition is one line, with who and why.
func TestTransitionsAreLogged(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		id := w.do(t, rollout.Start).State.Switch.ID
		w.wait(t, "fraud", rollout.Baking, time.Minute)
		var lines []string
		for line := range strings.Lines(w.log.String()) {
			if strings.Contains(line, "msg=transition") {
				_, line, _ = strings.Cut(line, "model=")
				lines = append(lines, strings.TrimSpace(strings.ReplaceAll(line, id, "ID")))
			}
		}
		want := []string{
			`fraud switch="" from=idle to=idle actor="" reason="routing published outside of a switch" blue=10000 green=0 generation=1`,
			`fraud switch=ID from=idle to=preparing actor=ann reason="started by ann" blue=10000 green=0 generation=1`,
		}
		if len(lines) != 5 || !slices.Equal(lines[:2], want) || !strings.Contains(lines[4], "from=confirming to=baking") {
			t.Errorf("got\n%s", strings.Join(lines, "\n"))
		}
	}, instant("fraud"))
}

// A key stands for one wish: what was asked without force is not the answer to
// a forced start.
func TestForcedStartIsAnotherWish(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.checker.set(rollout.Fail)
		cmd := rollout.Command{Verb: rollout.Start, Actor: "ann", Key: "release-1"}
		if _, err := w.g.Do(t.Context(), "fraud", cmd); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		cmd.Force, cmd.Reason = true, "it is an emergency"
		if s, err := w.g.Do(t.Context(), "fraud", cmd); !errors.Is(err, rollout.ErrKeyReused) {
			t.Errorf("answered with %v, and switch %+v", err, s.State.Switch)
		}
	}, model("fraud"))
}

// Nor is a switch from another live color or version, or one that waited for others
// when this one is not to wait. The same again is the same, also when it is over.
func TestAKeyStandsForOneWish(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		cmd := rollout.Command{Verb: rollout.Start, Actor: "ann", Reason: "a release", Key: "release-1", ExpectLive: "blue", ExpectVersion: "1"}
		first, err := w.g.Do(t.Context(), "fraud", cmd)
		if err != nil {
			t.Fatal(err)
		}
		w.wait(t, "fraud", rollout.Retiring, time.Hour)
		for what, change := range map[string]func(*rollout.Command){
			"live": func(c *rollout.Command) { c.ExpectLive = "green" }, "version": func(c *rollout.Command) { c.ExpectVersion = "2" },
			"now": func(c *rollout.Command) { c.Now = true },
		} {
			other := cmd
			change(&other)
			if s, err := w.g.Do(t.Context(), "fraud", other); !errors.Is(err, rollout.ErrKeyReused) {
				t.Errorf("another %s: answered with %v, and switch %+v", what, err, s.State.Switch)
			}
		}
		if again, err := w.g.Do(t.Context(), "fraud", cmd); err != nil || again.State.Switch.ID != first.State.Switch.ID {
			t.Errorf("the same again: %v", err)
		}
	}, instant("fraud"))
}

// A model that the registry is silent about says so: the start waits for it.
func TestSilentRegistryIsTold(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		if got := w.status(t, "fraud").State.Problem; !strings.Contains(got, "the registry has not answered yet") {
			t.Errorf("problem = %q", got)
		}
	}, model("fraud"))
}

// Nobody is left of a fleet whose nodes may still carry users: no step is
// taken on their silence, and once one is back the switch goes on.
func TestSwitchWaitsWhileEveryNodeIsAway(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Holding, time.Second)
		w.fleet.connect(0)
		time.Sleep(time.Hour)
		s := w.status(t, "fraud").State
		if s.Phase != rollout.Holding || s.Weights.Green != 1000 || !strings.Contains(s.Problem, "no node is connected: 3 nodes are away (edge/n1") {
			t.Errorf("%s with green %d: %s", s.Phase, s.Weights.Green, s.Problem)
		}
		w.fleet.connect(1)
		w.wait(t, "fraud", rollout.Baking, 10*time.Second)
	}, model("fraud"))
}

// Once it was announced that the old color may be decommissioned, going back
// there takes force, also in the next process.
func TestRollbackToAColorThatWasLetGoTakesForce(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Idle, 3*time.Hour)
		w.end()
		w.begin()
		w.policies(model("fraud"))
		time.Sleep(2 * reconnect)
		back := rollout.Command{Verb: rollout.RollBack, Actor: "ann"}
		_, err := w.g.Do(t.Context(), "fraud", back)
		if err == nil || !strings.Contains(err.Error(), "blue was let go") || !strings.Contains(err.Error(), "force") {
			t.Errorf("rollback: %v", err)
		}
		back.Force, back.Reason = true, "blue still stands"
		if _, err := w.g.Do(t.Context(), "fraud", back); err != nil {
			t.Error(err)
		}
	}, model("fraud"))
}
