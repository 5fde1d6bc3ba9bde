package rollout_test

import (
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// judgedByUsers is a model of which blue is live, with two instances of each color, and
// a plan that users' traffic judges.
func judgedByUsers(t *testing.T, p *policy.Model) *world {
	t.Helper()
	if p.Judge.Risk == 0 {
		p.Judge = policy.Judge{Risk: 0.01, MinRequests: 1, Errors: policy.ErrorRule{Tolerate: 1}, Latency: policy.LatencyRule{Tolerate: 1.1}}
	}
	w := newWorld(t, p)
	w.serving("v1", "v2")
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	return w
}

// serving has the colors serve these versions.
func (w *world) serving(blue, green string) {
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{Blue: instances(policy.Blue, 2, blue), Green: instances(policy.Green, 2, green)}})
}

// starts begins a switch, which every node follows.
func (w *world) starts(id string) {
	w.step(rollout.Command{Verb: rollout.Start, Actor: "ann", ID: id})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
}

// all is a second in which the color that has all users answers 100 of them.
func (w *world) all(took time.Duration) func() rollout.Window {
	return func() rollout.Window {
		users := tallyOf(100, 0, took)
		if w.s.Weights == rollout.AllOn(policy.Green) {
			return w.usersOf(rollout.Tally{}, users)()
		}
		return w.usersOf(users, rollout.Tally{})()
	}
}

// A version is compared with the one that it takes over from, and not with what the color
// served when it was live before.
func TestTheRecordIsOfTheVersionThatIsReplaced(t *testing.T) {
	p := shortest()
	p.Validate, p.Bake, p.Retire.Off = nil, policy.Bake{For: time.Minute}, true
	w := judgedByUsers(t, p)
	w.meet(5*time.Minute, w.all(10*time.Millisecond)) // v1, on blue
	w.starts("s1")
	w.meet(90*time.Second, w.all(10*time.Millisecond)) // v2, on green
	w.serving("v3", "v2")
	w.starts("s2")
	w.meet(65*time.Second, w.all(10*time.Millisecond)) // v3, on blue
	w.serving("v3", "v4")
	w.starts("s3")
	if w.s.Phase != rollout.Baking || w.s.Switch.ID != "s3" {
		t.Fatal(w.s.Phase, w.s.Switch.ID)
	}
	if n := w.s.Judging.Alone.Past.Requests; n < 6000 || n > 6600 {
		t.Errorf("v4 is compared with %d requests, of v3 there were 6,500", n)
	}
}

// What is compared with is what users met last, however long the switch was validated,
// and also if nothing was heard of them when it began, just after a restart.
func TestTheRecordGoesOnUntilTheFirstWeight(t *testing.T) {
	for _, restart := range []bool{false, true} {
		p := shortest()
		p.Bake.Checks = nil
		w := judgedByUsers(t, p)
		w.starts("s1")
		w.meet(20*time.Second, w.all(10*time.Millisecond))
		if restart {
			w.restart()
			w.serving("v1", "v2")
			w.step(rollout.Reported{Report: allACK(w.s, 3)})
		}
		w.meet(20*time.Second, w.all(10*time.Millisecond))
		w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		if w.s.Phase != rollout.Baking {
			t.Fatal(w.s.Phase)
		}
		if n := w.s.Judging.Alone.Past.Requests; n < 2000 {
			t.Errorf("restart %v: green is compared with %d requests", restart, n)
		}
	}
}

// A split that a changed policy makes sticky in the middle of a step is of users and not
// of requests from then on: the share of requests is not held against it.
func TestTheShareOfASplitThatBecomesSticky(t *testing.T) {
	p := shortest()
	p.Validate, p.Shift = nil, []policy.Step{{Weight: 1000, Hold: 10 * time.Minute}, {Weight: policy.Full}}
	w := judgedByUsers(t, p)
	w.starts("s1")
	w.meet(10*time.Second, w.usersOf(tallyOf(90, 0, time.Millisecond), tallyOf(10, 0, time.Millisecond)))
	sticky := *p
	sticky.Route.Sticky.Header = "x-user-id"
	w.p = &sticky
	w.step(rollout.PolicyChanged{})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.meet(2*time.Minute, w.usersOf(tallyOf(80, 0, time.Millisecond), tallyOf(20, 0, time.Millisecond)))
	if w.s.Phase != rollout.Holding {
		t.Errorf("%s: %s", w.s.Phase, w.s.Switch.Cause)
	}
}

// The judgement on copies ends with the shadow, also where persons have to approve what
// follows: it is kept for the report, and not held against the users' requests.
func TestCopiesAreJudgedApartFromUsers(t *testing.T) {
	p := shortest()
	p.Validate, p.Shift = nil, []policy.Step{{Weight: 1000, Hold: 10 * time.Minute}, {Weight: policy.Full}}
	p.Shadow = policy.Shadow{Percent: 1000, For: time.Minute}
	p.Approve = []policy.Approval{{Before: policy.BeforeShift, By: []string{"bob"}, Count: 1, Within: time.Hour}}
	limit := 0.5
	p.Judge = policy.Judge{Risk: 0.01, MinRequests: 1, Errors: policy.ErrorRule{Tolerate: 1, Max: &limit}, Latency: policy.LatencyRule{Tolerate: 1.1}}
	w := judgedByUsers(t, p)
	w.starts("s1")
	w.meet(65*time.Second, func() rollout.Window {
		seen := w.usersOf(tallyOf(100, 1, time.Millisecond), rollout.Tally{})()
		seen.Shadow.Green = tallyOf(10, 0, time.Millisecond)
		return seen
	})
	if v := w.s.Switch.Verdicts; w.s.Phase != rollout.Approving || len(v) != 1 || v[0].Result != rollout.Pass {
		t.Errorf("%s, verdicts %+v", w.s.Phase, v)
	}
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	w.step(rollout.Command{Verb: rollout.Approve, Actor: "bob"})
	if j := w.s.Judging; w.s.Phase != rollout.Confirming || j.Test.Idle.Requests != 0 || len(j.Limits) != 0 {
		t.Errorf("%s: %+v %+v", w.s.Phase, j.Test.Idle, j.Limits)
	}
}

// A third of the requests to green hang until their timeout, which is longer than a step
// is held. They end when the next weight stands already, and are judged all the same.
func TestRequestsThatTakeLongerThanTheirStep(t *testing.T) {
	p := shortest()
	p.Validate, p.Bake, p.Route.Timeout = nil, policy.Bake{For: 30 * time.Minute}, 40*time.Second
	hold := 30 * time.Second
	p.Shift = []policy.Step{{Weight: 1000, Hold: hold}, {Weight: 2000, Hold: hold}, {Weight: 3000, Hold: hold}, {Weight: policy.Full}}
	w := judgedByUsers(t, p)
	w.starts("s1")
	routed := map[time.Time]rollout.Weights{}
	for w.s.Phase == rollout.Holding && w.s.Weights.Green < policy.Full {
		w.meet(time.Second, func() rollout.Window {
			routed[w.now] = w.s.Weights
			green := int(w.s.Weights.Green) / 100
			seen := w.usersOf(tallyOf(100-green, 0, time.Millisecond), tallyOf(green*2/3, 0, time.Millisecond))()
			if then := routed[w.now.Add(-40*time.Second)]; then.Green > 0 {
				hung := int(then.Green) / 300
				seen.Users = append(seen.Users, rollout.Routed{Weights: then, Colors: rollout.ByColor[rollout.Tally]{Green: tallyOf(hung, hung, 40*time.Second)}})
			}
			return seen
		})
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
	}
	if w.s.Switch.Outcome != rollout.RolledBack || w.now.Sub(start) > time.Minute {
		t.Errorf("%s after %s: %s", w.s.Phase, w.now.Sub(start), w.s.Switch.Cause)
	}
}

// Requests to green take 12 s, and those to blue 10 s. For two seconds blue's are reported
// alone: green gets its share all the same. A share that is wrong is found when as many
// requests end as begin.
func TestTheShareIsOfRequestsAndNotOfAnswers(t *testing.T) {
	for _, timeout := range []time.Duration{15 * time.Second, 0} {
		for _, share := range []int{50, 40} {
			p := shortest()
			p.Route.Timeout = timeout
			p.Validate, p.Shift = nil, []policy.Step{{Weight: 5000, Hold: 10 * time.Minute}, {Weight: policy.Full}}
			p.Judge = policy.Judge{Risk: 0.01, MinRequests: 1, Latency: policy.LatencyRule{Tolerate: 1.5}}
			w := judgedByUsers(t, p)
			w.meet(10*time.Second, w.all(10*time.Second))
			w.starts("s1")
			began := w.now
			w.meet(2*time.Minute, func() rollout.Window {
				var blue, green rollout.Tally
				if w.now.Sub(began) >= 10*time.Second {
					blue = tallyOf(100-share, 0, 10*time.Second)
				}
				if w.now.Sub(began) >= 12*time.Second {
					green = tallyOf(share, 0, 12*time.Second)
				}
				return w.usersOf(blue, green)()
			})
			if held := w.s.Phase == rollout.Held; held != (share != 50) {
				t.Errorf("share %d, timeout %s: %s: %s", share, timeout, w.s.Phase, w.s.Switch.Cause)
			}
		}
	}
}

// Who begins a switch just after a start, or of a model that hardly anybody asks, has
// nothing to compare an outage with. It is taken back all the same.
func TestAnOutageOfWhichNothingIsKnownBefore(t *testing.T) {
	p := shortest()
	p.Validate, p.Bake = nil, policy.Bake{For: time.Hour}
	w := judgedByUsers(t, p)
	w.starts("s1")
	w.meet(10*time.Second, func() rollout.Window { return w.usersOf(rollout.Tally{}, tallyOf(100, 99, time.Second))() })
	if w.s.Phase != rollout.RollingBack || !strings.Contains(w.s.Switch.Cause, "green fails 99") || !strings.Contains(w.s.Switch.Cause, "this is an outage") {
		t.Errorf("%s: %s", w.s.Phase, w.s.Switch.Cause)
	}
}

// Both versions take 8 s to answer, and fail one request of a hundred at once. In the
// first seconds after users, or copies, went to green its failures alone have ended: it
// fails no more often than blue all the same, and keeps its limit.
func TestFailuresEndBeforeAnswers(t *testing.T) {
	mixed := func(n, bad int) rollout.Tally {
		slow := tallyOf(n-bad, 0, 8*time.Second)
		return rollout.Tally{Requests: n, Scaled: float64(n), Errors: bad, Latency: judge.Merge(slow.Latency, tallyOf(bad, bad, time.Millisecond).Latency)}
	}
	limit := 0.02
	for _, phase := range []rollout.Phase{rollout.Shadowing, rollout.Holding, rollout.Baking} {
		p := shortest()
		p.Validate, p.Bake, p.Route.Timeout = nil, policy.Bake{For: 10 * time.Minute}, 0
		p.Judge = policy.Judge{Risk: 0.01, MinRequests: 1, Errors: policy.ErrorRule{Tolerate: 1}, Latency: policy.LatencyRule{Tolerate: 1.1}}
		switch phase {
		case rollout.Shadowing:
			p.Shadow = policy.Shadow{Percent: policy.Full, For: 10 * time.Minute}
		case rollout.Holding:
			p.Shift = []policy.Step{{Weight: 5000, Hold: 10 * time.Minute}, {Weight: policy.Full}}
			p.Judge.Errors.Max = &limit
		}
		w := judgedByUsers(t, p)
		w.meet(time.Minute, w.usersOf(mixed(3000, 30), rollout.Tally{}))
		before := w.s.Weights
		w.starts("s1")
		if w.s.Phase != phase {
			t.Fatal(w.s.Phase)
		}
		w.meet(2*time.Minute, func() rollout.Window {
			all, ended := mixed(3000, 30), mixed(30, 30)
			late := rollout.Routed{Weights: before, Colors: rollout.ByColor[rollout.Tally]{Blue: all}}
			if w.now.Sub(w.s.Judging.Since) >= 8*time.Second {
				ended, late = all, rollout.Routed{}
			}
			var seen rollout.Window
			switch phase {
			case rollout.Shadowing:
				seen, late = w.usersOf(all, rollout.Tally{})(), rollout.Routed{}
				seen.Shadow.Green = ended
			case rollout.Holding:
				seen = w.usersOf(ended, ended)()
			default:
				seen = w.usersOf(rollout.Tally{}, ended)()
			}
			seen.Users = append(seen.Users, late)
			return seen
		})
		if w.s.Phase != phase {
			t.Errorf("%s after %s: %s", w.s.Phase, w.s.Since.Sub(start), w.s.Switch.Cause)
		}
	}
}

// A version that fails half of its requests at once is found in these moments, too.
func TestAnOutageIsFoundBeforeTheFirstAnswers(t *testing.T) {
	p := shortest()
	p.Validate, p.Bake = nil, policy.Bake{For: 10 * time.Minute}
	w := judgedByUsers(t, p)
	w.meet(time.Minute, w.usersOf(tallyOf(500, 5, 8*time.Second), rollout.Tally{}))
	before := w.s.Weights
	w.starts("s1")
	w.meet(3*time.Second, func() rollout.Window {
		seen := w.usersOf(rollout.Tally{}, tallyOf(250, 250, time.Millisecond))()
		seen.Users = append(seen.Users, rollout.Routed{Weights: before, Colors: rollout.ByColor[rollout.Tally]{Blue: tallyOf(495, 0, 8*time.Second)}})
		return seen
	})
	if w.s.Phase != rollout.RollingBack {
		t.Errorf("%s: %s", w.s.Phase, w.s.SoFar())
	}
}
