package replay_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/rollout/replay"
	"greenlight/rollout/simulate"
)

// giant is a rolling policy: of four instances one at a time makes room.
func giant() *policy.Model {
	return change(careful(), func(m *policy.Model) {
		m.Rolling = &policy.Rolling{Batch: policy.Amount{Count: 1}, Capacity: policy.Full * 3 / 4, Hold: 5 * time.Minute}
		m.Shift = []policy.Step{{Weight: policy.Full}}
		m.Prepare.Within = 30 * time.Minute
		m.Bake.For = 10 * time.Minute
		m.Retire.Webhook = "https://deploy.internal/retire"
	})
}

// four is four instances of blue, and a platform on which others take five minutes to
// get ready.
func four(g *simulate.Given) {
	g.Traffic.Rate = 50
	g.Registry.Blue.Ready, g.Registry.Green.Ready = 4, 0
	g.Retire = simulate.Retire{Takes: 2 * time.Second, Replaced: 5 * time.Minute}
}

type happens = map[time.Duration]func(*simulate.World)

func retires(r simulate.Retire) func(*simulate.World) {
	return func(w *simulate.World) { w.SetRetire(r) }
}

// more has so many instances of a color more or, below 0, fewer.
func more(c policy.Color, n int) func(*simulate.World) {
	return func(w *simulate.World) {
		g := w.Given()
		side := *g.Registry.Of(c)
		side.Ready += n
		w.SetSide(c, side)
	}
}

func nodes(do func(*simulate.Nodes)) func(*simulate.World) {
	return func(w *simulate.World) {
		n := w.Given().Nodes
		do(&n)
		w.SetNodes(n)
	}
}

var rollingStories = sync.OnceValue(func() map[string]*recorded {
	ok := simulate.Retire{Takes: 2 * time.Second, Replaced: 5 * time.Minute}
	busy := simulate.Retire{Takes: 2 * time.Second, Replaced: 5 * time.Minute, Problem: "503 busy"}
	bad := traffic(func(t *simulate.Traffic) { t.Green.Errors = 0.2 })
	play := func(lasts time.Duration, what happens) *recorded {
		return &recorded{policy: giant(), given: four, lasts: lasts, happens: what}
	}
	with := func(r *recorded, given func(*simulate.Given), m func(*policy.Model)) *recorded {
		return &recorded{policy: change(giant(), m), lasts: r.lasts, happens: r.happens, given: func(g *simulate.Given) {
			four(g)
			given(g)
		}}
	}
	none, asIs := func(*simulate.Given) {}, func(*policy.Model) {}
	return map[string]*recorded{
		"good":                 play(2*time.Hour, nil),
		"two at a time":        with(play(2*time.Hour, nil), none, func(m *policy.Model) { m.Rolling.Batch.Count, m.Rolling.Capacity = 2, policy.Full/2 }),
		"bad":                  play(time.Hour, happens{0: bad}),
		"bad later":            play(2*time.Hour, happens{30 * time.Minute: bad}),
		"held instead":         with(play(time.Hour, happens{0: bad}), none, func(m *policy.Model) { m.Rollback.Automatic = false }),
		"refused a while":      play(2*time.Hour, happens{0: retires(busy), 6 * time.Minute: retires(ok), 20 * time.Minute: retires(busy), 40 * time.Minute: retires(ok)}),
		"refused":              with(play(2*time.Hour, happens{0: retires(busy)}), none, func(m *policy.Model) { m.Validate, m.StepChecks, m.Bake.Checks = nil, policy.StepChecks{}, nil }),
		"slow to answer":       with(play(2*time.Hour, nil), func(g *simulate.Given) { g.Retire.Takes = 25 * time.Second }, asIs),
		"rolled back by ann":   play(2*time.Hour, happens{9 * time.Minute: ann(rollout.RollBack)}),
		"rolled back too late": play(2*time.Hour, happens{22 * time.Minute: ann(rollout.RollBack)}),
		"back, and forth":      play(2*time.Hour, happens{22 * time.Minute: ann(rollout.RollBack), 23 * time.Minute: ann(rollout.Promote)}),
		"back, and none had left": play(2*time.Hour, happens{20 * time.Minute: retires(busy), 27 * time.Minute: func(w *simulate.World) {
			w.SetRetire(ok)
			ann(rollout.RollBack)(w)
		}}),
		"nothing comes":          play(2*time.Hour, happens{20 * time.Minute: retires(simulate.Retire{Takes: time.Second, Replaced: 24 * time.Hour})}),
		"an old one fails":       play(2*time.Hour, happens{17 * time.Minute: more(policy.Blue, -1), 40 * time.Minute: more(policy.Blue, 1)}),
		"a new one fails":        play(2*time.Hour, happens{25 * time.Minute: more(policy.Green, -1), 26 * time.Minute: more(policy.Green, 1)}),
		"all new ones fail":      play(2*time.Hour, happens{10 * time.Minute: more(policy.Green, -1)}),
		"another version":        play(2*time.Hour, happens{20 * time.Minute: func(w *simulate.World) { w.SetSide(policy.Green, simulate.Side{Ready: 1, Version: "v3"}) }}),
		"people":                 play(2*time.Hour, happens{7 * time.Minute: ann(rollout.Promote), 8 * time.Minute: ann(rollout.Pause), 20 * time.Minute: ann(rollout.Resume), 45 * time.Minute: ann(rollout.Abort)}),
		"a node is away":         play(2*time.Hour, happens{9 * time.Minute: nodes(func(n *simulate.Nodes) { n.Away = 1; n.Lease = 20 * time.Minute })}),
		"a node is behind":       play(2*time.Hour, happens{9 * time.Minute: nodes(func(n *simulate.Nodes) { n.Behind = 1 }), 20 * time.Minute: nodes(func(n *simulate.Nodes) { n.Behind = 0 })}),
		"outage of the registry": play(2*time.Hour, happens{11 * time.Minute: func(w *simulate.World) { w.SetTrouble("consul: refused") }, 40 * time.Minute: func(w *simulate.World) { w.SetTrouble("") }}),
		"both complete":          with(play(2*time.Hour, nil), func(g *simulate.Given) { g.Registry.Green.Ready, g.Retire.Replaced = 4, 24*time.Hour }, asIs),
		"restarted":              play(2*time.Hour, happens{15 * time.Second: func(w *simulate.World) { w.Restart(0) }, 12 * time.Minute: func(w *simulate.World) { w.Restart(0) }}),
		"still there":            play(20*time.Minute, nil),
	}
})

// TestOwnRollingPolicySameStory: so does one whose instances came and went because of it.
func TestOwnRollingPolicySameStory(t *testing.T) {
	quick := []string{"bad", "refused", "refused a while", "rolled back too late", "restarted"}
	for name, r := range rollingStories() {
		if testing.Short() && !slices.Contains(quick, name) {
			continue
		}
		t.Run(name, func(t *testing.T) { r.sameStory(t, name == "restarted") })
	}
}

// TestAnyOwnRollingPolicySameStory: whatever happens, in whatever order.
func TestAnyOwnRollingPolicySameStory(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			total := 2 + r.IntN(5)
			m := giant()
			m.Rolling = &policy.Rolling{
				Batch: policy.Amount{Count: 1 + r.IntN(2)}, Capacity: policy.Full / policy.Weight(1+r.IntN(4)) * 3 / 4, Hold: time.Duration(r.IntN(4)) * time.Minute,
			}
			m.Validate, m.StepChecks, m.Bake.Checks = nil, policy.StepChecks{}, nil
			m.Rollback.Automatic = r.IntN(4) > 0
			one := &recorded{policy: m, lasts: 90 * time.Minute, happens: happens{}, given: func(g *simulate.Given) {
				g.Traffic.Rate = 10
				g.Registry.Blue.Ready, g.Registry.Green.Ready = total, r.IntN(2)
				g.Retire = drawRetire(r)
			}}
			at := time.Duration(0)
			for range r.IntN(8) {
				at += time.Duration(20+r.IntN(900)) * time.Second
				one.happens[at] = drawDeed(r)
			}
			one.sameStory(t, false)
		})
	}
}

func drawRetire(r *rand.Rand) simulate.Retire {
	return simulate.Retire{
		Problem: []string{"", "", "", "503"}[r.IntN(4)], Takes: time.Duration(r.IntN(20)) * time.Second, Replaced: time.Duration(r.IntN(600)) * time.Second,
	}
}

// drawDeed is one thing that happens to a rolling switch.
func drawDeed(r *rand.Rand) func(*simulate.World) {
	c := policy.Colors[r.IntN(2)]
	switch r.IntN(8) {
	case 0:
		return more(c, -1)
	case 1:
		return more(c, 1)
	case 2, 3:
		return retires(drawRetire(r))
	case 4:
		verb := []rollout.Verb{rollout.Promote, rollout.Pause, rollout.Resume, rollout.RollBack}[r.IntN(4)]
		return ann(verb)
	case 5:
		away := r.IntN(2)
		return nodes(func(n *simulate.Nodes) { n.Away, n.Lease = away, 10*time.Minute })
	case 6:
		problem := []string{"", "consul: refused"}[r.IntN(2)]
		return func(w *simulate.World) { w.SetTrouble(problem) }
	default:
		errors := []float64{0, 0, 0.3}[r.IntN(3)]
		return traffic(func(t *simulate.Traffic) { t.Green.Errors = errors })
	}
}

// TestOtherRollingPolicy: a changed policy asks for its own batches, and it is said what
// was assumed for them.
func TestOtherRollingPolicy(t *testing.T) {
	all := maps.Clone(rollingStories())
	all["a little bad"] = &recorded{policy: giant(), lasts: 2 * time.Hour, given: func(g *simulate.Given) {
		four(g)
		g.Traffic.Green.Errors = 0.004
	}}
	all["unjudged"] = &recorded{policy: change(giant(), func(m *policy.Model) { m.Judge.Off = true }), lasts: 2 * time.Hour, given: four,
		happens: happens{22 * time.Minute: traffic(func(t *simulate.Traffic) { t.Green.Errors = 0.2 })}}
	all["back to before"] = stories()["back to before"]
	all["not rolling"] = stories()["good"]
	all["not rolling, few"] = &recorded{policy: careful(), lasts: time.Hour, given: func(g *simulate.Given) { g.Registry.Blue.Ready = 4 }}
	steps := func(m *policy.Model) { *m = *careful() }
	for name, c := range map[string]struct {
		story  string
		policy func(*policy.Model)
		want   string   // of the verdict, or the error
		notes  []string // all of them
	}{
		"stricter": {"a little bad", func(m *policy.Model) { m.Judge.Risk = 0.3 },
			"20s before the recorded switch did: users' traffic: green fails more often", nil},
		"two at a time": {"good", func(m *policy.Model) { m.Rolling.Batch.Count, m.Rolling.Capacity = 2, policy.Full/2 },
			"would have succeeded at 2026-01-05 09:30:19 UTC, 20m35s before the recorded switch did", []string{"other instances make room than in the recorded switch"}},
		"less capacity, one at a time": {"good", func(m *policy.Model) { m.Rolling.Hold, m.Rolling.Capacity = time.Minute, policy.Full/4 },
			"would have succeeded at 2026-01-05 09:", []string{"other instances make room than in the recorded switch"}},
		"a longer hold": {"good", func(m *policy.Model) { m.Rolling.Hold = 10 * time.Minute },
			"would not have been decided by 2026-01-05 09:50:54", []string{"other instances make room", "users met blue in the replay when none did"}},
		"a platform that is busy": {"refused a while", func(m *policy.Model) { m.Rolling.Hold = 4 * time.Minute },
			"would have succeeded at 2026-01-05 10:1", []string{"other instances make room"}},
		"more capacity than comes": {"nothing comes", func(m *policy.Model) { m.Prepare.Within = 10 * time.Minute },
			"would have been held at 2026-01-05 09:45:37 UTC, 20m0s before the recorded switch did: the next instances did not come within 10m", nil},
		"a limit": {"good", func(m *policy.Model) {
			m.Judge.Latency.Max = []policy.LatencyMax{{Quantile: 0.99, Max: 70 * time.Millisecond}}
		}, "would have rolled back at 2026-01-05 09:27:48 UTC: users' traffic: green breaks its limit", []string{"nobody was asked to bring instances back"}},
		"back by itself, late": {"unjudged", func(m *policy.Model) {},
			"would have rolled back at 2026-01-05 09:37:0", []string{"nobody was asked to bring instances back in the recorded switch: it is taken to be done at once, and others to be ready after 5m2s, as long as instances took before"}},
		"a person's word earlier": {"back, and forth", func(m *policy.Model) { m.Rollback.Automatic = false }, "the same: succeeded", nil},
		"steps, and no room": {"good", steps,
			"was a rolling one, in which instances of green came in the place of those of blue", nil},
		"steps, and both are complete": {"both complete", steps,
			"where the recording ends: it stood at baking", []string{"the policy lets no instance go while the switch runs"}},
		"rolling, and both are complete": {"not rolling", func(m *policy.Model) { m.Rolling.Capacity = policy.Full / 2 },
			"would have succeeded at 2026-01-05 09:", []string{"green had all its instances from the start", "nobody was asked to let instances go in the recorded switch: it is taken to be done at once; green had all its instances"}},
		"rolling, and few are new": {"not rolling, few", func(*policy.Model) {},
			"was not a rolling one, and green never had as many instances as blue", nil},
		"back to before": {"back to before", func(*policy.Model) {}, "the same: succeeded", nil},
	} {
		t.Run(name, func(t *testing.T) {
			rec := all[c.story].play(t)
			m := giant()
			c.policy(m)
			got, err := replay.Play(rec, m)
			said := ""
			if err != nil {
				said = err.Error()
			} else {
				said = got.Verdict()
			}
			if !strings.Contains(said, c.want) {
				t.Errorf("%q, expected %q\n%+v", said, c.want, got.Story)
			}
			for _, want := range c.notes {
				if !strings.Contains(strings.Join(got.Notes, "; "), want) {
					t.Errorf("notes %q lack %q", got.Notes, want)
				}
			}
			if len(got.Notes) != len(c.notes) {
				t.Errorf("notes %q", got.Notes)
			}
		})
	}
}

// TestDamagedRollingRecordings: whatever is missing of one, a replay ends.
func TestDamagedRollingRecordings(t *testing.T) {
	rec := rollingStories()["rolled back too late"].play(t)
	for seed := range uint64(8) {
		damaged, r := rec, rand.New(rand.NewPCG(seed, 4))
		damaged.Entries = []record.Entry{rec.Entries[0]}
		for _, e := range rec.Entries[1:] {
			if r.IntN(4) > 0 {
				damaged.Entries = append(damaged.Entries, e)
			}
		}
		ends(t, damaged, giant())
	}
}
