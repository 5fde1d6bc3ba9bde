package rollout_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout"

	"pgregory.net/rapid"
)

// TestWhatMustAlwaysHold drives a model through random events; the audit in
// world.step holds every single Step against the rules.
func TestWhatMustAlwaysHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, drawPolicy(t))
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			w.random(t)
		}
	})
}

// TestEverySwitchEnds: from wherever random events have led, a switch comes to
// its end once the world is healthy, time passes and people answer when asked.
// A process that was restarted there comes to the same end.
func TestEverySwitchEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, drawPolicy(t))
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			w.random(t)
		}
		w.elapse(0) // a restart gives patience anew, so none may have run out
		restarted := *w
		restarted.audit = w.audit.fork()
		restarted.restart()

		w.heal()
		restarted.heal()
		if a, b := w.s, restarted.s; a.Live != b.Live || ending(a) != ending(b) {
			t.Fatalf("restarted, it ends otherwise: %s %s, %s %s", a.Live, ending(a), b.Live, ending(b))
		}
	})
}

func ending(s rollout.State) rollout.Outcome {
	if s.Switch == nil {
		return ""
	}
	return s.Switch.Outcome
}

// fork is a copy that remembers on its own.
func (a *audit) fork() audit {
	out := *a
	out.validated, out.weighed, out.nacked = maps.Clone(a.validated), maps.Clone(a.weighed), maps.Clone(a.nacked)
	return out
}

// heal makes all well and gives every answer that is waited for, until the model rests.
func (w *world) heal() {
	w.t.Helper()
	for range 300 {
		w.step(rollout.Observed{Endpoints: w.healthy()})
		reported := w.s.Generation
		w.step(rollout.Reported{Report: allACK(w.s, 3)})
		if w.s.Phase == rollout.Idle {
			return
		}
		switch {
		case w.s.Generation != reported: // nodes answer before time passes
		case w.s.CheckRun != 0:
			w.step(rollout.Checked{Run: w.s.CheckRun, Verdicts: verdicts(w.s, rollout.Pass, "")})
		case !w.s.Queued.Opens.IsZero():
			w.now = w.s.Queued.Opens
			w.step(rollout.Tick{})
		case w.s.Reverting:
			w.step(rollout.PolicyChanged{Back: true})
		case w.s.Phase == rollout.Waiting && w.s.Queued.Opens.IsZero():
			w.step(rollout.TurnCame{Turn: rollout.Turn{Granted: true}})
		case w.s.Phase == rollout.Approving && w.s.Problem != "": // somebody is missing
			w.step(rollout.Command{Verb: rollout.Approve, Actor: fmt.Sprintf("bob%d", len(w.s.Switch.Approvals)), Groups: []string{"risk"}})
		case w.s.Phase == rollout.Paused:
			w.step(rollout.Command{Verb: rollout.Resume, Actor: "ann"})
		case w.s.Phase == rollout.Held:
			w.step(rollout.Command{Verb: rollout.Promote, Actor: "ann", Now: true, Reason: "it is time"})
		case !w.s.Rolled.Asked.IsZero():
			w.step(rollout.Retired{Key: w.s.Rolled.Key})
		case !w.s.Letting.Asked.IsZero():
			w.step(rollout.Retired{Key: w.s.Switch.ID})
		case !w.s.WakeAt().IsZero():
			w.now = w.s.WakeAt()
			w.step(rollout.Tick{})
		}
	}
	w.t.Fatalf("no end in sight: %s", asJSON(w.s))
}

// healthy has enough endpoints of the versions that the switch expects.
func (w *world) healthy() rollout.EndpointSet {
	blue, green := "v1", "v2"
	if sw := w.s.Switch; sw != nil && w.s.Phase.Running() && w.s.Phase != rollout.Preparing {
		if sw.To == policy.Blue {
			blue = sw.ToVersion
		} else {
			green = sw.ToVersion
		}
	}
	return rollout.EndpointSet{Blue: instances(policy.Blue, 4, blue), Green: instances(policy.Green, 4, green)}
}

func drawPolicy(t *rapid.T) *policy.Model {
	p := shortest()
	least := rapid.IntRange(1, 3).Draw(t, "min")
	ofLive := rapid.SampledFrom([]policy.Weight{0, 5000, policy.Full}).Draw(t, "ofLive")
	p.Validate = rapid.SampledFrom([][]policy.Check{
		nil, {golden()}, {endpoints(least, ofLive), golden()},
	}).Draw(t, "validate")
	p.Validate = drawInconclusive(t, p.Validate)
	p.Bake.Checks = drawInconclusive(t, p.Bake.Checks)
	p.StepChecks.Every = 10 * time.Second
	p.StepChecks.Checks = drawInconclusive(t, rapid.SampledFrom([][]policy.Check{
		nil, {golden()}, {endpoints(least, ofLive), golden()},
	}).Draw(t, "stepChecks"))
	p.Shift = rapid.SampledFrom([][]policy.Step{
		{{Weight: policy.Full}},
		{{Weight: 500, Hold: time.Minute}, {Weight: policy.Full}},
		{{Weight: 500}, {Weight: 5000, Hold: 10 * time.Minute}, {Weight: policy.Full}},
	}).Draw(t, "shift")
	p.Confirm.Otherwise = rapid.SampledFrom([]policy.Otherwise{
		policy.OtherwiseRollback, policy.OtherwiseHold,
	}).Draw(t, "otherwise")
	p.Bake.For = rapid.SampledFrom([]time.Duration{0, time.Minute, 30 * time.Minute}).Draw(t, "bake")
	p.Rollback.Automatic = rapid.IntRange(0, 4).Draw(t, "automatic") > 0
	p.Retire.Off = rapid.IntRange(0, 4).Draw(t, "off") == 0
	p.Retire.After = rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "after")
	p.Judge = drawJudge(t)
	if rapid.IntRange(0, 2).Draw(t, "shadow") == 0 {
		p.Shadow = policy.Shadow{Percent: 1000, For: rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "for")}
	}
	p.Retire.Repurpose = rapid.IntRange(0, 4).Draw(t, "repurpose") == 0
	if rapid.IntRange(0, 4).Draw(t, "rolling") == 0 {
		drawRolling(t, p)
	}
	p.InitialLive = rapid.SampledFrom([]policy.Color{"", policy.Blue, policy.Green}).Draw(t, "initial")
	p.Wanted, p.Source.Hash = drawWanted(t), "0"
	drawTurns(t, p)
	return p
}

// drawTurns says what a switch waits for besides itself; mostly nothing.
func drawTurns(t *rapid.T, p *policy.Model) {
	if rapid.IntRange(0, 3).Draw(t, "queue") == 0 {
		p.Queue = policy.Queue{Group: "g", AtMost: 1}
	}
	if rapid.IntRange(0, 3).Draw(t, "calendar") == 0 {
		p.Calendar = mornings
	}
	for _, act := range []policy.Act{policy.BeforeShift, policy.BeforeRetire} {
		if rapid.IntRange(0, 3).Draw(t, "approve") == 0 && (p.Rolling == nil || act == policy.BeforeShift) {
			p.Approve = append(p.Approve, policy.Approval{
				Before: act, By: []string{"risk"}, Count: rapid.IntRange(1, 2).Draw(t, "persons"), Within: time.Hour,
			})
		}
	}
}

// mornings is open from 06:00 to 12:30 in UTC.
var mornings = func() calendar.Calendar {
	c, err := calendar.New(calendar.Plan{Zone: "UTC", Windows: []calendar.Span{{From: "06:00", To: "12:30"}}})
	if err != nil {
		panic(err)
	}
	return c
}()

// drawWanted is what the policy wants to be live; mostly it does not say.
func drawWanted(t *rapid.T) policy.Wanted {
	return rapid.SampledFrom([]policy.Wanted{
		{}, {}, {}, {Color: policy.Blue}, {Color: policy.Green}, {Version: "v1"}, {Version: "v2"}, {Version: "v9"},
	}).Draw(t, "wanted")
}

// drawRolling makes p a policy whose weights follow the instances.
func drawRolling(t *rapid.T, p *policy.Model) {
	p.Rolling = &policy.Rolling{
		Batch:    rapid.SampledFrom([]policy.Amount{{Count: 1}, {Count: 3}, {Share: 5000}}).Draw(t, "batch"),
		Capacity: rapid.SampledFrom([]policy.Weight{2500, 7500}).Draw(t, "capacity"),
		Hold:     rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "hold"),
	}
	p.Shift, p.Shadow = []policy.Step{{Weight: policy.Full}}, policy.Shadow{}
	p.Retire.Off, p.Retire.Repurpose = false, false
	for i, c := range p.Validate {
		if c.Endpoints != nil {
			p.Validate[i].Endpoints = &policy.EndpointsCheck{Min: c.Endpoints.Min}
		}
	}
}

// drawInconclusive says of each check what an inconclusive verdict means.
func drawInconclusive(t *rapid.T, checks []policy.Check) []policy.Check {
	out := slices.Clone(checks)
	for i := range out {
		out[i].OnInconclusive = rapid.SampledFrom([]policy.OnInconclusive{
			"", policy.InconclusiveFails, policy.InconclusivePasses, policy.InconclusiveHolds, policy.InconclusiveHolds,
		}).Draw(t, "onInconclusive")
	}
	return out
}

func drawJudge(t *rapid.T) policy.Judge {
	j := policy.Judge{
		Off: rapid.IntRange(0, 4).Draw(t, "judgeOff") == 0, Asked: rapid.Bool().Draw(t, "asked"), Risk: 0.01,
		Errors: policy.ErrorRule{Tolerate: 1}, Latency: policy.LatencyRule{Tolerate: 1.1},
		MinRequests: 100, MaxHold: 2 * time.Minute,
		Otherwise: rapid.SampledFrom([]policy.ThinOtherwise{policy.ThinHold, policy.ThinRollback, policy.ThinPromote}).Draw(t, "thin"),
	}
	if rapid.Bool().Draw(t, "limited") {
		limit := 0.05
		j.Errors.Max = &limit
		j.Latency.Max = []policy.LatencyMax{{Quantile: 0.99, Max: time.Second}}
	}
	return j
}

// drawWindow is one window of users' requests, mostly of equal colors, sometimes
// of a target that fails, sometimes of the weights before.
func drawWindow(t *rapid.T, w *world) rollout.Window {
	draw := func(failing int) rollout.Tally {
		n := rapid.SampledFrom([]int{0, 1, 20, 500}).Draw(t, "requests")
		bad := 0
		if failing > 0 {
			bad = n / failing
		}
		return tally(n, bad, 0.01)
	}
	out := rollout.Window{Begin: w.now.Add(-time.Second), End: w.now, Shadow: rollout.ByColor[rollout.Tally]{Blue: draw(0), Green: draw(0)}}
	failing := rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 2}).Draw(t, "failing")
	r := rollout.Routed{Weights: w.s.Weights, Colors: rollout.ByColor[rollout.Tally]{Blue: draw(0), Green: draw(failing)}}
	if rapid.IntRange(0, 4).Draw(t, "stale") == 0 {
		r.Weights = rollout.AllOn(policy.Blue)
	}
	out.Users = []rollout.Routed{r}
	return out
}

// random lets some time pass and one thing happen. Most of what happens is
// good, so that switches get somewhere.
func (w *world) random(t *rapid.T) {
	switch rapid.IntRange(0, 9).Draw(t, "time") {
	case 0:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second)
	case 1, 2:
		if wake := w.s.WakeAt(); wake.After(w.now) {
			w.now = wake
		}
	}
	switch rapid.IntRange(0, 25).Draw(t, "kind") {
	case 0, 1, 2:
		w.step(rollout.Observed{Endpoints: drawEndpoints(t, w)})
	case 3, 4, 5, 6, 7:
		w.step(rollout.Reported{Report: drawReport(t, w.s)})
	case 8, 9, 10:
		w.step(drawChecked(t, w.s))
	case 11, 12:
		w.step(rollout.Tick{})
	case 13:
		next := *w.p
		next.Wanted, next.Source.Hash = drawWanted(t), next.Source.Hash+"+"
		w.p = &next
		w.step(rollout.PolicyChanged{})
	case 14:
		key := rapid.SampledFrom([]string{idOf(w.s), w.s.Rolled.Key}).Draw(t, "key")
		w.step(rollout.Retired{Key: key, Problem: rapid.SampledFrom([]string{"", "503"}).Draw(t, "retired")})
	case 15:
		if rapid.Bool().Draw(t, "rediscovering") {
			w.step(rollout.Rediscovering{})
		} else {
			w.restart()
		}
	case 23, 24:
		w.step(rollout.TurnCame{Turn: rollout.Turn{Granted: rapid.IntRange(0, 2).Draw(t, "granted") > 0, Why: "others"}})
	case 25:
		w.step(rollout.Command{
			Verb:  rapid.SampledFrom([]rollout.Verb{rollout.Approve, rollout.Approve, rollout.Requeue}).Draw(t, "word"),
			Actor: rapid.SampledFrom([]string{"ann", "bob", "eve"}).Draw(t, "who"), Groups: []string{"risk"}, Order: 7,
		})
	case 16, 17, 18:
		w.step(rollout.Measured{Windows: []rollout.Window{drawWindow(t, w)}})
	default:
		w.step(drawCommand(t, w.s))
	}
	w.obey()
}

// obey carries out what the policy wants, as the loop does.
func (w *world) obey() {
	for _, a := range w.last {
		if p, ok := a.(rollout.Propose); ok {
			w.proposed++
			p.Command.ID = fmt.Sprintf("p%d", w.proposed)
			w.step(p.Command)
			return
		}
	}
}

// TestThePolicyIsHeeded: once the world is healthy, a model is where its policy
// wants it, or it says why it is not.
func TestThePolicyIsHeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, drawPolicy(t))
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			w.random(t)
		}
		for range 3 { // what was under way ends, then what is wanted is tried
			w.heal()
			w.obey()
		}
		w.heal()
		drift := w.s.Drift(w.p)
		agree := w.p.Wanted.None() || w.s.Live == w.p.Wanted.Color || w.s.Facts.Endpoints.Versions(w.s.Live)[0] == w.p.Wanted.Version
		if agree != (drift == "") {
			t.Fatalf("wants %s, %s is live, drift %q: %s", w.p.Wanted, w.s.Live, drift, asJSON(w.s))
		}
	})
}

func drawEndpoints(t *rapid.T, w *world) rollout.EndpointSet {
	if rapid.IntRange(0, 2).Draw(t, "healthy") > 0 {
		return w.healthy()
	}
	draw := func(c policy.Color) []rollout.Endpoint {
		all := instances(c, rapid.IntRange(0, 4).Draw(t, "ready"), "v1")
		for i := range all {
			all[i].Version = rapid.SampledFrom([]string{"v2", "v2", "v2", "v1"}).Draw(t, "version")
		}
		return all
	}
	set := rollout.EndpointSet{Blue: draw(policy.Blue), Green: draw(policy.Green)}
	if rapid.IntRange(0, 3).Draw(t, "outage") == 0 {
		set.Problem, set.Since = "consul: connection refused", w.now
	}
	return set
}

func drawReport(t *rapid.T, s rollout.State) rollout.Report {
	r := allACK(s, rapid.IntRange(0, 3).Draw(t, "connected"))
	switch rapid.IntRange(0, 15).Draw(t, "fault") {
	case 0:
		r.Settled = false
	case 1:
		r.Acked = rapid.IntRange(0, r.Connected).Draw(t, "acked")
		if r.Acked < r.Connected {
			r.Pending = []rollout.NodeRef{{Fleet: "edge", Node: "e2"}}
		}
	case 2:
		r.Generation -= min(r.Generation, 1)
	case 3:
		r.Rejected = []rollout.Rejection{{Fleet: "edge", Node: "e1", Type: "route", Reason: "impossible"}}
		r.Acked = max(0, r.Connected-1)
		for _, c := range policy.Colors {
			r.Sending[c] = rapid.IntRange(0, r.Connected).Draw(t, "sending")
		}
	case 4:
		r.Cold[rapid.SampledFrom(policy.Colors[:]).Draw(t, "cold")] = 1
	case 6:
		r.Connected, r.Acked = 0, 0
		r.Stale = []rollout.Stale{{Fleet: "edge", Node: "e8", Since: start, Until: start.Add(time.Hour)}}
	case 7:
		r.Behind = map[policy.Color]int{rapid.SampledFrom(policy.Colors[:]).Draw(t, "behind"): 1}
	case 5:
		r.MaySend[rapid.SampledFrom(policy.Colors[:]).Draw(t, "stale")] = 1
	}
	return r
}

func drawChecked(t *rapid.T, s rollout.State) rollout.Checked {
	result := rapid.SampledFrom([]rollout.Result{
		rollout.Pass, rollout.Pass, rollout.Pass, rollout.Pass, rollout.Inconclusive, rollout.Fail,
	}).Draw(t, "result")
	all := verdicts(s, result, "as drawn")
	if len(all) > 1 && rapid.IntRange(0, 3).Draw(t, "mixed") == 0 {
		all[0].Result = rollout.Inconclusive
	}
	if rapid.IntRange(0, 15).Draw(t, "lacking") == 0 && len(all) > 0 {
		all = all[1:]
	}
	run := s.CheckRun
	if rapid.IntRange(0, 9).Draw(t, "late") == 0 {
		run = rapid.Uint64Range(0, s.Runs+1).Draw(t, "run")
	}
	return rollout.Checked{Run: run, Verdicts: all}
}

func drawCommand(t *rapid.T, s rollout.State) rollout.Command {
	c := rollout.Command{
		Verb: rapid.SampledFrom([]rollout.Verb{
			rollout.Start, rollout.Start, rollout.Start, rollout.Promote, rollout.Promote,
			rollout.Pause, rollout.Resume, rollout.Resume, rollout.Abort, rollout.RollBack, rollout.RollBack,
			rollout.Practise, "dance",
		}).Draw(t, "verb"),
		Actor:  rapid.SampledFrom([]string{"ann", "ann", "ann", ""}).Draw(t, "actor"),
		Reason: rapid.SampledFrom([]string{"", "because"}).Draw(t, "reason"),
		Force:  rapid.IntRange(0, 4).Draw(t, "force") == 0,
		Target: rapid.SampledFrom([]policy.Color{"", "", "", policy.Blue, policy.Green, "red"}).Draw(t, "target"),
		Again:  rapid.IntRange(0, 5).Draw(t, "again") > 0, Override: rapid.Bool().Draw(t, "override"), Now: rapid.IntRange(0, 4).Draw(t, "now") == 0,
		Quiet: rapid.SampledFrom([]float64{0, 1000}).Draw(t, "quiet"), AnyRate: rapid.Bool().Draw(t, "anyRate"),
	}
	if c.Verb == rollout.RollBack && rapid.Bool().Draw(t, "before") {
		c.Before = &rollout.Earlier{
			ID: "s0", Color: rapid.SampledFrom(policy.Colors[:]).Draw(t, "color"),
			Version: rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "was"),
		}
	}
	if c.Verb == rollout.Start || c.Before != nil {
		c.ID = fmt.Sprintf("s%d", s.Generation*1000+uint64(rapid.IntRange(0, 999).Draw(t, "id")))
		if s.Switch != nil {
			c.ID += "-" + s.Switch.ID[:min(20, len(s.Switch.ID))]
		}
	}
	return c
}

// idOf is the id of the running, or the last, switch; empty when there is none.
func idOf(s rollout.State) string {
	if s.Switch == nil {
		return ""
	}
	return s.Switch.ID
}
