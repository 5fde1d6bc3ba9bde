package simulate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// story is what happened, by phase and weight.
func story(w *World) string {
	var b strings.Builder
	for _, l := range w.Story {
		if tr := l.Transition; tr != nil {
			fmt.Fprintf(&b, "%s %s %s: %s\n", l.At.Sub(began), tr.To, tr.Weights.Green, tr.Reason)
		} else {
			fmt.Fprintf(&b, "%s %s\n", l.At.Sub(began), l.Text)
		}
	}
	return b.String()
}

// phases is the phases alone, with their times.
func phases(w *World) (names []rollout.Phase, at []time.Duration) {
	for _, l := range w.Story {
		if l.Transition != nil {
			names, at = append(names, l.Transition.To), append(at, l.At.Sub(began))
		}
	}
	return names, at
}

// TestLongWindowsTellTheSameStory: windows that grow in quiet times lead to the same
// phases at the same times as windows of a second do.
func TestLongWindowsTellTheSameStory(t *testing.T) {
	for name, change := range map[string]func(*Given){
		"good":          func(g *Given) { g.Traffic.Rate = 100 },
		"thin":          func(g *Given) { g.Traffic.Rate = 0.05 },
		"a little slow": func(g *Given) { g.Traffic.Rate = 100; g.Traffic.Green.Latency.P99 = 85 * time.Millisecond },
		"a little bad":  func(g *Given) { g.Traffic.Rate = 100; g.Traffic.Green.Errors = 0.002 },
		"bad":           func(g *Given) { g.Traffic.Rate = 100; g.Traffic.Green.Errors = 0.05 },
	} {
		t.Run(name, func(t *testing.T) {
			m := canary(30*time.Minute, 4*time.Hour)
			m.Judge.Asked = true
			run := func(fine bool) *World {
				w := begin(m, change)
				if fine {
					for at := time.Duration(0); at < 8*time.Hour; at += time.Minute {
						w.Ahead = append(w.Ahead, began.Add(at))
					}
				}
				pass(t, w, 10*time.Minute)
				w.Command(rollout.Command{Verb: rollout.Start, Actor: "ann"})
				pass(t, w, 8*time.Hour)
				return w
			}
			paced, fine := run(false), run(true)
			a, atA := phases(paced)
			b, atB := phases(fine)
			if fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("paced\n%s\nfine\n%s", story(paced), story(fine))
			}
			for i := range atA {
				if d := (atA[i] - atB[i]).Abs(); d > 15*time.Second {
					t.Errorf("%s at %s and at %s", a[i], atA[i], atB[i])
				}
			}
		})
	}
}

// TestNothingStopsTheWorld: whatever happens, time goes on and every node is told what stands.
func TestNothingStopsTheWorld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type deed struct {
			after time.Duration
			do    func(*World)
		}
		var deeds []deed
		for range rapid.IntRange(1, 8).Draw(t, "deeds") {
			deeds = append(deeds, deed{time.Duration(rapid.IntRange(0, 300).Draw(t, "after")) * time.Second, drawDeed(t)})
		}
		w := begin(canary(2*time.Minute, 5*time.Minute), func(g *Given) {
			g.Traffic.Rate = rapid.SampledFrom([]float64{0, 0, 3}).Draw(t, "rate")
		})
		at := time.Duration(0)
		for _, d := range deeds {
			at += d.after
			if err := w.Run(began.Add(at)); err != nil {
				t.Fatal(err)
			}
			w.Change(func() { d.do(w) })
		}
		if err := w.Run(began.Add(at + 30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		w.Change(func() {
			w.SetTrouble("")
			w.SetNodes(Typical().Nodes)
			w.SetNack(Nack{})
			w.SetChecks(Typical().Checks)
			w.SetRetire(Typical().Retire)
			for _, c := range policy.Colors {
				now := w.Given()
				w.SetSide(c, Side{Ready: 4, Version: now.Registry.Of(c).Version})
			}
		})
		if err := w.Run(w.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		r := w.fleet.report(w.now)
		if s := w.State(); r.Acked+len(r.Rejected) != 3 || r.Generation != s.Generation || s.Weights.Blue+s.Weights.Green != policy.Full {
			t.Fatalf("%+v of generation %d, weights %+v:\n%s", r, s.Generation, s.Weights, story(w))
		}
	})
}

// drawDeed is one thing that is done to a world.
func drawDeed(t *rapid.T) func(*World) {
	n := rapid.IntRange(0, 4).Draw(t, "n")
	c := rapid.SampledFrom(policy.Colors[:]).Draw(t, "color")
	version := rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "version")
	verb := rapid.SampledFrom([]rollout.Verb{
		rollout.Start, rollout.Start, rollout.Promote, rollout.Pause, rollout.Resume, rollout.Abort, rollout.RollBack, rollout.Practise,
	}).Draw(t, "verb")
	result := rapid.SampledFrom([]rollout.Result{"", rollout.Fail, rollout.Inconclusive}).Draw(t, "result")
	switch rapid.IntRange(0, 9).Draw(t, "deed") {
	case 0:
		return func(w *World) { w.SetSide(c, Side{Ready: n, Unready: n % 2, Version: version}) }
	case 1:
		return func(w *World) { w.SetTrouble(map[bool]string{true: "consul: refused"}[n > 2]) }
	case 2:
		return func(w *World) {
			w.SetNodes(Nodes{Count: n, Ack: time.Second, Silent: n / 3, Away: n / 4, Lease: time.Minute})
		}
	case 3:
		return func(w *World) { w.SetNack(Nack{Reason: "no", Type: "route", Times: n}) }
	case 4:
		return func(w *World) { w.SetChecks(Checks{All: Check{Result: result, Takes: time.Second}}) }
	case 5:
		return func(w *World) { w.SetRetire(Retire{Problem: map[bool]string{true: "503"}[n > 2], Takes: time.Second}) }
	case 6:
		return func(w *World) { w.Restart(time.Duration(n) * time.Minute) }
	default:
		return func(w *World) {
			w.Command(rollout.Command{Verb: verb, Actor: "ann", Reason: "so", Again: true, AnyRate: true, Force: n == 0})
		}
	}
}
