package reconcile_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/policy"
	"greenlight/reconcile"
	"greenlight/rollout"
)

// world is a Group among fakes. What the fakes see is traced in the order in
// which it happened; what must never happen is collected in wrong. A world
// lives inside a synctest bubble.
type world struct {
	mu    sync.Mutex
	trace []string
	wrong []string
	log   bytes.Buffer

	fleet    *fleet
	journal  *journal
	checker  *checker
	registry *registry
	hooks    *hooks
	kept     *kept

	recordings *recordings
	traffic    *requests

	g       *reconcile.Group
	stop    context.CancelFunc
	ended   chan error
	readied atomic.Int32
}

func newWorld() *world {
	w := &world{}
	w.fleet = newFleet(w, "n1", "n2", "n3")
	w.journal = &journal{w: w, states: map[string][]byte{}, seen: map[string]bool{}}
	w.checker = &checker{w: w}
	w.registry = &registry{w: w, sets: map[string]rollout.EndpointSet{}, emits: map[string]func(rollout.EndpointSet){}, lasts: map[string]*rollout.EndpointSet{}}
	w.hooks = &hooks{w: w}
	w.recordings, w.traffic = &recordings{}, &requests{w: w}
	w.kept = &kept{endpoints: map[string]rollout.EndpointSet{}, policies: map[string]*policy.Model{}, verdicts: map[string][]rollout.Verdict{}}
	return w
}

// locked writes to the world's log.
type locked struct{ w *world }

func (l locked) Write(p []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.log.Write(p)
}

// begin makes a Group of what the journal holds and runs it.
func (w *world) begin() {
	w.g = reconcile.New(reconcile.Options{
		Fleet: w.fleet, Journal: w.journal, Checker: w.checker, Registry: w.registry,
		Retirer: w.hooks, Endpoints: w.kept, Policies: w.kept, Reports: w.kept, Recordings: w.recordings, Traffic: w.traffic,
		Log:    slog.New(slog.NewTextHandler(locked{w}, nil)),
		States: w.journal.load(), LastEndpoints: w.kept.loadEndpoints(), TakenPolicies: w.kept.loadPolicies(),
		Ready: func() { w.readied.Add(1) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	w.stop, w.ended = cancel, make(chan error, 1)
	w.fleet.setChanged(w.g.FleetChanged)
	go func() { w.ended <- w.g.Run(ctx) }()
	go w.g.Watch(ctx, w.journal.checkShown)
}

// end stops the Group and waits until nothing of it runs. The fleets forget
// what was published, as those of a new process do; the nodes do not.
func (w *world) end() {
	w.stop()
	<-w.ended
	w.fleet.forget()
}

// run plays f in a bubble, in a world that has begun with these policies.
func run(t *testing.T, f func(t *testing.T, w *world), models ...*policy.Model) {
	t.Helper()
	runOn(t, []string{"n1", "n2", "n3"}, f, models...)
}

// runOn is run on a fleet of these nodes.
func runOn(t *testing.T, nodes []string, f func(t *testing.T, w *world), models ...*policy.Model) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.fleet = newFleet(w, nodes...)
		w.begin()
		defer func() {
			w.end()
			synctest.Wait()
			for _, s := range w.wrongs() {
				t.Error(s)
			}
		}()
		w.policies(models...)
		synctest.Wait()
		f(t, w)
	})
}

func (w *world) policies(models ...*policy.Model) {
	set := policy.Set{Models: map[string]policy.Entry{}}
	for _, m := range models {
		set.Models[m.Name] = policy.Entry{Model: m}
	}
	w.g.SetPolicies(set)
}

// note adds to the trace.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

// fail records what must never happen.
func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// logged is the log so far.
func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) wrongs() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wrong)
}

// take returns the trace since the last call, once all is quiet.
func (w *world) take() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.trace
	w.trace = nil
	return out
}

func (w *world) status(t *testing.T, model string) rollout.Status {
	t.Helper()
	synctest.Wait()
	s, ok := w.g.Status(model)
	if !ok {
		t.Fatalf("%s has no status", model)
	}
	return s
}

// wait lets time pass until model is in phase.
func (w *world) wait(t *testing.T, model string, phase rollout.Phase, within time.Duration) {
	t.Helper()
	for end := time.Now().Add(within); w.status(t, model).State.Phase != phase; time.Sleep(time.Second) {
		if time.Now().After(end) {
			s := w.status(t, model).State
			t.Fatalf("%s is %s and not %s after %s: %s", model, s.Phase, phase, within, s.Problem)
		}
	}
}

func (w *world) do(t *testing.T, verb rollout.Verb) rollout.Status {
	t.Helper()
	return w.command(t, rollout.Command{Verb: verb})
}

func (w *world) command(t *testing.T, c rollout.Command) rollout.Status {
	t.Helper()
	c.Actor = "ann"
	s, err := w.g.Do(t.Context(), "fraud", c)
	if err != nil {
		t.Fatalf("%s: %v", c.Verb, err)
	}
	return s
}

// expect compares the trace with want, line by line.
func (w *world) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := w.take(); !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// model is a policy: one check before and at each weight, 10 % for a minute, then all.
func model(name string) *policy.Model {
	check := []policy.Check{{Name: "ready", Timeout: time.Second, Ready: &policy.ReadyCheck{Path: "/ready"}}}
	return &policy.Model{
		Name:       name,
		Source:     policy.Source{File: name + ".yaml", Line: 1, Hash: name + "-1"},
		Discovery:  policy.Discovery{Service: name, ColorMeta: "color", VersionMeta: "version"},
		Route:      policy.Route{Fleets: []string{"edge"}, Hosts: []string{name}, Prefix: "/", Timeout: time.Second},
		Validate:   check,
		Shift:      []policy.Step{{Weight: 1000, Hold: time.Minute}, {Weight: policy.Full}},
		StepChecks: policy.StepChecks{Every: 20 * time.Second, Checks: check},
		Prepare:    policy.Prepare{Within: 5 * time.Minute},
		Confirm:    policy.Confirm{Within: 30 * time.Second, Otherwise: policy.OtherwiseRollback},
		Bake:       policy.Bake{For: 10 * time.Minute, Every: time.Minute, Checks: check},
		Rollback:   policy.Rollback{Automatic: true, EndpointsBelow: 5000},
		Retire:     policy.Retire{After: time.Hour, Webhook: "http://hook"},
	}
}

// instant is model without checks and steps: a Start reaches the fleets in one Step.
func instant(name string) *policy.Model {
	m := model(name)
	m.Validate, m.StepChecks.Checks, m.Bake.Checks = nil, nil, nil
	m.Shift = []policy.Step{{Weight: policy.Full}}
	return m
}

// changed is m as another file content.
func changed(m *policy.Model, hash string) *policy.Model {
	c := *m
	c.Source.Hash = hash
	return &c
}

// set has so many endpoints of each color.
func set(blue, green int) rollout.EndpointSet {
	return rollout.EndpointSet{Blue: endpoints("b", blue, "1"), Green: endpoints("g", green, "2")}
}

func endpoints(prefix string, n int, version string) []rollout.Endpoint {
	var out []rollout.Endpoint
	for i := range n {
		out = append(out, rollout.Endpoint{ID: fmt.Sprint(prefix, i), Address: "10.0.0.1", Port: 8000 + i, Weight: 1, Version: version})
	}
	return out
}
