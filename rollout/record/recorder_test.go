package record_test

import (
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/rollout/simulate"
)

// TestWhatAKillCosts: what was said and done is given away to be kept at once, and what
// comes all the time within seconds.
func TestWhatAKillCosts(t *testing.T) {
	m := &policy.Model{
		Name: "fraud", Route: policy.Route{Fleets: []string{"edge"}, Timeout: 15 * time.Second},
		Rolling:  &policy.Rolling{Batch: policy.Amount{Count: 1}, Capacity: policy.Full * 3 / 4, Hold: time.Minute},
		Shift:    []policy.Step{{Weight: policy.Full}},
		Prepare:  policy.Prepare{Within: 5 * time.Minute},
		Judge:    policy.Judge{Off: true},
		Confirm:  policy.Confirm{Within: 30 * time.Second, Otherwise: policy.OtherwiseRollback},
		Bake:     policy.Bake{For: time.Minute, Every: time.Minute},
		Rollback: policy.Rollback{Automatic: true, EndpointsBelow: policy.Full / 2},
		Retire:   policy.Retire{Webhook: "https://deploy.internal/retire"},
	}
	g := simulate.Typical()
	g.Traffic.Rate = 100
	g.Registry.Blue.Ready, g.Registry.Green.Ready = 4, 0
	began := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	w := simulate.New("fraud", policy.Entry{Model: m}, began, g, "")
	var r record.Recorder
	asked, answered, windows := 0, 0, 0
	w.Heard = func(before, after rollout.State, e rollout.Event, now time.Time) {
		r.Hear(before, after, e, now)
		_, entries := r.Take(now, false)
		for _, one := range entries {
			late := now.Sub(one.At)
			switch {
			case one.Window != nil:
				windows++
			case one.Asked != nil:
				asked++
			case one.Answered != nil:
				answered++
			}
			usual := one.Window != nil || one.Endpoints != nil || one.Fleet != nil || one.Verdict != nil
			if usual && late > 6*time.Second || !usual && late > 0 {
				t.Errorf("%+v is kept %s later", one, late)
			}
		}
	}
	if err := w.Run(began.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	w.Command(rollout.Command{Verb: rollout.Start, Actor: "ann"})
	if err := w.Run(began.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if w.State().Switch.Outcome != rollout.Succeeded || asked != 4 || answered != 4 || windows < 60 {
		t.Errorf("%s, %d asked, %d answered, %d windows", w.State().Phase, asked, answered, windows)
	}
}
