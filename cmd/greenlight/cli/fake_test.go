package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"greenlight/api"
	"greenlight/policy"
	"greenlight/report"
	"greenlight/rollout"
)

// fake is a server whose models act by their names:
//
//	fraud   its switch succeeds
//	churn   its switch is refused by a check
//	prices  its switch is rolled back from the bake; it has every problem there is
//	rates   its switch is held
//	slow    its switch bakes until it is paused, aborted or rolled back
//	mute    nothing was heard yet of its registry and fleets
type fake struct {
	addr string
	grpc *grpc.Server
	api  *api.Server
	done chan struct{}

	mu       sync.Mutex
	start    time.Time
	statuses map[string]rollout.Status
	switches []rollout.Switch // newest first
	watchers map[int]func(rollout.Status)
	next     int
	playing  sync.WaitGroup
	closed   chan struct{}
}

func startFake() (*fake, error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &fake{
		addr: lis.Addr().String(), grpc: grpc.NewServer(), done: make(chan struct{}), closed: make(chan struct{}),
		start: time.Now(), statuses: map[string]rollout.Status{}, watchers: map[int]func(rollout.Status){},
	}
	for _, name := range []string{"fraud", "churn", "prices", "rates", "slow", "mute"} {
		f.statuses[name] = f.idle(name)
	}
	f.trouble()
	f.past()
	f.api = api.New(api.Options{Models: f, History: f, Fleets: f, Checks: f, HTML: report.HTML, Policies: f.filed, Origin: func() policy.Origin {
		return policy.Origin{
			Commit: &policy.Commit{
				Repository: "https://git.example/policies", Ref: "main", ID: "9d1c0f2ab34e5d6f", At: f.ago(48 * time.Hour),
				Author: "Ann <ann@example.org>", Subject: "give the canary ten minutes",
			},
			Problem: "https://git.example/policies: connection refused; the last good policies stand", Since: f.ago(2 * time.Hour),
		}
	}})
	f.api.Register(f.grpc)
	go func() {
		defer close(f.done)
		_ = f.grpc.Serve(lis)
	}()
	return f, nil
}

func (f *fake) stop() {
	close(f.closed)
	f.playing.Wait()
	f.api.Shutdown()
	f.grpc.Stop()
	<-f.done
}

// ago is a time that "3h" stays true of while a test runs.
func (f *fake) ago(d time.Duration) time.Time { return f.start.Add(-d - time.Second) }

func (f *fake) idle(name string) rollout.Status {
	endpoint := func(id, version string) rollout.Endpoint {
		return rollout.Endpoint{ID: name + "-" + id, Address: "10.0.0.1", Port: 8080, Weight: 1, Version: version}
	}
	st := rollout.Status{
		Policy: &policy.Model{Name: name, Source: policy.Source{File: "policies/" + name + ".yaml", Line: 1, Hash: "4bf5122f344554c53bde2ebb8cd2b7e3"},
			Discovery: policy.Discovery{Service: name, ColorMeta: "color", VersionMeta: "version"},
			Validate:  fakeChecks(name),
			Shift:     []policy.Step{{Weight: 500, Hold: time.Minute}, {Weight: policy.Full}}},
		State: rollout.State{
			Model: name, Phase: rollout.Idle, Live: policy.Blue, Weights: rollout.AllOn(policy.Blue), Generation: 3,
			Since: f.ago(3 * time.Hour),
			Facts: rollout.Facts{EndpointsKnown: true, ReportKnown: true},
			Uses: []rollout.PolicyUse{
				{Generation: 1, At: time.Date(2026, 10, 30, 9, 0, 0, 0, time.UTC), Source: policy.Source{File: name + ".yaml", Line: 1, Hash: "0c17"}},
				{Generation: 3, At: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), Source: policy.Source{
					File: "policies/" + name + ".yaml", Line: 1, Hash: "4bf5122f344554c53bde2ebb8cd2b7e3",
					Commit: &policy.Commit{ID: "9d1c0f2ab34e5d6f", Author: "Ann <ann@example.org>", Subject: "give the canary ten minutes"},
				}},
			},
		},
		Endpoints: rollout.EndpointSet{
			Blue:  []rollout.Endpoint{endpoint("b1", "2026-10-01"), endpoint("b2", "2026-10-01")},
			Green: []rollout.Endpoint{endpoint("g1", "2026-11-01"), endpoint("g2", "2026-11-01")},
		},
		Report:   rollout.Report{Generation: 3, Settled: true, Connected: 3, Acked: 3},
		Revision: 1,
	}
	if name == "mute" {
		st.State.Facts, st.State.Live, st.State.Weights = rollout.Facts{}, "", rollout.Weights{}
		st.Endpoints, st.Report = rollout.EndpointSet{}, rollout.Report{}
	}
	return st
}

// trouble gives prices all that a status can complain about, with words that
// would harm a terminal.
func (f *fake) trouble() {
	st := f.statuses["prices"]
	st.State.Problem = "node edge-2 has not come back"
	st.PolicyProblem, st.PolicySince = "policies/prices.yaml:7:3: unknown key \"shfit\"", f.ago(2*time.Hour)
	st.Endpoints.Unready = map[policy.Color]int{policy.Green: 1}
	st.Endpoints.Problem, st.Endpoints.Since = "consul: connection refused", f.ago(5*time.Hour)
	st.Report = rollout.Report{
		Generation: 3, Connected: 3, Acked: 1,
		Pending:  []rollout.NodeRef{{Fleet: "edge", Node: "edge-2", Detail: "has not ACKed route prices"}},
		Rejected: []rollout.Rejection{{Fleet: "edge", Node: "edge-3", Type: "route", Reason: "bad\x1b[31m\nroute", At: f.ago(time.Hour)}},
		Stale:    []rollout.Stale{{Fleet: "edge", Node: "edge-4", Since: f.ago(time.Hour), Until: f.start.Add(2*time.Hour + 50*time.Second)}},
	}
	f.statuses["prices"] = st
}

// past gives the history two switches of fraud.
func (f *fake) past() {
	day := func(d, h int) time.Time { return time.Date(2026, 11, d, h, 0, 0, 0, time.UTC) }
	good := rollout.Switch{
		ID: "20261101T100000-fraud-0001", Model: "fraud", From: policy.Green, To: policy.Blue,
		FromVersion: "2026-09-01", ToVersion: "2026-10-01", Actor: "ann", Reason: "release 10", Key: "ci-1",
		Started: day(1, 10), Ended: day(1, 11), Outcome: rollout.Succeeded, Plan: *f.statuses["fraud"].Policy,
		Transitions: []rollout.Transition{
			{At: day(1, 10), From: rollout.Idle, To: rollout.Preparing, Weights: rollout.AllOn(policy.Green), Actor: "ann", Reason: "started by ann"},
			{At: day(1, 11), From: rollout.Baking, To: rollout.Retiring, Weights: rollout.AllOn(policy.Blue), Reason: "baked for 30m"},
		},
	}
	failed, failedLive := 0.03, 0.01
	bad := rollout.Switch{
		ID: "20261102T100000-fraud-0002", Model: "fraud", From: policy.Blue, To: policy.Green,
		FromVersion: "2026-10-01", ToVersion: "2026-10-15", Actor: "ci", Forced: true,
		Started: day(2, 10), Ended: day(2, 10).Add(42 * time.Second), Outcome: rollout.RolledBack,
		Cause: "golden failed: 1 of 20 answers differ", Plan: *f.statuses["fraud"].Policy,
		Transitions: []rollout.Transition{
			{At: day(2, 10), From: rollout.Idle, To: rollout.Shadowing, Weights: rollout.AllOn(policy.Blue), Actor: "ci", Reason: "10% of users' requests mirrored to green"},
			{At: day(2, 10), From: rollout.Shadowing, To: rollout.Confirming, Weights: rollout.Split(policy.Green, 500)},
		},
		Verdicts: []rollout.Verdict{{
			Check: "golden", Kind: "golden", Result: rollout.Fail, Summary: "1 of 20 answers differ", Took: 1500 * time.Millisecond,
			Figures: map[string]float64{"worst": 0.25, "cases": 20}, At: day(2, 10),
			Evidence: []rollout.Evidence{{Endpoint: "green 10.0.0.1:8080", Case: "fraud.golden.jsonl:3", Expected: "0.5", Got: "0.75"}},
		}, verdictsOf("churn")[0], {
			Check: rollout.JudgementCheck, Kind: "judge", Result: rollout.Fail, Took: 4 * time.Second, At: day(2, 10),
			Summary:  "green fails more often than blue: 3% of 900 requests against 1% of 17000",
			Measures: []rollout.Measure{{Name: "error rate", Idle: &failed, Live: &failedLive, Rule: "not worse than live", Result: rollout.Fail}},
			Evidence: []rollout.Evidence{{Endpoint: "green 10.0.0.1:8080", Got: "27 of 450 requests failed"}},
		}},
	}
	f.switches = []rollout.Switch{bad, good}
}

// Do implements api.Models.
func (f *fake) Do(_ context.Context, model string, c rollout.Command) (rollout.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st, ok := f.statuses[model]
	if !ok {
		return rollout.Status{}, rollout.ErrNoModel
	}
	switch {
	case c.Reason == "disk full":
		return rollout.Status{}, errors.New("commit state: no space left on device; nothing was done")
	case c.Key == "used":
		return rollout.Status{}, fmt.Errorf("%w; use a new key for a new switch", rollout.ErrKeyReused)
	case c.ExpectLive == policy.Green:
		return rollout.Status{}, refuse(rollout.Precondition, "blue is live, not green")
	case model == "slow" && c.Verb == rollout.Start && c.Target == policy.Blue && !c.Override:
		return rollout.Status{}, refuse(rollout.NotWanted, "slow.yaml:1 says what is live: green")
	case model == "mute":
		return rollout.Status{}, refuse(rollout.NotReady, "mute has no live color yet: no endpoint was seen")
	case c.Verb == rollout.Start && st.State.Phase != rollout.Idle:
		return rollout.Status{}, refuse(rollout.NotNow, "a switch is running: wait for it or abort it")
	case c.Verb != rollout.Start && st.State.Phase == rollout.Idle:
		return rollout.Status{}, refuse(rollout.NotNow, "no switch is running")
	}
	return f.obey(st, c), nil
}

func refuse(code rollout.RefusalCode, message string) error {
	return &rollout.RefusedError{Code: code, Message: message}
}

// obey is called with mu held.
func (f *fake) obey(st rollout.Status, c rollout.Command) rollout.Status {
	model := st.State.Model
	if c.Verb == rollout.Start {
		st.State.Switch = &rollout.Switch{
			ID: "s-" + model, Model: model, From: policy.Blue, To: policy.Green, FromVersion: "2026-10-01", ToVersion: "2026-11-01",
			Actor: c.Actor, Reason: c.Reason, Key: c.Key, Forced: c.Force, Started: time.Now(), Plan: *st.Policy,
		}
		f.playing.Add(1)
		go f.play(model)
	}
	to := map[rollout.Verb]rollout.Phase{
		rollout.Start: rollout.Preparing, rollout.Promote: rollout.Holding, rollout.Pause: rollout.Paused,
		rollout.Resume: rollout.Baking, rollout.Abort: rollout.RollingBack, rollout.RollBack: rollout.RollingBack,
	}
	st = f.put(st, to[c.Verb])
	switch c.Verb {
	case rollout.Abort, rollout.RollBack:
		f.later(model, func(st rollout.Status) rollout.Status {
			return f.end(st, rollout.RolledBack, string(c.Verb)+" by "+c.Actor)
		})
	case rollout.Promote:
		f.later(model, func(st rollout.Status) rollout.Status { return f.end(st, rollout.Succeeded, "") })
	}
	return st
}

// put shows st in phase p; it is called with mu held.
func (f *fake) put(st rollout.Status, p rollout.Phase) rollout.Status {
	st.State.Phase, st.State.Since = p, time.Now()
	st.Revision = f.statuses[st.State.Model].Revision + 1
	f.statuses[st.State.Model] = st
	for _, emit := range f.watchers {
		emit(st)
	}
	return st
}

// later changes a model in a moment, unless the server stops before.
func (f *fake) later(model string, change func(rollout.Status) rollout.Status) {
	f.playing.Add(1)
	go func() {
		defer f.playing.Done()
		f.after(model, change)
	}()
}

func (f *fake) after(model string, change func(rollout.Status) rollout.Status) {
	select {
	case <-f.closed:
	case <-time.After(20 * time.Millisecond):
		f.mu.Lock()
		change(f.statuses[model])
		f.mu.Unlock()
	}
}

// end gives the model's switch an outcome; it is called with mu held.
func (f *fake) end(st rollout.Status, o rollout.Outcome, cause string) rollout.Status {
	sw := *st.State.Switch
	sw.Outcome, sw.Cause, sw.Ended = o, cause, sw.Started.Add(42*time.Second)
	st.State.Switch = &sw
	f.switches = append([]rollout.Switch{sw}, f.switches...)
	if o == rollout.Succeeded {
		st.State.Live, st.State.Weights = policy.Green, rollout.AllOn(policy.Green)
		return f.put(st, rollout.Retiring)
	}
	st.State.Weights = rollout.AllOn(policy.Blue)
	return f.put(st, rollout.Idle)
}

// play tells the story of a model's switch.
func (f *fake) play(model string) {
	defer f.playing.Done()
	in := func(p rollout.Phase, w policy.Weight) func(rollout.Status) rollout.Status {
		return func(st rollout.Status) rollout.Status {
			st.State.Weights = rollout.Split(policy.Green, w)
			return f.put(st, p)
		}
	}
	ended := func(o rollout.Outcome, cause string) func(rollout.Status) rollout.Status {
		return func(st rollout.Status) rollout.Status { return f.end(st, o, cause) }
	}
	stories := map[string][]func(rollout.Status) rollout.Status{
		"fraud":  {in(rollout.Validating, 0), in(rollout.Holding, 500), in(rollout.Baking, policy.Full), ended(rollout.Succeeded, "")},
		"churn":  {in(rollout.Validating, 0), ended(rollout.Refused, "golden failed: 3 of 20 answers differ")},
		"prices": {in(rollout.Baking, policy.Full), in(rollout.RollingBack, 0), ended(rollout.RolledBack, "ready failed: green-2 answers 500")},
		"rates": {in(rollout.Baking, policy.Full), func(st rollout.Status) rollout.Status {
			st.State.Problem = "green fails, but blue has no endpoints"
			return f.put(st, rollout.Held)
		}},
		"slow": {in(rollout.Baking, policy.Full)},
	}
	for _, scene := range stories[model] {
		f.after(model, scene)
	}
}

// Statuses implements api.Models.
func (f *fake) Statuses() []rollout.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []rollout.Status
	for _, st := range f.statuses {
		out = append(out, st)
	}
	return out
}

// Watch implements api.Models.
func (f *fake) Watch(ctx context.Context, emit func(rollout.Status)) error {
	f.mu.Lock()
	id := f.next
	f.next++
	for _, st := range f.statuses {
		emit(st)
	}
	f.watchers[id] = emit
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	delete(f.watchers, id)
	f.mu.Unlock()
	return ctx.Err()
}

// watched reports whether anybody watches.
func (f *fake) watched() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.watchers) > 0
}

func (f *fake) phase(model string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.statuses[model].State.Phase)
}

// Switches implements api.History.
func (f *fake) Switches(model string, limit int, before string) ([]rollout.Switch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []rollout.Switch
	past := before == ""
	for _, sw := range f.switches {
		if past && (model == "" || sw.Model == model) && len(out) < limit {
			out = append(out, sw)
		}
		past = past || sw.ID == before
	}
	return out, nil
}

// Switch implements api.History.
func (f *fake) Switch(id string) (*rollout.Switch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.switches, func(sw rollout.Switch) bool { return sw.ID == id })
	if i < 0 {
		return nil, nil
	}
	return &f.switches[i], nil
}

// Fleets implements api.Fleets.
func (f *fake) Fleets() []rollout.FleetView {
	types := func(acked, rejected string) []rollout.TypeView {
		var out []rollout.TypeView
		for _, name := range []string{"cluster", "endpoint", "listener", "route"} {
			out = append(out, rollout.TypeView{Type: name, Wanted: "v2", Acked: "v2", AckedAt: f.ago(time.Hour)})
		}
		out[3].Acked, out[3].Rejected, out[3].RejectedAt = acked, rejected, f.ago(time.Hour)
		return out
	}
	return []rollout.FleetView{
		{Name: "edge", Routes: "edge", Nodes: []rollout.NodeView{
			{Node: "edge-1", Agent: "envoy 1.40.0", Connected: true, Since: f.ago(3 * time.Hour), Types: types("v2", "")},
			{Node: "edge-2", Agent: "envoy 1.40.0", Connected: true, Since: f.ago(3 * time.Hour), Delta: true, Types: types("v1", "")},
			{Node: "edge-3", Agent: "envoy 1.40.0", Connected: true, Since: f.ago(3 * time.Hour), Types: types("v1", "no such cluster\x1b[2J")},
			{Node: "edge-4", Agent: "gRPC Go 1.85.0", Since: f.ago(time.Hour), Until: f.start.Add(2*time.Hour + 50*time.Second)},
		}},
		{Name: "apps", Routes: "apps-routes"},
	}
}

// filed is what the policy files of the server say: what its models run.
func (f *fake) filed() api.Filed {
	out := api.Filed{Folder: "policies", Set: policy.Set{Models: map[string]policy.Entry{}}}
	for _, st := range f.Statuses() {
		out.Set.Models[st.State.Model] = policy.Entry{Model: st.Policy}
	}
	return out
}
