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

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/rollout/replay"
	"greenlight/rollout/simulate"
)

var began = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// careful is a policy with two steps, a check everywhere, and a bake.
func careful() *policy.Model {
	check := []policy.Check{{Name: "ready", Timeout: 30 * time.Second, Ready: &policy.ReadyCheck{Path: "/ready"}}}
	return &policy.Model{
		Name:     "fraud",
		Route:    policy.Route{Fleets: []string{"edge"}, Timeout: 15 * time.Second},
		Validate: check, StepChecks: policy.StepChecks{Every: time.Minute, Checks: check},
		Shift:   []policy.Step{{Weight: 500, Hold: 10 * time.Minute}, {Weight: 2500, Hold: 5 * time.Minute}, {Weight: policy.Full}},
		Prepare: policy.Prepare{Within: 5 * time.Minute},
		Judge: policy.Judge{
			Risk: 0.01, Errors: policy.ErrorRule{Tolerate: 1}, Latency: policy.LatencyRule{Tolerate: 1.1},
			MinRequests: 100, MaxHold: 30 * time.Minute, Otherwise: policy.ThinHold,
		},
		Confirm:  policy.Confirm{Within: 30 * time.Second, Otherwise: policy.OtherwiseRollback},
		Bake:     policy.Bake{For: 30 * time.Minute, Every: time.Minute, Checks: check},
		Rollback: policy.Rollback{Automatic: true, EndpointsBelow: policy.Full / 2},
		Retire:   policy.Retire{After: time.Hour},
	}
}

// recorded is a switch that was recorded in a simulated world: it begins ten minutes in,
// or ten minutes after earlier ones, and while it runs things happen. It is played until
// it has ended, or for as long as it lasts.
type recorded struct {
	policy  *policy.Model
	given   func(*simulate.Given)
	earlier []func(*simulate.World)               // an hour apart
	begins  func(*simulate.World) rollout.Command // nil: ann starts it
	happens map[time.Duration]func(*simulate.World)
	lasts   time.Duration
	id      string
	parts   [][]byte
	whole   record.Recording // of all parts, once it was played
}

// play is the recording. It is played once, whoever asks.
func (r *recorded) play(t testing.TB) record.Recording {
	t.Helper()
	if len(r.parts) > 0 {
		return r.whole
	}
	g := simulate.Typical()
	g.Traffic.Rate = 200
	if r.given != nil {
		r.given(&g)
	}
	w := simulate.New("fraud", policy.Entry{Model: r.policy}, began, g, "")
	var recorder record.Recorder
	keep := func(now time.Time, atOnce bool) {
		if id, entries := recorder.Take(now, atOnce); id != "" {
			part, err := record.Pack(entries)
			if err != nil {
				t.Fatal(err)
			}
			recorder.Kept(len(part))
			if id != r.id {
				r.id, r.parts = id, nil
			}
			r.parts = append(r.parts, part)
		}
	}
	w.Heard = func(before, after rollout.State, e rollout.Event, now time.Time) {
		if _, again := e.(rollout.Recovered); again {
			recorder = record.Recorder{}
		}
		recorder.Hear(before, after, e, now)
		keep(now, before.Phase != after.Phase)
	}
	r.run(t, w)
	keep(w.Now(), true)
	r.whole = r.read(t, *w.State().Switch, len(r.parts))
	return r.whole
}

func (r *recorded) run(t testing.TB, w *simulate.World) {
	t.Helper()
	until := func(at time.Time) {
		if err := w.Run(at); err != nil {
			t.Fatal(err)
		}
	}
	for _, do := range r.earlier {
		until(w.Now().Add(time.Hour))
		w.Change(func() { do(w) })
	}
	start := w.Now().Add(10 * time.Minute)
	until(start)
	begins := rollout.Command{Verb: rollout.Start, Actor: "ann", Key: "secret"}
	if r.begins != nil {
		begins = r.begins(w)
	}
	if no := w.Command(begins); no != nil {
		t.Fatal(no.Message)
	}
	at := time.Duration(0)
	for _, after := range slices.Sorted(maps.Keys(r.happens)) {
		at = after
		until(start.Add(at))
		w.Change(func() { r.happens[after](w) })
	}
	for at < r.lasts && w.State().Switch.Outcome == "" {
		at += time.Minute
		until(start.Add(at))
	}
}

// read is the first parts, as a store gives them back.
func (r *recorded) read(t testing.TB, sw rollout.Switch, parts int) record.Recording {
	t.Helper()
	out := record.Recording{Switch: sw}
	for _, part := range r.parts[:parts] {
		entries, err := record.Unpack(part)
		if err != nil {
			t.Fatal(err)
		}
		out.Entries = append(out.Entries, entries...)
	}
	raw, err := out.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	out, err = record.Unmarshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// story is a switch's transitions.
func story(sw rollout.Switch) string {
	var b strings.Builder
	for _, tr := range sw.Transitions {
		fmt.Fprintf(&b, "%s %s %s [%s] %s\n", tr.At.Format("15:04:05.0"), tr.To, tr.Weights.Of(sw.To), tr.Actor, tr.Reason)
	}
	return fmt.Sprintf("%s= %s %s\n", b.String(), sw.Outcome, sw.Cause)
}

func ann(v rollout.Verb) func(*simulate.World) {
	return func(w *simulate.World) { w.Command(rollout.Command{Verb: v, Actor: "ann", Reason: "so"}) }
}

func traffic(change func(*simulate.Traffic)) func(*simulate.World) {
	return func(w *simulate.World) {
		t := w.Given().Traffic
		change(&t)
		w.SetTraffic(t)
	}
}

func checks(result rollout.Result, summary string) func(*simulate.World) {
	return func(w *simulate.World) {
		w.SetChecks(simulate.Checks{All: simulate.Check{Result: result, Takes: 2 * time.Second, Summary: summary}})
	}
}

func change(m *policy.Model, do func(*policy.Model)) *policy.Model {
	do(m)
	return m
}

// before is what was live before the last switch.
func before(w *simulate.World) *rollout.Earlier {
	sw := w.State().Switch
	return &rollout.Earlier{ID: sw.ID, Color: sw.From, Version: sw.FromVersion}
}

// undone is a switch back to before one that succeeded, when another one was tried since.
// Nodes take so long to answer.
func undone(ack time.Duration, happens map[time.Duration]func(*simulate.World)) *recorded {
	var first *rollout.Earlier
	return &recorded{
		policy: change(careful(), func(m *policy.Model) { m.Retire.After = 24 * time.Hour }), lasts: 30 * time.Minute, happens: happens,
		earlier: []func(*simulate.World){
			ann(rollout.Start),
			func(w *simulate.World) {
				first = before(w)
				w.Command(rollout.Command{Verb: rollout.Start, Actor: "ann", Again: true})
				ann(rollout.Abort)(w)
			},
		},
		begins: func(w *simulate.World) rollout.Command {
			if n := w.Given().Nodes; ack > 0 {
				n.Ack = ack
				w.SetNodes(n)
			}
			return rollout.Command{Verb: rollout.RollBack, Actor: "ann", ID: "undo", Before: first}
		},
	}
}

// stories is switches of every kind of ending.
var stories = sync.OnceValue(func() map[string]*recorded {
	return map[string]*recorded{
		"good":              {policy: careful(), lasts: time.Hour},
		"good, a long bake": {policy: change(careful(), func(m *policy.Model) { m.Bake.For = 6 * time.Hour }), lasts: 7 * time.Hour},
		"fails at 5 %":      {policy: careful(), lasts: time.Hour, given: func(g *simulate.Given) { g.Traffic.Green.Errors = 0.05 }},
		"fails a little":    {policy: careful(), lasts: time.Hour, given: func(g *simulate.Given) { g.Traffic.Green.Errors = 0.01 }},
		"gets slow":         {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){12 * time.Minute: traffic(func(t *simulate.Traffic) { t.Green.Latency.P99 = time.Second })}},
		"outage in the bake": {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){
			20 * time.Minute: traffic(func(t *simulate.Traffic) { t.Green.Errors = 0.5 })}},
		"shadow":          {policy: change(careful(), func(m *policy.Model) { m.Shadow = policy.Shadow{Percent: 1000, For: 5 * time.Minute} }), lasts: time.Hour},
		"refused":         {policy: careful(), lasts: time.Hour, given: func(g *simulate.Given) { g.Checks.All.Result = rollout.Fail }},
		"check fails":     {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){7 * time.Minute: checks(rollout.Fail, "503")}},
		"check can't say": {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){9 * time.Minute: checks(rollout.Inconclusive, "no answer"), 20 * time.Minute: checks("", ""), 22 * time.Minute: ann(rollout.Promote)}},
		"thin":            {policy: change(careful(), func(m *policy.Model) { m.Judge.Asked = true }), lasts: 2 * time.Hour, given: func(g *simulate.Given) { g.Traffic.Rate = 1 }},
		"rejected": {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){
			5 * time.Minute: func(w *simulate.World) {
				w.SetNack(simulate.Nack{Node: "edge-2", Reason: "no such cluster", Type: "route", Times: 1})
			}}},
		"not confirmed": {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){
			5 * time.Minute:  func(w *simulate.World) { n := w.Given().Nodes; n.Silent = 1; w.SetNodes(n) },
			12 * time.Minute: func(w *simulate.World) { n := w.Given().Nodes; n.Silent = 0; w.SetNodes(n) }}},
		"lost endpoints": {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){20 * time.Minute: func(w *simulate.World) { w.SetSide(policy.Green, simulate.Side{Version: "v2"}) }}},
		"other version":  {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){4 * time.Minute: func(w *simulate.World) { w.SetSide(policy.Green, simulate.Side{Ready: 2, Version: "v3"}) }}},
		"outage of the registry": {policy: careful(), lasts: 2 * time.Hour, happens: map[time.Duration]func(*simulate.World){
			4 * time.Minute: func(w *simulate.World) { w.SetTrouble("consul: refused") }, 40 * time.Minute: func(w *simulate.World) { w.SetTrouble("") }}},
		"people":    {policy: careful(), lasts: 2 * time.Hour, happens: map[time.Duration]func(*simulate.World){2 * time.Minute: ann(rollout.Pause), 6 * time.Minute: ann(rollout.Resume), 7 * time.Minute: ann(rollout.Promote), 10 * time.Minute: ann(rollout.RollBack)}},
		"restarted": {policy: careful(), lasts: 2 * time.Hour, happens: map[time.Duration]func(*simulate.World){4 * time.Minute: func(w *simulate.World) { w.Restart(0) }, 20 * time.Minute: func(w *simulate.World) { w.Restart(0) }}},
		"its turn comes": {policy: change(careful(), func(m *policy.Model) { m.Queue = policy.Queue{Group: "risk", AtMost: 1} }), lasts: 2 * time.Hour,
			given:   func(g *simulate.Given) { g.Others = "churn is switched" },
			happens: map[time.Duration]func(*simulate.World){15 * time.Minute: func(w *simulate.World) { w.SetOthers("") }}},
		"approved": {policy: change(careful(), func(m *policy.Model) {
			m.Approve = []policy.Approval{{Before: policy.BeforeShift, By: []string{"bob"}, Count: 1, Within: 24 * time.Hour}}
		}), lasts: 2 * time.Hour, happens: map[time.Duration]func(*simulate.World){30 * time.Minute: func(w *simulate.World) {
			w.Command(rollout.Command{Verb: rollout.Approve, Actor: "bob", Reason: "so"})
		}}},
		"still there": {policy: careful(), lasts: 12 * time.Minute},
		"after a retired one": {policy: careful(), lasts: time.Hour, earlier: []func(*simulate.World){ann(rollout.Start), func(w *simulate.World) {
			w.SetSide(policy.Blue, simulate.Side{Ready: 2, Version: "v3"})
		}}},
		"back to before":           undone(0, nil),
		"back to before, paused":   undone(10*time.Minute, map[time.Duration]func(*simulate.World){time.Second: ann(rollout.Pause), 5 * time.Minute: ann(rollout.Resume)}),
		"back to before, given up": undone(10*time.Minute, map[time.Duration]func(*simulate.World){10 * time.Second: ann(rollout.Abort)}),
		"back to before itself": {policy: careful(), lasts: time.Hour, happens: map[time.Duration]func(*simulate.World){20 * time.Minute: func(w *simulate.World) {
			w.Command(rollout.Command{Verb: rollout.RollBack, Actor: "ann", ID: "unused", Before: before(w)})
		}}},
	}
})

// TestOwnPolicySameStory: replayed under its own policy a switch goes through the same
// phases and weights at the same times, for the same reasons.
func TestOwnPolicySameStory(t *testing.T) {
	for name, r := range stories() {
		t.Run(name, func(t *testing.T) { r.sameStory(t, strings.HasPrefix(name, "restarted")) })
	}
}

// sameStory replays r under its own policy. What was not kept yet is lost of one that was
// restarted.
func (r *recorded) sameStory(t testing.TB, restarted bool) {
	t.Helper()
	rec := r.play(t)
	got, err := replay.Play(rec, r.policy)
	if err != nil {
		t.Fatal(err)
	}
	a, b := rec.Switch, *got.Replayed.Switch
	if len(b.Transitions) < len(a.Transitions)-1 || a.Outcome != b.Outcome {
		t.Fatalf("recorded\n%s\nreplayed\n%s", story(a), story(b))
	}
	within := 3 * time.Second
	if restarted {
		within = 20 * time.Second
	}
	for i, tr := range a.Transitions {
		if tr.To == rollout.Idle && tr.From == rollout.Retiring {
			break // the recording ends with the bake
		}
		o := b.Transitions[i]
		if tr.To != o.To || tr.Weights != o.Weights || tr.Actor != o.Actor || tr.At.Sub(o.At).Abs() > within {
			t.Fatalf("recorded\n%s\nreplayed\n%s", story(a), story(b))
		}
	}
	if len(got.Notes) > 0 && !restarted {
		t.Errorf("notes %v", got.Notes)
	}
	if want := "the same: "; a.Outcome != "" && !strings.HasPrefix(got.Verdict(), want) {
		t.Errorf("%s", got.Verdict())
	}
}

// TestOtherPolicy: what would have been otherwise, and what can't be known.
func TestOtherPolicy(t *testing.T) {
	all := stories()
	for name, c := range map[string]struct {
		story  string
		policy func(*policy.Model)
		want   string // of the verdict
		notes  string
	}{
		"stricter": {"fails a little", func(m *policy.Model) { m.Judge.Risk = 0.5 },
			"30s before the recorded switch did: users' traffic: green fails more often than blue", ""},
		"more lenient": {"fails at 5 %", func(m *policy.Model) { m.Judge.Errors.RelativeOff, m.Judge.Latency.RelativeOff = true, true },
			"would not have been decided by 2026-01-05 09:10:", ""},
		"would have gone back": {"good", func(m *policy.Model) {
			m.Judge.Latency.Max = []policy.LatencyMax{{Quantile: 0.99, Max: 40 * time.Millisecond}}
		},
			"would have rolled back at 2026-01-05 09:", ""},
		"holds instead": {"fails at 5 %", func(m *policy.Model) { m.Rollback.Automatic = false },
			"would have been held at 2026-01-05 09:10:", ""},
		"a longer bake": {"good", func(m *policy.Model) { m.Bake.For = 3 * time.Hour },
			"where the recording ends: it stood at baking, 100% to green; what came after can't be known (the recorded switch succeeded at", ""},
		"a shorter bake": {"good", func(m *policy.Model) { m.Bake.For = 10 * time.Minute },
			"would have succeeded at 2026-01-05 09:35:02 UTC, 20m0s before the recorded switch did", ""},
		"other weights": {"good", func(m *policy.Model) {
			m.Shift = []policy.Step{{Weight: 5000, Hold: 20 * time.Minute}, {Weight: policy.Full}}
		},
			"where the recording ends: it stood at baking", "users met blue in the replay when none did in the recording"},
		"a slower shift": {"good", func(m *policy.Model) {
			m.Shift = []policy.Step{{Weight: 500, Hold: 10 * time.Minute}, {Weight: 2500, Hold: 20 * time.Minute}, {Weight: policy.Full}}
		}, "where the recording ends: it stood at baking", "users met blue in the replay when none did in the recording: it is taken to have answered as when it was last seen"},
		"a new check": {"good", func(m *policy.Model) {
			m.Validate = append(m.Validate, policy.Check{Name: "golden", Golden: &policy.GoldenCheck{}})
		}, "the same: succeeded", "check golden was not run in the recorded switch: it is taken for passed"},
		"never met": {"refused", func(m *policy.Model) { m.Validate = nil },
			"would not have been decided by 2026-01-05 09:10:02", "no user's request to green is in the recording"},
		"back, and more is asked": {"back to before", func(m *policy.Model) {
			m.Validate = []policy.Check{{Name: "endpoints", Endpoints: &policy.EndpointsCheck{Min: 3}}}
		}, "would not have begun: rollback of ann was refused (not-ready): blue can't take the users now", ""},
		"back, and more patience": {"back to before, paused", func(m *policy.Model) { m.Confirm.Within = 10 * time.Minute },
			"would have rolled back at 2026-01-05 11:25:00 UTC, 9m30s after the recorded switch did", ""},
		"a bad one, all at once": {"fails at 5 %", func(m *policy.Model) { m.Shift = []policy.Step{{Weight: policy.Full}} },
			"rolled back", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := all[c.story]
			rec := r.play(t)
			m := careful()
			c.policy(m)
			got, err := replay.Play(rec, m)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got.Verdict(), c.want) {
				t.Errorf("verdict %q, expected %q", got.Verdict(), c.want)
			}
			if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, c.notes) || c.notes == "" && notes != "" {
				t.Errorf("notes %q, expected %q", notes, c.notes)
			}
			if t.Failed() {
				t.Log(story(*got.Replayed.Switch))
			}
		})
	}
}

// TestOtherWeightsAreSplitAnew: a version that fails at 5 % fails at 50 %, sooner.
func TestOtherWeightsAreSplitAnew(t *testing.T) {
	r := &recorded{policy: careful(), lasts: 40 * time.Minute, given: func(g *simulate.Given) { g.Traffic.Rate, g.Traffic.Green.Errors = 20, 0.03 }}
	rec := r.play(t)
	m := careful()
	m.Shift = []policy.Step{{Weight: 5000, Hold: 10 * time.Minute}, {Weight: policy.Full}}
	got, err := replay.Play(rec, m)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := rec.Switch, *got.Replayed.Switch; a.Outcome != rollout.RolledBack || b.Outcome != rollout.RolledBack || !b.Ended.Before(a.Ended) {
		t.Errorf("recorded\n%s\nreplayed\n%s", story(a), story(b))
	}
}

// TestKilledRecordings: whatever parts were kept, they can be replayed, as far as they go.
func TestKilledRecordings(t *testing.T) {
	r := stories()["good"]
	rec := r.play(t)
	for n := 1; n <= len(r.parts); n += max(1, len(r.parts)/8) {
		some := r.read(t, rec.Switch, n)
		got, err := replay.Play(some, r.policy)
		if err != nil {
			t.Fatal(err)
		}
		if last := some.Entries[len(some.Entries)-1].At; got.Until.After(last.Add(time.Minute)) {
			t.Fatalf("%d parts end at %s, and the replay goes on until %s", n, last, got.Until)
		}
		for i, tr := range got.Replayed.Switch.Transitions {
			if o := rec.Switch.Transitions[i]; tr.To != o.To || tr.Weights != o.Weights {
				t.Fatalf("%d parts:\n%s\n%s", n, story(*got.Replayed.Switch), story(rec.Switch))
			}
		}
	}
}

// TestRecordingsAreBounded: however long a switch takes, and however much it hears.
func TestRecordingsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it plays four days")
	}
	r := &recorded{policy: change(careful(), func(m *policy.Model) {
		m.Shift = []policy.Step{{Weight: 500, Hold: 3 * time.Hour}, {Weight: 2500, Hold: 3 * time.Hour}, {Weight: policy.Full}}
		m.Bake.For = 100 * time.Hour
	}), lasts: 107 * time.Hour, given: func(g *simulate.Given) {
		g.Traffic.Rate = 2000
		g.Traffic.Green.Errors = 0.01
		g.Traffic.Blue.Errors = 0.01
	},
		happens: map[time.Duration]func(*simulate.World){}}
	for at := time.Minute; at < 90*time.Minute; at += time.Minute { // windows of a second
		r.happens[at] = func(*simulate.World) {}
	}
	rec := r.play(t)
	size := 0
	for _, part := range r.parts {
		size += len(part)
	}
	if size > record.MaxSize {
		t.Errorf("%d bytes in %d parts", size, len(r.parts))
	}
	if rec.Switch.Outcome != rollout.Succeeded {
		t.Fatal(story(rec.Switch))
	}
	t.Logf("%d bytes in %d parts, %d entries", size, len(r.parts), len(rec.Entries))
	got, err := replay.Play(rec, r.policy)
	if err != nil || !got.Same() {
		t.Errorf("%v: %s", err, got.Verdict())
	}
}

func TestWhatCanNotBeReplayed(t *testing.T) {
	rec := stories()["still there"].play(t)
	other := careful()
	other.Name = "churn"
	headless := rec
	headless.Entries = rec.Entries[1:]
	for want, try := range map[string]struct {
		r record.Recording
		m *policy.Model
	}{
		"is of model fraud, and the policy of churn": {rec, other},
		"lacks its beginning":                        {headless, careful()},
	} {
		if _, err := replay.Play(try.r, try.m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	raw, err := rec.Marshal()
	if err != nil || strings.Contains(string(raw), "secret") {
		t.Error("an idempotency key is in the recording", err)
	}
	for _, e := range rec.Entries {
		if e.Head != nil && e.Head.Command.Key != "" {
			t.Error("an idempotency key is in the recording")
		}
	}
}

// TestDamagedRecordings: whatever is missing of a recording, a replay ends.
func TestDamagedRecordings(t *testing.T) {
	rec := stories()["people"].play(t)
	rapid.Check(t, func(t *rapid.T) {
		damaged := rec
		damaged.Entries = []record.Entry{rec.Entries[0]}
		lost := rapid.IntRange(0, 100).Draw(t, "percent")
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for _, e := range rec.Entries[1:] {
			if order.IntN(100) < lost && e.Window != nil || order.IntN(400) < lost {
				continue
			}
			damaged.Entries = append(damaged.Entries, e)
		}
		ends(t, damaged, careful())
	})
}

// ends plays a recording of which something is missing: it ends, and says something.
func ends(t rapid.TB, damaged record.Recording, m *policy.Model) {
	t.Helper()
	got, err := replay.Play(damaged, m)
	if err != nil {
		t.Fatal(err)
	}
	if got.Verdict() == "" || got.Replayed.Switch == nil {
		t.Fatalf("%+v", got)
	}
}
