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

func TestChangedPolicyIsPublished(t *testing.T) {
	m := instant("fraud")
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.take()
		w.policies(changed(m, "2"))
		w.expect(t, "commit fraud g2 idle", "route fraud g2 green 0")
		time.Sleep(time.Second)
		w.take()
		w.policies(changed(m, "2"), model("spam"))
		w.expect(t, "watch spam")
	}, m)
}

// A policy that a node rejects is taken back once and not tried again before
// its file changes.
func TestRejectedPolicyIsTakenBack(t *testing.T) {
	m := instant("fraud")
	bad := changed(m, "bad")
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.fleet.behave(time.Millisecond, "bad")
		w.take()
		w.policies(bad)
		time.Sleep(time.Second)
		w.expect(t, "commit fraud g2 idle", "route fraud g2 green 0",
			"commit fraud g2 idle", "commit fraud g3 idle", "route fraud g3 green 0")
		s := w.status(t, "fraud")
		if s.Policy.Source.Hash != m.Source.Hash || !strings.Contains(s.PolicyProblem, "edge/n1 rejected its route: bad") || s.PolicySince.IsZero() {
			t.Errorf("policy %s, problem %q since %s", s.Policy.Source.Hash, s.PolicyProblem, s.PolicySince)
		}
		w.policies(bad)
		w.expect(t)

		w.end() // a new process tries it once more, from the policy that the nodes took
		w.begin()
		w.policies(bad)
		time.Sleep(2 * reconnect)
		if s := w.status(t, "fraud"); s.Policy.Source.Hash != m.Source.Hash || s.PolicyProblem == "" {
			t.Errorf("after a restart: policy %s, problem %q", s.Policy.Source.Hash, s.PolicyProblem)
		}

		w.policies(changed(m, "good"))
		time.Sleep(time.Second)
		if s := w.status(t, "fraud"); s.Policy.Source.Hash != "good" || s.PolicyProblem != "" || s.State.Problem != "" {
			t.Errorf("policy %s, problems %q, %q", s.Policy.Source.Hash, s.PolicyProblem, s.State.Problem)
		}
	}, m)
}

func TestBrokenFileIsShown(t *testing.T) {
	m := instant("fraud")
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.take()
		since := time.Now()
		w.g.SetPolicies(policy.Set{Models: map[string]policy.Entry{
			"fraud": {Model: m, Problem: "fraud.yaml:3:1: unknown key", Since: since},
			"other": {Problem: "other.yaml:1:1: not YAML", Since: since},
		}})
		w.expect(t)
		if s := w.status(t, "fraud"); s.PolicyProblem != "fraud.yaml:3:1: unknown key" || !s.PolicySince.Equal(since) || s.Policy != m {
			t.Errorf("fraud: %q since %s", s.PolicyProblem, s.PolicySince)
		}
		if s := w.status(t, "other"); s.PolicyProblem != "other.yaml:1:1: not YAML" || s.Policy != nil {
			t.Errorf("other: %q, policy %v", s.PolicyProblem, s.Policy)
		}
		_, err := w.g.Do(t.Context(), "other", rollout.Command{Verb: rollout.Start, Actor: "ann"})
		var refused *rollout.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "not YAML") {
			t.Errorf("start of other: %v", err)
		}
		w.policies(m, model("other"))
		w.expect(t, "watch other")
	}, m)
}

func TestRemovedPolicyWithdraws(t *testing.T) {
	m := instant("fraud")
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Baking, time.Minute)
		w.take()
		w.policies()
		w.expect(t, "watched fraud", "withdraw fraud")
		if list := w.g.Statuses(); len(list) != 0 {
			t.Errorf("statuses: %+v", list)
		}
		_, err := w.g.Do(t.Context(), "fraud", rollout.Command{Verb: rollout.Abort, Actor: "ann"})
		if !errors.Is(err, rollout.ErrNoModel) {
			t.Errorf("got %v", err)
		}
		w.policies(m) // it goes on where it stood
		w.expect(t, "watch fraud", "endpoints fraud 2 2", "route fraud g2 green 10000")
		w.wait(t, "fraud", rollout.Retiring, 11*time.Minute)
	}, m)
}

func TestChangedDiscoveryRestartsTheWatch(t *testing.T) {
	m := instant("fraud")
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.take()
		w.registry.forget()
		moved := changed(m, "moved")
		moved.Discovery.Service = "fraud-v2"
		w.policies(moved)
		trace := w.take()
		slices.Sort(trace) // the old watch ends while the loop goes on
		want := []string{"commit fraud g2 idle", "route fraud g2 green 0", "watch fraud-v2", "watched fraud"}
		if !slices.Equal(trace, want) {
			t.Errorf("got %q", trace)
		}
		if last := w.registry.lasts["fraud"]; last == nil || len(last.Blue) != 2 {
			t.Errorf("the new watch was given %+v", last)
		}
	}, m)
}

// What became of a policy is not held against the next one, even if the
// journal kept the loop from hearing it in time.
func TestRejectionIsHeldAgainstTheRightPolicy(t *testing.T) {
	m := instant("fraud")
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.fleet.behave(time.Second, "bad")
		w.policies(changed(m, "bad"))
		w.take()
		w.journal.setBroken(errDisk)
		time.Sleep(time.Minute)
		w.policies(changed(m, "good"))
		w.take()
		w.journal.setBroken(nil)
		time.Sleep(time.Minute)
		if s := w.status(t, "fraud"); s.Policy.Source.Hash != "good" || s.PolicyProblem != "" {
			t.Errorf("policy %s, problem %q", s.Policy.Source.Hash, s.PolicyProblem)
		}
	}, m)
}

// A policy that a node rejects does not come back over the head of a model
// that has its traffic by now; both facts are told.
func TestRejectedPolicyTakesNoTrafficBack(t *testing.T) {
	a, b := model("a"), model("b")
	a.Route.Hosts, b.Route.Hosts = []string{"x"}, []string{"z"}
	run(t, func(t *testing.T, w *world) {
		w.registry.say("a", set(2, 2))
		w.registry.say("b", set(2, 2))
		time.Sleep(time.Second)
		a2, b2 := changed(a, "a-2"), changed(b, "b-2")
		a2.Route.Hosts, b2.Route.Hosts = []string{"y"}, []string{"x"}
		w.fleet.behave(time.Millisecond, "a-2")
		w.policies(a2, b2)
		time.Sleep(time.Second)
		problem := w.status(t, "a").PolicyProblem
		if ha, hb := w.fleet.routings["a"].Policy.Route.Hosts[0], w.fleet.routings["b"].Policy.Route.Hosts[0]; ha != "y" || hb != "x" {
			t.Errorf("a routes %s, b routes %s", ha, hb)
		}
		for _, want := range []string{"a.yaml:1", "edge/n1 rejected its route: bad", "model b has fleet edge, host x, prefix / by now"} {
			if !strings.Contains(problem, want) {
				t.Errorf("problem %q does not say %q", problem, want)
			}
		}
		b3 := changed(b, "b-3")
		w.policies(changed(a, "a-3"), b3) // both as before, under new names
		time.Sleep(time.Second)
		if s := w.status(t, "a"); s.PolicyProblem != "" || s.Policy.Route.Hosts[0] != "x" {
			t.Errorf("host %s, problem %q", s.Policy.Route.Hosts[0], s.PolicyProblem)
		}
	}, a, b)
}
