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
	"greenlight/rollout"
)

// choosy has other checks at its steps and in its bake than in its validation.
func choosy() *policy.Model {
	named := func(names ...string) (out []policy.Check) {
		for _, n := range names {
			out = append(out, policy.Check{Name: n, Timeout: time.Second, Ready: &policy.ReadyCheck{Path: "/" + n}})
		}
		return out
	}
	m := model("fraud")
	m.Validate, m.StepChecks.Checks, m.Bake.Checks = named("ready", "quality"), named("ready", "latency"), named("errors")
	m.Predict.Model = "f"
	return m
}

// A run without a switch judges the idle color, moves nothing, and leaves no trace.
func TestCheckWithoutASwitch(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(3, 2))
		time.Sleep(time.Second)
		before := w.status(t, "fraud")
		w.take()
		a, err := w.g.Check(t.Context(), "fraud", nil, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := (rollout.Target{Idle: "green", IdleVersion: "2", Live: "blue", LiveVersion: "1"}); a.Target != want || a.Model != "fraud" || a.Switch != nil {
			t.Errorf("assessed %+v", a)
		}
		if len(a.Stages) != 1 || a.Stages[0].Name != rollout.StageCheck || !a.At.Equal(time.Now()) {
			t.Errorf("stages %+v", a.Stages)
		}
		if got := names(a); !slices.Equal(got, []string{"ready", "quality"}) || a.Stages[0].Verdicts[0].Detail == nil {
			t.Errorf("verdicts %+v", a.Stages[0].Verdicts)
		}
		w.expect(t, "check fraud green") // no commit, no route
		if after := w.status(t, "fraud"); after.Revision != before.Revision {
			t.Error("the status changed")
		}
		if len(w.kept.loadVerdicts()) != 0 {
			t.Error("the verdicts were kept")
		}
		job := w.checker.job
		if job.Live != policy.Blue || job.Predict.Model != "f" || job.FailFast || job.RequestTimeout != time.Second ||
			job.For.Switch != "" || job.For.Stage != rollout.StageCheck || job.For.Weights != rollout.AllOn(policy.Blue) {
			t.Errorf("job %+v", job)
		}
	}, choosy())
}

func TestCheckByName(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		a, err := w.g.Check(t.Context(), "fraud", []string{"errors", "latency", "ready", "errors"}, policy.Blue, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(a); !slices.Equal(got, []string{"ready", "latency", "errors"}) || a.Target.Idle != "blue" {
			t.Errorf("checked %q of %s", got, a.Target.Idle)
		}
		_, err = w.g.Check(t.Context(), "fraud", []string{"ready", "qualty", "drift", "qualty"}, "", nil)
		var unknown *rollout.UnknownChecksError
		if !errors.As(err, &unknown) || !slices.Equal(unknown.Names, []string{"qualty", "drift"}) ||
			!slices.Equal(unknown.Known, []string{"ready", "quality", "latency", "errors"}) {
			t.Errorf("unknown names: %v", err)
		}
	}, choosy())
}

func TestCheckIsRefused(t *testing.T) {
	refused := func(t *testing.T, w *world, code rollout.RefusalCode, says string) {
		t.Helper()
		synctest.Wait()
		_, err := w.g.Check(t.Context(), "fraud", nil, "", nil)
		var no *rollout.RefusedError
		if !errors.As(err, &no) || no.Code != code || !strings.Contains(no.Message, says) {
			t.Errorf("%v is no %s that says %q", err, code, says)
		}
	}
	run(t, func(t *testing.T, w *world) {
		refused(t, w, rollout.NotReady, "has not answered")
		w.registry.say("fraud", rollout.EndpointSet{Unready: map[policy.Color]int{policy.Green: 2}})
		refused(t, w, rollout.NotReady, "no live color")
		w.registry.say("fraud", rollout.EndpointSet{Blue: endpoints("b", 2, "1"), Unready: map[policy.Color]int{policy.Green: 2}})
		refused(t, w, rollout.NotReady, "no ready endpoint to check (2 not ready)")
		down := set(2, 2)
		down.Problem, down.Since = "consul: connection refused", time.Now()
		w.registry.say("fraud", down)
		refused(t, w, rollout.NotReady, "connection refused")
		w.registry.say("fraud", set(2, 2))
		bare := changed(choosy(), "fraud-2")
		bare.Validate = nil
		w.policies(bare)
		refused(t, w, rollout.NotNow, "no checks in validate")
		if _, err := w.g.Check(t.Context(), "spam", nil, "", nil); !errors.Is(err, rollout.ErrNoModel) {
			t.Errorf("an unknown model: %v", err)
		}
		if len(w.checker.jobs) != 0 {
			t.Errorf("%d refused runs ran", len(w.checker.jobs))
		}
	}, choosy())
}

// One run without a switch at a time, whatever a switch does; it ends with who asked.
func TestOneCheckAtATime(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Baking, 5*time.Minute)
		w.checker.hold = true
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := w.g.Check(ctx, "fraud", nil, "", nil)
			ended <- err
		}()
		synctest.Wait()
		if job := w.checker.job; job.Target != policy.Blue || job.Live != policy.Green {
			t.Errorf("judges %s with %s live", job.Target, job.Live)
		}
		if _, err := w.g.Check(t.Context(), "fraud", nil, "", nil); !errors.Is(err, rollout.ErrChecking) {
			t.Errorf("a second run: %v", err)
		}
		began := time.Now()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(began) != 0 {
			t.Errorf("canceled after %s: %v", time.Since(began), err)
		}
		w.checker.hold = false
		if _, err := w.g.Check(t.Context(), "fraud", nil, "", nil); err != nil {
			t.Errorf("after it: %v", err)
		}
	}, choosy())
}

// A process that ends waits for no run.
func TestCheckEndsWithTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.begin()
		w.policies(choosy())
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.checker.hold = true
		ended := make(chan error, 1)
		go func() {
			_, err := w.g.Check(context.Background(), "fraud", nil, "", nil)
			ended <- err
		}()
		synctest.Wait()
		w.end()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "shutting down") {
			t.Errorf("ended with %v", err)
		}
	})
}

func names(a rollout.Assessment) (out []string) {
	for _, v := range a.Stages[0].Verdicts {
		out = append(out, v.Check)
	}
	return out
}
