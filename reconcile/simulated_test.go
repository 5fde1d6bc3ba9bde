package reconcile_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/simulate"
)

// deed is one thing that happens, to a Group among fakes and to a simulated world.
type deed struct {
	at        time.Duration
	what      string
	real      func(*testing.T, *world)
	simulated func(*simulate.World)
}

// TestSimulationIsFaithful: what rollout/simulate makes of a policy is what a Group does,
// phase by phase and to the second.
func TestSimulationIsFaithful(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			first, deeds := drawDeeds(rand.New(rand.NewPCG(seed, 1)))
			var told strings.Builder
			for _, d := range deeds {
				fmt.Fprintf(&told, "%s %s\n", d.at, d.what)
			}
			real, simulated := playReal(t, first, deeds), playSimulated(t, first, deeds)
			if real != simulated {
				t.Errorf("of\n%sa group makes\n%s\nand a simulation\n%s", told.String(), real, simulated)
			}
		})
	}
}

const (
	ackTakes = reconnect
	lasts    = 3 * time.Hour
)

// drawDeeds is a policy and what happens under it.
func drawDeeds(r *rand.Rand) (*policy.Model, []deed) {
	first := model("fraud")
	if r.IntN(3) == 0 {
		first.Rollback.Automatic = false
	}
	if r.IntN(3) == 0 {
		first.Wanted = policy.Wanted{Color: policy.Green}
	}
	first.Retire.Webhook = "" // nobody takes instances away in the fakes
	now := first
	at := time.Duration(0)
	deeds := []deed{command(7*time.Second, rollout.Start)}
	for n := range 3 + r.IntN(8) {
		at += time.Duration(8+r.IntN(300)) * time.Second
		switch r.IntN(10) {
		case 0:
			blue, green := 1+r.IntN(3), r.IntN(3)
			deeds = append(deeds, deed{at, fmt.Sprintf("%d and %d endpoints", blue, green),
				func(_ *testing.T, w *world) { w.registry.say("fraud", set(blue, green)) },
				func(w *simulate.World) {
					w.SetSide(policy.Blue, simulate.Side{Ready: blue, Version: "1"})
					w.SetSide(policy.Green, simulate.Side{Ready: green, Version: "2"})
				}})
		case 1:
			result := []rollout.Result{rollout.Pass, rollout.Fail, rollout.Inconclusive}[r.IntN(3)]
			deeds = append(deeds, deed{at, "checks " + string(result),
				func(_ *testing.T, w *world) { w.checker.set(result) },
				func(w *simulate.World) {
					w.SetChecks(simulate.Checks{All: simulate.Check{Result: result, Summary: "as told"}})
				}})
		case 2:
			problem := []string{"", "503"}[r.IntN(2)]
			deeds = append(deeds, deed{at, "retiring answers " + problem,
				func(_ *testing.T, w *world) {
					w.hooks.mu.Lock()
					defer w.hooks.mu.Unlock()
					w.hooks.err = nil
					if problem != "" {
						w.hooks.err = errors.New(problem)
					}
				},
				func(w *simulate.World) { w.SetRetire(simulate.Retire{Problem: problem}) }})
		case 3:
			next := changed(now, fmt.Sprintf("fraud-%d", n+2))
			next.Wanted = []policy.Wanted{now.Wanted, {}, {Color: policy.Blue}, {Color: policy.Green}}[r.IntN(4)]
			refused := r.IntN(3) == 0
			now = next
			deeds = append(deeds, deed{at, fmt.Sprintf("policy %s wants %q, rejected %t", next.Source.Hash, next.Wanted.Color, refused),
				func(_ *testing.T, w *world) {
					if refused {
						w.fleet.behave(ackTakes, next.Source.Hash)
					}
					w.policies(next)
				},
				func(w *simulate.World) {
					if refused {
						w.SetNack(simulate.Nack{Reason: "bad", Type: "route", Times: 3})
					}
					w.TakePolicy(policy.Entry{Model: next})
				}})
		case 4:
			file := now
			deeds = append(deeds, deed{at, "restart",
				func(_ *testing.T, w *world) {
					w.end()
					w.begin()
					w.policies(file)
				},
				func(w *simulate.World) { w.Restart(0) }})
		default:
			deeds = append(deeds, command(at, []rollout.Verb{
				rollout.Start, rollout.Start, rollout.Promote, rollout.Pause, rollout.Resume, rollout.Abort, rollout.RollBack, rollout.Practise,
			}[r.IntN(8)]))
		}
	}
	return first, deeds
}

// command is a deed; it may be refused, by both.
func command(at time.Duration, verb rollout.Verb) deed {
	c := rollout.Command{Verb: verb, Actor: "ann", Reason: "so", Again: true, Override: verb == rollout.Start, AnyRate: true}
	return deed{at, string(verb),
		func(t *testing.T, w *world) { _, _ = w.g.Do(t.Context(), "fraud", c) },
		func(w *simulate.World) { w.Command(c) }}
}

// tale is what became of a model: each switch's transitions, with their times.
type tale struct {
	began time.Time
	last  rollout.Switch
	out   strings.Builder
}

func (s *tale) see(st rollout.State) {
	if st.Switch == nil {
		return
	}
	known := 0
	if st.Switch.ID == s.last.ID {
		known = len(s.last.Transitions)
	}
	for _, tr := range st.Switch.Transitions[known:] {
		fmt.Fprintf(&s.out, "%s %s %s [%s]\n", tr.At.Sub(s.began).Round(time.Second), tr.To, tr.Weights.Green, tr.Actor)
	}
	s.last = *st.Switch
}

func (s *tale) end(st rollout.State) string {
	s.see(st)
	return fmt.Sprintf("%s= %s, %s live, green %s", s.out.String(), st.Phase, st.Live, st.Weights.Green)
}

func playReal(t *testing.T, first *policy.Model, deeds []deed) (out string) {
	run(t, func(t *testing.T, w *world) {
		s := tale{began: time.Now()}
		w.fleet.behave(ackTakes, "")
		w.registry.say("fraud", set(2, 2))
		synctest.Wait()
		for at := time.Duration(0); at < lasts; at += time.Second {
			for _, d := range deeds {
				if d.at == at {
					d.real(t, w)
					s.see(w.status(t, "fraud").State)
				}
			}
			time.Sleep(time.Second)
			s.see(w.status(t, "fraud").State)
		}
		out = s.end(w.status(t, "fraud").State)
	}, first)
	return out
}

func playSimulated(t *testing.T, first *policy.Model, deeds []deed) string {
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	g := simulate.Typical()
	g.Registry = simulate.Registry{Blue: simulate.Side{Ready: 2, Version: "1"}, Green: simulate.Side{Ready: 2, Version: "2"}}
	g.Nodes.Ack, g.Checks, g.Retire = ackTakes, simulate.Checks{All: simulate.Check{Summary: "as told"}}, simulate.Retire{}
	w := simulate.New("fraud", policy.Entry{Model: first}, began, g, "")
	s := tale{began: began}
	w.Look = func() { s.see(w.State()) }
	for _, d := range deeds {
		if err := w.Run(began.Add(d.at)); err != nil {
			t.Fatal(err)
		}
		w.Change(func() { d.simulated(w) })
		s.see(w.State())
	}
	if err := w.Run(began.Add(lasts)); err != nil {
		t.Fatal(err)
	}
	return s.end(w.State())
}
