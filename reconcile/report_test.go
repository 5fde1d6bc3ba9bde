package reconcile_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Every stage's verdicts are kept with their details; the state, which is
// journaled and shown, holds them without.
func TestVerdictsAreKeptForTheReport(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Retiring, 20*time.Minute)
		sw := w.status(t, "fraud").State.Switch
		got := w.kept.loadVerdicts()
		want := []string{sw.ID + " 10%", sw.ID + " bake", sw.ID + " validate"}
		if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
			t.Errorf("kept %q, want %q", keys, want)
		}
		for key, verdicts := range got {
			_, stage, _ := strings.Cut(key, " ")
			if len(verdicts) != 1 || verdicts[0].Detail == nil || verdicts[0].Detail.Notes[0] != "measured at "+stage {
				t.Errorf("%s: kept %+v", key, verdicts)
			}
		}
		if len(sw.Verdicts) != 1 || sw.Verdicts[0].Detail != nil {
			t.Errorf("the switch holds %+v", sw.Verdicts)
		}
	}, model("fraud"))
}

// A disk that takes no report stops no switch; what it did not take is not lost.
func TestAReportThatIsNotSavedStopsNothing(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.kept.setBroken(true)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Baking, 5*time.Minute)
		if len(w.kept.loadVerdicts()) != 0 || !strings.Contains(w.logged(), "verdicts of validate") {
			t.Errorf("kept %v, logged\n%s", w.kept.loadVerdicts(), w.logged())
		}
		w.kept.setBroken(false)
		time.Sleep(2 * time.Second)
		if got := len(w.kept.loadVerdicts()); got != 2 {
			t.Errorf("%d stages are kept", got)
		}
	}, model("fraud"))
}

// A run is told on whose behalf it measures, how, and what was measured before.
func TestJobsSayWhatTheyAreFor(t *testing.T) {
	fraud := model("fraud")
	fraud.Predict = policy.Predict{Model: "as-planned"}
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		s, err := w.g.Do(t.Context(), "fraud", rollout.Command{Verb: rollout.Start, Actor: "ann", Reason: "better"})
		if err != nil {
			t.Fatal(err)
		}
		next := changed(fraud, "fraud-2") // the switch keeps its plan
		next.Predict.Model = "as-changed"
		w.policies(next)
		w.wait(t, "fraud", rollout.Retiring, 20*time.Minute)
		seen := map[string]bool{}
		for _, job := range w.checker.jobs {
			f := job.For
			seen[f.Stage] = true
			if f.Switch != s.State.Switch.ID || f.Actor != "ann" || f.Reason != "better" || job.Predict.Model != "as-planned" {
				t.Errorf("%s: for %+v, predict %q", f.Stage, f, job.Predict.Model)
			}
			if want := (rollout.Target{Idle: "green", IdleVersion: "2", Live: "blue", LiveVersion: "1"}); f.Target != want {
				t.Errorf("%s: target %+v", f.Stage, f.Target)
			}
			first := f.Stage == rollout.StageValidate
			if job.FailFast == first || len(job.Earlier) > 0 == first {
				t.Errorf("%s: fail fast %v, %d earlier verdicts", f.Stage, job.FailFast, len(job.Earlier))
			}
			weight := map[string]policy.Weight{"validate": 0, "10%": 1000, "bake": policy.Full}[f.Stage]
			if f.Weights != rollout.Split(policy.Green, weight) {
				t.Errorf("%s: weights %+v", f.Stage, f.Weights)
			}
		}
		if len(seen) != 3 {
			t.Errorf("stages %v", seen)
		}
	}, fraud)
}
