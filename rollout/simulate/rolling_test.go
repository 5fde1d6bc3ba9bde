package simulate

import (
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// rolling is four instances of blue, of which one at a time makes room for one of green.
func rolling(t *testing.T) *World {
	m := canary(0, time.Minute)
	m.Rolling = &policy.Rolling{Batch: policy.Amount{Count: 1}, Capacity: policy.Full * 3 / 4, Hold: time.Minute}
	m.Validate = []policy.Check{{Name: "endpoints", Endpoints: &policy.EndpointsCheck{Min: 1}}}
	w := begin(m, func(g *Given) {
		g.Registry.Blue.Ready, g.Registry.Green.Ready = 4, 0
	})
	pass(t, w, time.Minute)
	w.Command(rollout.Command{Verb: rollout.Start, Actor: "ann"})
	return w
}

// Instances that nobody has let go, although somebody was asked to, do not come back a
// second time.
func TestWhatNeverLeftDoesNotComeBack(t *testing.T) {
	w := rolling(t)
	w.SetRetire(Retire{Problem: "503 busy", Takes: time.Second})
	pass(t, w, 90*time.Second)
	if s := w.State(); s.Rolled.Problem == "" || s.Rolled.Batches[0].Told.IsZero() {
		t.Fatalf("%s %+v", s.Phase, s.Rolled)
	}
	w.SetRetire(Typical().Retire)
	w.Command(rollout.Command{Verb: rollout.Abort, Actor: "ann"})
	pass(t, w, 10*time.Minute)
	if s := w.State(); len(s.Facts.Endpoints.Blue) != 4 || s.Rolled.Restore {
		t.Errorf("%d of blue, %+v", len(s.Facts.Endpoints.Blue), s.Rolled)
	}
}
