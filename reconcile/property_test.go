package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// op is one thing that happens to a model; what A and B mean depends on Kind.
type op struct {
	Kind string
	A, B int
}

func (o op) String() string { return fmt.Sprintf("%s(%d,%d)", o.Kind, o.A, o.B) }

// ops draws whole scripts: rapid must not be used inside a bubble.
func ops() *rapid.Generator[[]op] {
	one := rapid.Custom(func(t *rapid.T) op {
		kinds := []string{
			"start", "start", "start", "promote", "pause", "resume", "abort", "rollback", "drill",
			"registry", "registry", "nodes", "acks", "verdict", "wait", "wait", "wait", "journal", "policy", "restart", "kill",
		}
		return op{
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			A:    rapid.IntRange(0, 3).Draw(t, "a"),
			B:    rapid.IntRange(0, 3).Draw(t, "b"),
		}
	})
	return rapid.SliceOfN(one, 1, 25)
}

// Whatever happens, and wherever the process is killed: nothing is routed or
// shown before it is journaled, no color is emptied while a node may send to
// it (the fakes look), and when the world is well again every switch ends.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := ops().Draw(rt, "script")
		var wrong []string
		synctest.Test(t, func(*testing.T) { wrong = play(script) })
		if len(wrong) > 0 {
			rt.Fatalf("%v:\n%s", script, strings.Join(wrong, "\n"))
		}
	})
}

// player plays a script in a world.
type player struct {
	w       *world
	policy  *policy.Model
	changes int
}

func play(script []op) []string {
	p := &player{w: newWorld(), policy: model("fraud")}
	p.w.begin()
	p.w.policies(p.policy)
	p.w.registry.say("fraud", set(2, 2))
	for _, o := range script {
		synctest.Wait()
		p.step(o)
	}
	p.heal()
	p.w.end()
	synctest.Wait()
	return p.w.wrongs()
}

func (p *player) step(o op) {
	switch o.Kind {
	case "registry":
		s := set(o.A, o.B)
		if o.A == 3 && o.B == 3 {
			s = set(2, 2)
			s.Problem, s.Since = "consul is away", time.Now()
		}
		p.w.registry.say("fraud", s)
	case "nodes":
		p.w.fleet.connect(o.A)
	case "acks":
		delays := []time.Duration{0, time.Millisecond, 20 * time.Second, 5 * time.Minute}
		p.w.fleet.behave(delays[o.A], fmt.Sprint("change-", o.B))
	case "verdict":
		p.w.checker.set([]rollout.Result{rollout.Pass, rollout.Pass, rollout.Fail, rollout.Inconclusive}[o.A])
	case "wait":
		time.Sleep([]time.Duration{time.Millisecond, 10 * time.Second, 2 * time.Minute, 15 * time.Minute}[o.A])
	case "journal":
		p.w.journal.setBroken([]error{nil, nil, nil, errDisk}[o.A])
	case "policy":
		p.changes = o.A
		p.policy = changed(p.policy, fmt.Sprint("change-", p.changes))
		p.w.policies(p.policy)
	case "restart":
		p.restart()
	case "kill":
		p.kill(o.A+1, o.B%2 == 0)
	default:
		p.command(map[string]rollout.Verb{
			"start": rollout.Start, "promote": rollout.Promote, "pause": rollout.Pause,
			"resume": rollout.Resume, "abort": rollout.Abort, "rollback": rollout.RollBack, "drill": rollout.Practise,
		}[o.Kind], o.B == 3)
	}
}

func (p *player) command(verb rollout.Verb, force bool) {
	cmd := rollout.Command{Verb: verb, Actor: "ann", Reason: "a test", Force: force, AnyRate: true}
	_, _ = p.w.g.Do(context.Background(), "fraud", cmd)
}

func (p *player) restart() {
	p.w.end()
	p.w.begin()
	p.w.policies(p.policy)
}

// kill ends the process at the n-th commit from now, before or after it
// became durable, if that comes within a while.
func (p *player) kill(n int, durable bool) {
	j := p.w.journal
	killed := make(chan struct{})
	hook := func(int) error {
		if n--; n == 0 {
			close(killed)
			p.w.stop()
		}
		if n <= 0 {
			return errDisk
		}
		return nil
	}
	j.hook(hook, durable)
	select {
	case <-killed:
	case <-time.After(10 * time.Minute):
	}
	p.w.end()
	j.hook(nil, durable)
	p.w.begin()
	p.w.policies(p.policy)
}

// heal makes the world well, and asks that the running switch comes to an end;
// if it waits for a person, once a person goes back.
func (p *player) heal() {
	p.w.journal.setBroken(nil)
	p.w.fleet.behave(time.Millisecond, "")
	p.w.checker.set(rollout.Pass)
	p.policy = changed(p.policy, "healed")
	p.w.policies(p.policy)
	p.w.registry.say("fraud", set(2, 2))
	p.w.fleet.connect(3)
	time.Sleep(time.Hour)
	s, _ := p.w.g.Status("fraud")
	if s.State.Phase == rollout.Held || s.State.Phase == rollout.Paused {
		p.command(rollout.RollBack, false)
	}
	time.Sleep(48 * time.Hour)
	s, _ = p.w.g.Status("fraud")
	st := s.State
	switch {
	case st.Phase != rollout.Idle:
		p.w.fail("it ended %s: %s", st.Phase, st.Problem)
	case st.Weights != rollout.AllOn(st.Live):
		p.w.fail("it ended with %s live and weights %v", st.Live, st.Weights)
	case st.Problem != "" || s.PolicyProblem != "":
		p.w.fail("it ended with problems %q, %q", st.Problem, s.PolicyProblem)
	case st.Switch != nil && st.Switch.Outcome == "":
		p.w.fail("it ended without an outcome")
	}
}
