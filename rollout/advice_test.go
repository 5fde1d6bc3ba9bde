package rollout_test

import (
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// known is the status of a model of which everything is known: eight instances that
// answer 100 requests a second each, asked for 400 now and 600 at busy times, with
// five minutes of warm-up.
func known(change func(*rollout.Status)) rollout.Status {
	p := shortest()
	p.Judge = policy.Judge{MinRequests: 100}
	p.Shift = []policy.Step{{Weight: 500, Hold: 10 * time.Minute}, {Weight: policy.Full}}
	p.Cost = policy.Cost{Currency: "EUR", InstanceHour: 2}
	st := rollout.Status{
		State: rollout.State{
			Model: "fraud", Live: policy.Blue, Busiest: rollout.Busiest{Rate: 600}, WarmUp: rollout.WarmUp{Took: 5 * time.Minute},
			Carried: rollout.ByColor[rollout.Carried]{Blue: rollout.Carried{Version: "v1", Rate: 100, Endpoints: 8}},
		},
		Policy:    p,
		Endpoints: rollout.EndpointSet{Blue: instances(policy.Blue, 8, "v1")},
		Traffic:   rollout.Traffic{Recent: []rollout.Window{second(1, routed(rollout.AllOn(policy.Blue), tallyOf(400, 0, time.Millisecond), rollout.Tally{}))}},
	}
	if change != nil {
		change(&st)
	}
	return st
}

func advise(t *testing.T, st rollout.Status, best policy.Shape, says ...string) rollout.Advice {
	t.Helper()
	a, err := rollout.Advise(st)
	if err != nil {
		t.Fatal(err)
	}
	if a.Best != best {
		t.Errorf("best is %s, want %s: %s", a.Best, best, a.Why)
	}
	for _, s := range says {
		if !strings.Contains(a.Why, s) {
			t.Errorf("%q does not say %q", a.Why, s)
		}
	}
	return a
}

func TestAdviceGoesByFigures(t *testing.T) {
	a := advise(t, known(nil), policy.ShapeCanary, "some 60 of users' requests", "an instant one 1200", "5m by the last warm-up")
	instant, canary, rolling := a.Options[0], a.Options[1], a.Options[2]
	// 5 min of warm-up, 30 min of bake and 24 h of waiting, eight times over, at 2 an hour.
	if want := 8 * (24 + 35.0/60); !near(instant.ExtraHours, want) || !near(instant.ExtraCost, 2*want) || instant.WayBack > time.Second {
		t.Errorf("instant: %+v, want %g hours", instant, want)
	}
	if canary.Takes-instant.Takes != 10*time.Minute {
		t.Errorf("canary: %+v", canary)
	}
	if rolling.ExtraHours != 0 || !rolling.Possible || rolling.WayBack < 5*time.Minute || rolling.Exposed != 600*2*2/8.0 {
		t.Errorf("rolling: %+v", rolling)
	}
	if len(a.Basis.Unknown) != 1 || !strings.Contains(a.Basis.Unknown[0], "spare") {
		t.Errorf("unknown: %q", a.Basis.Unknown)
	}
}

func TestAdviceIsRollingWhereTwiceCantBe(t *testing.T) {
	spare := 2
	advise(t, known(func(st *rollout.Status) { st.Policy.Cost.Spare = &spare }), policy.ShapeRolling,
		"room for 2 instances more and it takes 8", "5m by the last warm-up, instead of milliseconds")
	advise(t, known(func(st *rollout.Status) { st.Policy.Cost.AtMost = 100 }), policy.ShapeRolling,
		"cost.atMost is 100.00 EUR", "takes 396.00 EUR", "retire.after (now 24h)")
	// What can't be done is not praised.
	crowded := advise(t, known(func(st *rollout.Status) { st.State.Busiest.Rate = 790 }), policy.ShapeCanary, "Rolling can't be done: 6 instances would have to answer")
	if strings.Contains(crowded.Why, "would save") {
		t.Errorf("it says %q", crowded.Why)
	}
	// Not where those that are left could not carry the users.
	advise(t, known(func(st *rollout.Status) { st.Policy.Cost.Spare, st.State.Busiest.Rate = &spare, 790 }), policy.ShapeInstant,
		"none fits", "6 instances would have to answer 790 requests a second")
	advise(t, known(func(st *rollout.Status) {
		st.Policy.Cost.Spare, st.Endpoints = new(int), rollout.EndpointSet{Blue: instances(policy.Blue, 1, "v1")}
	}), policy.ShapeInstant, "none fits", "two instances at least")
}

func TestAdviceOnFewRequests(t *testing.T) {
	slow := func(perSecond int) rollout.Status {
		return known(func(st *rollout.Status) {
			st.State.Busiest.Rate = float64(perSecond)
			st.Traffic.Recent = []rollout.Window{second(1, routed(rollout.AllOn(policy.Blue), tallyOf(perSecond, 0, time.Millisecond), rollout.Tally{}))}
		})
	}
	advise(t, slow(1), policy.ShapeCanary, "larger step or a longer hold", "it takes 33m20s until 100 requests", "At 17% the hold would do")
	st := slow(1)
	st.Policy.Judge.MinRequests = 1000
	advise(t, st, policy.ShapeInstant, "no small step sees enough")
	nothing := known(func(st *rollout.Status) {
		st.Traffic, st.State.Busiest, st.State.WarmUp, st.State.Carried, st.Policy.Cost = rollout.Traffic{}, rollout.Busiest{}, rollout.WarmUp{}, rollout.ByColor[rollout.Carried]{}, policy.Cost{}
	})
	a := advise(t, nothing, policy.ShapeCanary, "not known")
	if len(a.Basis.Unknown) != 5 {
		t.Errorf("unknown: %q", a.Basis.Unknown)
	}
	// Nobody knows how long a new start takes, so it is no way back of milliseconds.
	if rolling := a.Options[2]; rolling.WayBack != 0 || !strings.Contains(rolling.Note, "and the warm-up of each") {
		t.Errorf("rolling: %+v", rolling)
	}
	if _, err := rollout.Advise(known(func(st *rollout.Status) { st.Endpoints = rollout.EndpointSet{} })); err == nil {
		t.Error("advice on nothing")
	}
}
