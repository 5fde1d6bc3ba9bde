package rollout_test

import (
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout"
)

// byUsers has users' traffic delay a switch that it says too little of, and send it back.
func byUsers(p *policy.Model) {
	p.Judge = policy.Judge{
		Asked: true, Risk: 0.01, MinRequests: 100, MaxHold: 30 * time.Minute, Otherwise: policy.ThinRollback,
		Errors: policy.ErrorRule{Tolerate: 1}, Latency: policy.LatencyRule{Tolerate: 1.1},
	}
}

// closedAtNight lets weight move by day alone, but not on the day on which tests begin.
func closedAtNight(t *testing.T) calendar.Calendar {
	t.Helper()
	c, err := calendar.New(calendar.Plan{Zone: "UTC", Windows: []calendar.Span{{Days: []string{"mon-fri"}, From: "09:00", To: "17:00"}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Users go to sleep while a step, of which their traffic has spoken well, or the shadow,
// waits for the calendar: nobody is late. In the morning traffic has its time to speak.
func TestUsersMaySleepWhileTheCalendarIsClosed(t *testing.T) {
	for _, phase := range []rollout.Phase{rollout.Shadowing, rollout.Holding} {
		p := shortest()
		p.Validate = nil
		byUsers(p)
		p.Shift = []policy.Step{{Weight: 500, Hold: 10 * time.Minute}, {Weight: policy.Full}}
		if phase == rollout.Shadowing {
			p.Shadow = policy.Shadow{Percent: 1000, For: 10 * time.Minute}
		}
		w := newWorld(t, p)
		w.step(rollout.Observed{Endpoints: w.healthy()})
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: "s1"})
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		if w.s.Phase != phase {
			t.Fatal(w.s.Phase)
		}
		night := *p
		night.Calendar = closedAtNight(t)
		w.p = &night
		awake := func() rollout.Window {
			seen := w.usersOf(tallyOf(95, 0, time.Millisecond), tallyOf(5, 0, time.Millisecond))()
			seen.Shadow.Green = tallyOf(10, 0, time.Millisecond)
			seen.Nodes = []rollout.NodeWindow{{Fleet: "edge", Node: "e1", Weights: w.s.Weights, Requests: rollout.ByColor[int]{Blue: 95, Green: 5}}}
			return seen
		}
		w.meet(11*time.Minute, awake)
		w.meet(time.Minute, func() rollout.Window { return rollout.Window{} })
		w.elapse(10 * time.Hour)
		if w.s.Phase != phase || !w.s.HoldUntil.IsZero() {
			t.Errorf("%s at night: %s, held on until %s: %s", phase, w.s.Phase, w.s.HoldUntil, w.s.Switch.Cause)
			continue
		}
		w.now = w.s.Queued.Opens
		w.step(rollout.Tick{})
		if w.s.Phase != phase || w.s.HoldUntil.Sub(w.now) != 30*time.Minute {
			t.Errorf("%s in the morning: %s, held on until %s: %s", phase, w.s.Phase, w.s.HoldUntil, w.s.Problem)
		}
		w.meet(2*time.Second, awake)
		if w.s.Phase != rollout.Confirming {
			t.Errorf("%s with users: %s: %s", phase, w.s.Phase, w.s.Problem)
		}
	}
}
