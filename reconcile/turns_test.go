package reconcile_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout"
)

// inGroup is a model of group g.
func inGroup(name string, atMost int, on ...string) *policy.Model {
	m := model(name)
	m.Queue, m.DependsOn = policy.Queue{Group: "g", AtMost: atMost}, on
	return m
}

// begun is the models of names whose switch has begun and not ended.
func (w *world) begun(t *testing.T, names ...string) string {
	t.Helper()
	var out []string
	for _, name := range names {
		if s, _ := w.g.Status(name); s.State.Phase.Running() && s.State.Phase != rollout.Waiting {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

// Models of a group are switched one after the other, in the order of asking, also
// when the process ends in the middle.
func TestAGroupIsSwitchedInTurn(t *testing.T) {
	names := []string{"a", "b", "c"}
	models := []*policy.Model{inGroup("a", 1), inGroup("b", 1), inGroup("c", 2)}
	run(t, func(t *testing.T, w *world) {
		for _, name := range names {
			w.registry.say(name, set(2, 2))
		}
		time.Sleep(time.Second)
		for _, name := range []string{"b", "c", "a"} {
			if _, err := w.g.Do(t.Context(), name, rollout.Command{Verb: rollout.Start, Actor: "ann"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if got := w.begun(t, names...); got != "b" {
			t.Errorf("begun: %s", got)
		}
		if s, _ := w.g.Status("a"); s.State.Queued.Why != "place 2 of 2 in the queue of group g: b is switched, at most 1 at once" {
			t.Errorf("a waits: %q", s.State.Queued.Why)
		}

		w.end()
		w.begin()
		w.policies(models...)
		synctest.Wait()
		for _, name := range names {
			w.registry.say(name, set(2, 2))
		}
		time.Sleep(time.Second)
		if got := w.begun(t, names...); got != "b" {
			t.Errorf("begun after a restart: %s", got)
		}

		if _, err := w.g.Do(t.Context(), "a", rollout.Command{Verb: rollout.Requeue, Actor: "ann", Order: -1}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.g.Do(t.Context(), "b", rollout.Command{Verb: rollout.Abort, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		w.wait(t, "b", rollout.Idle, time.Hour)
		synctest.Wait()
		if got := w.begun(t, names...); got != "a" {
			t.Errorf("begun after b: %s", got)
		}
		if _, err := w.g.Do(t.Context(), "a", rollout.Command{Verb: rollout.Abort, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		w.wait(t, "a", rollout.Idle, time.Hour)
		synctest.Wait()
		if got := w.begun(t, names...); got != "c" {
			t.Errorf("begun after a: %s", got)
		}
	}, models...)
}

// A place whose model the registry says nothing of is not held for ever.
func TestASilentRegistryLetsOthersPass(t *testing.T) {
	models := []*policy.Model{inGroup("a", 1), inGroup("b", 1), inGroup("c", 1)}
	do := func(t *testing.T, w *world, model string, verb rollout.Verb) {
		t.Helper()
		if _, err := w.g.Do(t.Context(), model, rollout.Command{Verb: verb, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	run(t, func(t *testing.T, w *world) {
		for _, name := range []string{"a", "b", "c"} {
			w.registry.say(name, set(2, 2))
		}
		time.Sleep(time.Second)
		for _, name := range []string{"b", "a", "c"} {
			do(t, w, name, rollout.Start)
		}
		w.end()
		w.registry.forget()
		w.begin()
		w.policies(models...)
		synctest.Wait()
		for _, name := range []string{"b", "c"} {
			w.registry.say(name, set(2, 2))
		}
		time.Sleep(time.Second)
		do(t, w, "b", rollout.Abort)
		w.wait(t, "b", rollout.Idle, time.Hour)
		synctest.Wait()
		if got := w.begun(t, "a", "b", "c"); got != "" {
			t.Errorf("begun before a has had its time: %s", got)
		}
		time.Sleep(model("a").Prepare.Within)
		synctest.Wait()
		if got := w.begun(t, "a", "b", "c"); got != "c" {
			t.Errorf("begun: %q; want c", got)
		}
		w.registry.say("a", set(2, 2))
		time.Sleep(time.Second)
		do(t, w, "c", rollout.Abort)
		w.wait(t, "c", rollout.Idle, time.Hour)
		synctest.Wait()
		if got := w.begun(t, "a", "b", "c"); got != "a" {
			t.Errorf("begun: %q; want a", got)
		}
	}, models...)
}

// A ranker waits for its embedder: one change of both moves one after the other,
// whichever of them hears of it first.
func TestADependentWaits(t *testing.T) {
	for _, embedder := range []string{"embedder", "zembedder"} {
		for range 20 {
			dependentWaits(t, embedder, "n1", "n2", "n3")
			dependentWaits(t, embedder) // with no node to ask a policy is confirmed at once
		}
	}
}

func dependentWaits(t *testing.T, embedder string, nodes ...string) {
	wants := func(m *policy.Model, c policy.Color) *policy.Model {
		m.Wanted, m.Source.Hash = policy.Wanted{Color: c}, m.Name+string(c)
		return m
	}
	both := func(c policy.Color) []*policy.Model {
		ranker := model("ranker")
		ranker.DependsOn = []string{embedder}
		return []*policy.Model{wants(ranker, c), wants(model(embedder), c)}
	}
	runOn(t, nodes, func(t *testing.T, w *world) {
		w.registry.say("ranker", set(2, 2))
		w.registry.say(embedder, set(2, 2))
		time.Sleep(time.Second)
		w.policies(both(policy.Green)...)
		time.Sleep(time.Second)
		if got := w.begun(t, "ranker", embedder); got != embedder {
			t.Fatalf("begun: %s", got)
		}
		if s, _ := w.g.Status("ranker"); !strings.Contains(s.State.Queued.Why, "it depends on "+embedder+": switch") {
			t.Errorf("ranker waits: %q", s.State.Queued.Why)
		}
		w.wait(t, embedder, rollout.Retiring, 2*time.Hour)
		w.wait(t, "ranker", rollout.Retiring, 2*time.Hour)
		e, _ := w.g.Status(embedder)
		r, _ := w.g.Status("ranker")
		if r.State.Switch.Transitions[1].At.Before(e.State.Switch.Ended) {
			t.Errorf("the ranker began at %s, the embedder ended at %s", r.State.Switch.Transitions[1].At, e.State.Switch.Ended)
		}
		if r.State.Live != policy.Green || r.Drift != "" || e.Drift != "" {
			t.Errorf("%s, %q, %q", r.State.Live, r.Drift, e.Drift)
		}
	}, both(policy.Blue)...)
}

// Whose calendar has closed while it waited keeps its place and not the group: the
// others pass meanwhile, and it begins when the calendar opens.
func TestAClosedCalendarHoldsUpNobodyElse(t *testing.T) {
	day, err := calendar.New(calendar.Plan{Zone: "UTC", Windows: []calendar.Span{{From: "00:00", To: "01:00"}}})
	if err != nil {
		t.Fatal(err)
	}
	timed := inGroup("timed", 1)
	timed.Calendar = day
	models := []*policy.Model{inGroup("first", 1), timed, inGroup("last", 1)}
	names := []string{"first", "timed", "last"}
	run(t, func(t *testing.T, w *world) {
		for _, name := range names {
			w.registry.say(name, set(2, 2))
		}
		time.Sleep(time.Second)
		for _, name := range names {
			if _, err := w.g.Do(t.Context(), name, rollout.Command{Verb: rollout.Start, Actor: "ann"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if _, err := w.g.Do(t.Context(), "first", rollout.Command{Verb: rollout.Pause, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := w.g.Do(t.Context(), "first", rollout.Command{Verb: rollout.Abort, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		w.wait(t, "first", rollout.Idle, time.Hour)
		synctest.Wait()
		if got := w.begun(t, names...); got != "last" {
			t.Errorf("begun: %q", got)
		}
		if _, err := w.g.Do(t.Context(), "last", rollout.Command{Verb: rollout.Abort, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		w.wait(t, "last", rollout.Idle, time.Hour)
		time.Sleep(24 * time.Hour)
		if s, _ := w.g.Status("timed"); s.State.Switch.Transitions[len(s.State.Switch.Transitions)-1].From == rollout.Waiting || s.State.Phase == rollout.Waiting {
			t.Errorf("timed is %s: %s", s.State.Phase, s.State.Queued.Why)
		}
	}, models...)
}

// Whoever waits for another model and for its calendar begins when both let it.
func TestAClosedCalendarLosesNoTurn(t *testing.T) {
	day, err := calendar.New(calendar.Plan{Zone: "UTC", Windows: []calendar.Span{{From: "06:00", To: "07:00"}}})
	if err != nil {
		t.Fatal(err)
	}
	ranker := model("ranker")
	ranker.DependsOn, ranker.Calendar = []string{"embedder"}, day
	run(t, func(t *testing.T, w *world) {
		w.registry.say("ranker", set(2, 2))
		w.registry.say("embedder", set(2, 2))
		time.Sleep(time.Second)
		if _, err := w.g.Do(t.Context(), "ranker", rollout.Command{Verb: rollout.Start, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(7*time.Hour - 2*time.Second)
		if s, _ := w.g.Status("ranker"); s.State.Phase == rollout.Waiting {
			t.Errorf("ranker waits: %s", s.State.Queued.Why)
		}
	}, ranker, model("embedder"))
}
