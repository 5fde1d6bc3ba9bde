package rollout_test

import (
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// start is when every test begins.
var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// world is one model and everything around it. Every event goes through step,
// which audits the answer.
type world struct {
	t     failer
	now   time.Time
	p     *policy.Model
	s     rollout.State
	audit audit
	// last is what the last step wanted done.
	last []rollout.Action
	// proposed counts what the policy wanted carried out.
	proposed int
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newWorld(t failer, p *policy.Model) *world {
	return &world{t: t, now: start, p: p, s: rollout.New(p.Name)}
}

func (w *world) step(e rollout.Event) []rollout.Action {
	w.t.Helper()
	before := w.s
	after, actions := stepTwice(w.t, before, e, w.p, w.now)
	w.audit.look(w.t, seen{before: before, after: after, event: e, actions: actions, p: w.p, now: w.now})
	w.s, w.last = after, actions
	return actions
}

// elapse lets time pass, with a Tick whenever the state asks for one.
func (w *world) elapse(d time.Duration) []rollout.Action {
	var all []rollout.Action
	end := w.now.Add(d)
	for n := 0; ; n++ {
		wake := w.s.WakeAt()
		if wake.IsZero() || wake.After(end) {
			break
		}
		if n > 10_000 {
			w.t.Fatalf("%s never sleeps: wake at %s", w.s.Phase, wake)
		}
		if wake.After(w.now) {
			w.now = wake
		}
		all = append(all, w.step(rollout.Tick{})...)
	}
	w.now = end
	return all
}

// restart forgets all that is not journaled.
func (w *world) restart() []rollout.Action {
	w.s = throughJSON(w.t, w.s)
	return w.step(rollout.Recovered{})
}

// shortest is the shortest policy with a golden check.
func shortest() *policy.Model {
	return &policy.Model{
		Name:     "fraud",
		Route:    policy.Route{Fleets: []string{"edge"}, Timeout: 15 * time.Second},
		Validate: []policy.Check{endpoints(1, policy.Full), golden()},
		Shift:    []policy.Step{{Weight: policy.Full}},
		Prepare:  policy.Prepare{Within: 5 * time.Minute},
		Confirm:  policy.Confirm{Within: 30 * time.Second, Otherwise: policy.OtherwiseRollback},
		Bake:     policy.Bake{For: 30 * time.Minute, Every: 10 * time.Minute, Checks: []policy.Check{golden()}},
		Rollback: policy.Rollback{Automatic: true, EndpointsBelow: policy.Full / 2},
		Retire:   policy.Retire{After: 24 * time.Hour},
	}
}

func golden() policy.Check {
	return policy.Check{Name: "golden", Golden: &policy.GoldenCheck{File: "fraud.golden.jsonl"}}
}

func endpoints(least int, ofLive policy.Weight) policy.Check {
	return policy.Check{Name: "endpoints", Endpoints: &policy.EndpointsCheck{Min: least, OfLive: ofLive}}
}

// instances is n ready endpoints of color c.
func instances(c policy.Color, n int, version string) []rollout.Endpoint {
	var out []rollout.Endpoint
	for i := range n {
		out = append(out, rollout.Endpoint{
			ID: fmt.Sprintf("fraud-%s-%d", c, i), Address: "10.0.0.1", Port: 8080 + i, Weight: 1, Version: version,
		})
	}
	return out
}

// allACK is the report of a fleet of n nodes that does what it was told.
func allACK(s rollout.State, n int) rollout.Report {
	r := rollout.Report{
		Generation: s.Generation, Settled: true, Connected: n, Acked: n, Envoys: map[string]int{"edge": n},
		Cold: map[policy.Color]int{}, MaySend: map[policy.Color]int{}, Sending: map[policy.Color]int{},
	}
	for _, c := range policy.Colors {
		if s.Weights.Of(c) > 0 {
			r.MaySend[c], r.Sending[c] = n, n
		}
	}
	return r
}

// tally is n requests, some of which failed, that all took so many seconds.
func tally(n, failed int, seconds float64) rollout.Tally {
	var r judge.Recorder
	for range n {
		r.Add(seconds)
	}
	return rollout.Tally{
		Requests: n, Scaled: float64(n), Errors: failed, Classes: [6]int{2: n - failed, 5: failed}, Latency: r.Sketch(),
	}
}

// checksOf is the plan's checks of the present phase.
func checksOf(s rollout.State) []policy.Check {
	switch s.Phase {
	case rollout.Holding:
		return s.Switch.Plan.StepChecks.Checks
	case rollout.Baking:
		return s.Switch.Plan.Bake.Checks
	default:
		return s.Switch.Plan.Validate
	}
}

// verdicts gives every check of the awaited run the same result.
func verdicts(s rollout.State, r rollout.Result, summary string) []rollout.Verdict {
	if s.Switch == nil {
		return nil
	}
	var out []rollout.Verdict
	for _, c := range checksOf(s) {
		out = append(out, rollout.Verdict{Check: c.Name, Kind: c.Kind(), Result: r, Summary: summary})
	}
	return out
}
