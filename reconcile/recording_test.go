package reconcile_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
	"greenlight/rollout/record"
	"greenlight/rollout/replay"
)

// recordings keeps parts as a disk does, by switch and time.
type recordings struct {
	mu    sync.Mutex
	parts map[string]map[int64][]byte
}

func (k *recordings) AppendRecording(id string, at time.Time, part []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.parts == nil {
		k.parts = map[string]map[int64][]byte{}
	}
	if k.parts[id] == nil {
		k.parts[id] = map[int64][]byte{}
	}
	k.parts[id][at.UnixNano()] = slices.Clone(part)
	return nil
}

func (k *recordings) read(t *testing.T, sw rollout.Switch) record.Recording {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	r := record.Recording{Switch: sw}
	var times []int64
	for at := range k.parts[sw.ID] {
		times = append(times, at)
	}
	slices.Sort(times)
	for _, at := range times {
		entries, err := record.Unpack(k.parts[sw.ID][at])
		if err != nil {
			t.Fatal(err)
		}
		r.Entries = append(r.Entries, entries...)
	}
	return r
}

// requests tells of a hundred users' requests a second; of green's so many fail.
type requests struct {
	w       *world
	mu      sync.Mutex
	last    time.Time
	failing int
}

func (q *requests) Take(model string) []rollout.Window {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	s, _ := q.w.g.Status(model)
	if !now.After(q.last) {
		return nil
	}
	w := rollout.Window{Begin: now.Add(-time.Second), End: now}
	r := rollout.Routed{Weights: s.State.Weights}
	for _, c := range policy.Colors {
		n, bad := int(s.State.Weights.Of(c))/100, 0
		if c == policy.Green {
			bad = min(n, q.failing)
		}
		var took judge.Recorder
		for range n {
			took.Add(0.02)
		}
		*r.Colors.At(c) = rollout.Tally{Requests: n, Scaled: float64(n), Errors: bad, Latency: took.Sketch()}
	}
	w.Users = []rollout.Routed{r}
	q.last = now
	return []rollout.Window{w}
}

// judged is model with a comparison of users' traffic.
func judged() *policy.Model {
	m := model("fraud")
	m.Judge = policy.Judge{
		Risk: 0.01, Errors: policy.ErrorRule{Tolerate: 1}, Latency: policy.LatencyRule{Tolerate: 1.1},
		MinRequests: 100, MaxHold: time.Minute, Otherwise: policy.ThinHold,
	}
	return m
}

// TestARecordedSwitchReplaysAsItWas: what the loop takes down leads, under the same
// policy, to the same phases; also when the process was killed meanwhile.
func TestARecordedSwitchReplaysAsItWas(t *testing.T) {
	for name, story := range map[string]struct {
		failing int
		kill    time.Duration // after the start; 0: never
		outcome rollout.Outcome
	}{
		"good":           {0, 0, rollout.Succeeded},
		"bad":            {3, 0, rollout.RolledBack},
		"good, restarts": {0, 30 * time.Second, rollout.Succeeded},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, w *world) {
				w.fleet.behave(200*time.Millisecond, "")
				w.registry.say("fraud", set(2, 2))
				pass := func(d time.Duration) {
					for range int(d / time.Second) {
						time.Sleep(time.Second)
						w.g.TrafficChanged("fraud")
					}
				}
				pass(2 * time.Minute)
				w.do(t, rollout.Start)
				pass(story.kill)
				if story.kill > 0 {
					w.end()
					w.begin()
					w.policies(judged())
				}
				w.traffic.mu.Lock()
				w.traffic.failing = story.failing
				w.traffic.mu.Unlock()
				pass(20 * time.Minute)
				sw := *w.status(t, "fraud").State.Switch
				rec := w.recordings.read(t, sw)
				if sw.Outcome != story.outcome || len(rec.Entries) == 0 || !rec.Entries[len(rec.Entries)-1].Ended {
					t.Fatalf("%s %s, %d entries", sw.Outcome, sw.Cause, len(rec.Entries))
				}
				got, err := replay.Play(rec, judged())
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(got.Verdict(), "the same: ") {
					t.Error(got.Verdict(), got.Notes)
				}
				for i, tr := range got.Replayed.Switch.Transitions {
					if o := sw.Transitions[i]; tr.To != o.To || tr.Weights != o.Weights || tr.At.Sub(o.At).Abs() > 10*time.Second {
						t.Errorf("%s %s %s, recorded %s %s %s", tr.At, tr.To, tr.Weights.Green, o.At, o.To, o.Weights.Green)
					}
				}
			}, judged())
		})
	}
}

// TestARecordedRollingSwitchReplaysAsItWas: so does one whose instances come and go because
// of it. The platform refuses at first.
func TestARecordedRollingSwitchReplaysAsItWas(t *testing.T) {
	m := model("fraud")
	m.Rolling = &policy.Rolling{Batch: policy.Amount{Count: 1}, Capacity: policy.Full * 3 / 4, Hold: time.Minute}
	m.Shift = []policy.Step{{Weight: policy.Full}}
	m.Prepare.Within = 30 * time.Minute
	run(t, func(t *testing.T, w *world) {
		w.fleet.behave(200*time.Millisecond, "")
		w.registry.say("fraud", set(4, 0))
		time.Sleep(2 * time.Minute)
		w.hooks.fail(errors.New("503 busy"))
		w.do(t, rollout.Start)
		time.Sleep(90 * time.Second)
		w.hooks.fail(nil)
		for green := 1; green <= 4; green++ {
			gone := func() bool {
				b := w.status(t, "fraud").State.Rolled.Batches
				return len(b) == green && !b[green-1].Gone.IsZero()
			}
			for end := time.Now().Add(time.Hour); !gone(); time.Sleep(time.Second) {
				if s := w.status(t, "fraud").State; time.Now().After(end) {
					t.Fatalf("%s %s %+v: %s", s.Phase, s.Switch.Cause, s.Rolled, s.Problem)
				}
			}
			w.registry.say("fraud", set(4-green, green-1))
			time.Sleep(2 * time.Minute)
			w.registry.say("fraud", set(4-green, green))
			time.Sleep(time.Second)
			w.fleet.settle("fraud") // its clusters are warm
		}
		time.Sleep(30 * time.Minute)
		sw := *w.status(t, "fraud").State.Switch
		got, err := replay.Play(w.recordings.read(t, sw), m)
		if err != nil {
			t.Fatal(err)
		}
		if sw.Outcome != rollout.Succeeded || !strings.HasPrefix(got.Verdict(), "the same: ") || len(got.Notes) > 0 {
			t.Fatal(sw.Outcome, got.Verdict(), got.Notes)
		}
		for i, tr := range got.Replayed.Switch.Transitions {
			if o := sw.Transitions[i]; tr.To != o.To || tr.Weights != o.Weights || tr.At.Sub(o.At).Abs() > 10*time.Second {
				t.Errorf("%s %s %s, recorded %s %s %s", tr.At, tr.To, tr.Weights.Green, o.At, o.To, o.Weights.Green)
			}
		}
	}, m)
}

// TestNothingIsRecordedWithoutASwitch: neither before nor after one.
func TestNothingIsRecordedWithoutASwitch(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		for range 60 {
			time.Sleep(time.Second)
			w.g.TrafficChanged("fraud")
		}
		if len(w.recordings.parts) > 0 {
			t.Errorf("%d switches", len(w.recordings.parts))
		}
		if _, err := w.g.Do(t.Context(), "fraud", rollout.Command{Verb: rollout.Pause, Actor: "ann"}); err == nil {
			t.Error("nothing can be paused")
		}
		w.do(t, rollout.Start)
		w.wait(t, "fraud", rollout.Retiring, time.Hour)
		w.take()
		sw := *w.status(t, "fraud").State.Switch
		before := len(w.recordings.read(t, sw).Entries)
		time.Sleep(2 * time.Hour)
		w.take()
		if after := len(w.recordings.read(t, sw).Entries); after != before || len(w.recordings.parts) != 1 {
			t.Errorf("%d entries, and later %d", before, after)
		}
	}, model("fraud"))
}
