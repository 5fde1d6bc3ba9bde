package reconcile_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// moved is m with another service to discover.
func moved(m *policy.Model) *policy.Model {
	out := changed(m, "moved")
	out.Discovery.Service = "elsewhere"
	return out
}

// elsewhere is endpoints that nobody has seen before.
func elsewhere() rollout.EndpointSet {
	s := set(2, 2)
	for i := range s.Green {
		s.Green[i].Address = "10.9.9.9"
	}
	return s
}

// What gets weight was validated, also if the discovery changes meanwhile.
func TestChangedDiscoveryIsValidatedAgain(t *testing.T) {
	m := model("fraud")
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.checker.hold = true
		w.do(t, rollout.Start)
		synctest.Wait()
		w.registry.forget()
		w.policies(moved(m))
		time.Sleep(time.Hour)
		if s := w.status(t, "fraud").State; s.Phase != rollout.Validating || s.CheckRun != 0 {
			t.Errorf("%s, run %d: %s", s.Phase, s.CheckRun, s.Problem)
		}
		w.registry.say("fraud", elsewhere())
		synctest.Wait()
		if got := w.checker.job.Endpoints.Green; len(got) != 2 || got[0].Address != "10.9.9.9" {
			t.Errorf("validated is %+v", got)
		}
		w.checker.held <- verdicts(w.checker.job, rollout.Pass)
		w.wait(t, "fraud", rollout.Holding, time.Minute)
	}, m)
}

// Users on the target are not taken back, and the fleets keep their endpoints,
// until the new discovery has spoken; an old answer does not speak for it.
func TestChangedDiscoveryTakesNobodyBack(t *testing.T) {
	m := model("fraud")
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Baking, 2*time.Minute)
		late := w.registry.emits["fraud"]
		w.registry.forget()
		w.policies(moved(m))
		synctest.Wait()
		late(set(2, 0))
		w.registry.say("fraud", rollout.EndpointSet{Blue: endpoints("b", 2, "1"), Problem: "consul: connection refused", Since: time.Now()})
		time.Sleep(5 * time.Minute)
		s := w.status(t, "fraud").State
		if s.Phase != rollout.Baking || !strings.Contains(s.Problem, "connection refused") {
			t.Errorf("%s: %s", s.Phase, s.Problem)
		}
		if got := w.fleet.clusters["fraud"].Green; len(got) != 2 {
			t.Errorf("green was emptied to %v", got)
		}
		w.registry.say("fraud", set(2, 0))
		w.wait(t, "fraud", rollout.Idle, time.Minute)
		if s := w.status(t, "fraud").State; s.Switch.Outcome != rollout.RolledBack {
			t.Errorf("%s: %s", s.Switch.Outcome, s.Switch.Cause)
		}
	}, m)
}
