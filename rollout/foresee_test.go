package rollout_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout"
)

// wants is the shortest policy with a word on what should be live.
func wants(w policy.Wanted) *policy.Model {
	p := shortest()
	p.Wanted = w
	return p
}

// settled is a model with all users on blue, and green ready beside it.
func settled(t *testing.T, p *policy.Model) *world {
	t.Helper()
	w := newWorld(t, p)
	w.step(rollout.Observed{Endpoints: rollout.EndpointSet{
		Blue: instances(policy.Blue, 2, "1"), Green: instances(policy.Green, 2, "2"),
	}})
	w.step(rollout.Reported{Report: allACK(w.s, 3)})
	return w
}

// becomes puts a policy in force, confirmed by every node, and answers with what the
// policy then proposes.
func (w *world) becomes(p *policy.Model) *rollout.Command {
	w.p = p
	all := w.step(rollout.PolicyChanged{})
	all = append(all, w.step(rollout.Reported{Report: allACK(w.s, 3)})...)
	for _, a := range all {
		if proposed, ok := a.(rollout.Propose); ok {
			return &proposed.Command
		}
	}
	return nil
}

// What is foretold is what comes, and foretelling it changes nothing.
func TestForesight(t *testing.T) {
	green := wants(policy.Wanted{Color: policy.Green})
	slow := shortest()
	slow.Bake.For = time.Hour
	for name, next := range map[string]*policy.Model{
		"green": green, "the version of green": wants(policy.Wanted{Version: "2"}),
		"blue": wants(policy.Wanted{Color: policy.Blue}), "nothing": slow,
		"a version that nobody serves": wants(policy.Wanted{Version: "3"}),
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t, shortest())
			o := rollout.Foresee(w.s, w.p, next, w.now)
			if o.Routing == nil || o.Routing.Policy != next || o.Routing.Generation != w.s.Generation+1 || o.Routing.Weights != w.s.Weights {
				t.Errorf("routing %+v", o.Routing)
			}
			comes := w.becomes(next)
			if (comes == nil) != (o.Starts == nil) || comes != nil && !reflect.DeepEqual(comes, o.Starts) {
				t.Errorf("foretold %+v, came %+v", o.Starts, comes)
			}
			if drift := w.s.Drift(next); comes == nil && drift != o.Drift {
				t.Errorf("foretold %q, came %q", o.Drift, drift)
			}
		})
	}
}

// A commit that takes back what a running switch does ends it, and all its weight moves
// in the publish that brings the policy.
func TestForesightOfTheEndOfASwitch(t *testing.T) {
	w := settled(t, shortest())
	c := w.becomes(wants(policy.Wanted{Color: policy.Green}))
	c.ID = "s1"
	w.step(*c)
	back := wants(policy.Wanted{Color: policy.Blue})
	o := rollout.Foresee(w.s, w.p, back, w.now)
	if o.Ends == nil || o.Ends.To != rollout.Idle || o.Starts != nil {
		t.Errorf("before any user met green: %+v", o)
	}
	w.s.Phase, w.s.Weights = rollout.Baking, rollout.AllOn(policy.Green)
	w.s.Switch.Transitions = append(w.s.Switch.Transitions, rollout.Transition{To: rollout.Confirming, Weights: w.s.Weights})
	o = rollout.Foresee(w.s, w.p, back, w.now)
	if o.Ends == nil || o.Ends.To != rollout.RollingBack || o.Routing.Weights != rollout.AllOn(policy.Blue) {
		t.Errorf("with all users on green: %+v", o)
	}
}

// What a changed discovery finds is not known before it has spoken.
func TestForesightOfAnotherDiscovery(t *testing.T) {
	w := settled(t, shortest())
	next := wants(policy.Wanted{Color: policy.Green})
	next.Discovery.Service = "other"
	if o := rollout.Foresee(w.s, w.p, next, w.now); o.Starts != nil || o.Drift == "" {
		t.Errorf("%+v", o)
	}
}

func TestForesightOfAModelThatWasNeverSeen(t *testing.T) {
	p := shortest()
	if o := rollout.Foresee(rollout.New(p.Name), p, wants(policy.Wanted{Color: policy.Green}), start); o != (rollout.Outlook{}) {
		t.Errorf("%+v", o)
	}
}

// A switch that the calendar holds up waits, and says until when; another calendar
// lets it begin at once.
func TestForesightOfACalendar(t *testing.T) {
	closed, err := calendar.New(calendar.Plan{Zone: "UTC", Freeze: []calendar.Span{{From: "2026-10-30", To: "2026-11-03", Reason: "audit"}}})
	if err != nil {
		t.Fatal(err)
	}
	w, next := settled(t, shortest()), wants(policy.Wanted{Color: policy.Green})
	next.Calendar = closed
	o := rollout.Foresee(w.s, w.p, next, w.now)
	if o.Started == nil || o.Started.Phase != rollout.Waiting || !strings.Contains(o.Started.Queued.Why, "audit") {
		t.Errorf("%+v", o.Started)
	}
	c := w.becomes(next)
	c.ID = "s1"
	w.step(*c)
	if o := rollout.Foresee(w.s, w.p, wants(policy.Wanted{Color: policy.Green}), w.now); !o.Begins {
		t.Errorf("%+v", o)
	}
}
