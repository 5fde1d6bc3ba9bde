package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// fleet is some nodes that ACK what is published after a while.
type fleet struct {
	w        *world
	mu       sync.Mutex
	changed  func(model string)
	nodes    map[string]*node
	routings map[string]rollout.Routing // since the last restart
	clusters map[string]rollout.EndpointSet
	ackAfter time.Duration
	rejects  string    // hash of the policy that nodes reject
	settled  time.Time // before it, nothing is known of the nodes
}

// node is what one Envoy holds of each model, over restarts of the control plane.
type node struct {
	connected bool
	holds     map[string]rollout.Weights
	acked     map[string]uint64
	nacked    map[string]uint64
}

func newFleet(w *world, names ...string) *fleet {
	f := &fleet{w: w, nodes: map[string]*node{}, ackAfter: time.Millisecond}
	for _, n := range names {
		f.nodes[n] = &node{connected: true, holds: map[string]rollout.Weights{}, acked: map[string]uint64{}, nacked: map[string]uint64{}}
	}
	f.routings, f.clusters = map[string]rollout.Routing{}, map[string]rollout.EndpointSet{}
	return f
}

// reconnect is how long nodes take to come back to a new process.
const reconnect = 5 * time.Second

// forget is the end of the control plane's process.
func (f *fleet) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.routings = map[string]rollout.Routing{}
	f.clusters = map[string]rollout.EndpointSet{}
	for _, n := range f.nodes {
		clear(n.acked)
		clear(n.nacked)
	}
	f.settled = time.Now().Add(reconnect)
}

func (f *fleet) Route(r rollout.Routing) {
	model := r.Policy.Name
	f.w.journal.checkRoutable(r)
	f.mu.Lock()
	if _, fed := f.clusters[model]; !fed {
		f.w.fail("%s was routed before it had endpoints", model)
	}
	f.routings[model] = r
	after := max(f.ackAfter, time.Until(f.settled))
	f.mu.Unlock()
	f.w.note("route %s g%d green %d", model, r.Generation, r.Weights.Green)
	time.AfterFunc(after, func() { f.settle(model) })
}

// settle lets every connected node take what was published last.
func (f *fleet) settle(model string) {
	f.mu.Lock()
	r, ok := f.routings[model]
	for _, n := range f.nodes {
		switch {
		case !ok || !n.connected:
		case f.rejects == r.Policy.Source.Hash:
			n.nacked[model] = r.Generation
		default:
			n.acked[model], n.holds[model] = r.Generation, r.Weights
		}
	}
	tell := f.changed
	f.mu.Unlock()
	tell(model)
}

func (f *fleet) setChanged(changed func(model string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = changed
}

// behave sets how long nodes take to ACK, and the hash of the policy that they reject.
func (f *fleet) behave(ackAfter time.Duration, rejects string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ackAfter, f.rejects = ackAfter, rejects
}

// connect changes how many nodes are connected.
func (f *fleet) connect(count int) {
	f.mu.Lock()
	for i, name := range slices.Sorted(maps.Keys(f.nodes)) {
		f.nodes[name].connected = i < count
	}
	models := slices.Collect(maps.Keys(f.routings))
	f.mu.Unlock()
	for _, m := range models {
		f.settle(m)
	}
}

func (f *fleet) Endpoints(model string, blue, green []rollout.Endpoint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next, old := rollout.EndpointSet{Blue: blue, Green: green}, f.clusters[model]
	for _, c := range policy.Colors {
		if len(next.Of(c)) == 0 && len(old.Of(c)) > 0 && f.maySend(model, c, true) > 0 {
			f.w.fail("%s/%s was emptied while %d nodes may send there", model, c, f.maySend(model, c, true))
		}
	}
	f.clusters[model] = next
	f.w.note("endpoints %s %d %d", model, len(blue), len(green))
}

// maySend counts nodes that hold, or were sent, weight for c.
func (f *fleet) maySend(model string, c policy.Color, alsoStale bool) (count int) {
	for _, n := range f.nodes {
		if !n.connected && !alsoStale {
			continue
		}
		r, ok := f.routings[model]
		if n.holds[model].Of(c) > 0 || ok && n.connected && n.acked[model] != r.Generation && r.Weights.Of(c) > 0 {
			count++
		}
	}
	return count
}

func (f *fleet) Report(model string) rollout.Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.routings[model]
	if !ok {
		return rollout.Report{}
	}
	if time.Now().Before(f.settled) {
		return rollout.Report{Generation: r.Generation}
	}
	report := rollout.Report{
		Generation: r.Generation, Settled: true,
		Cold: map[policy.Color]int{}, MaySend: map[policy.Color]int{}, Sending: map[policy.Color]int{},
	}
	for _, name := range slices.Sorted(maps.Keys(f.nodes)) {
		f.reportNode(&report, model, name, r.Generation)
	}
	for _, c := range policy.Colors {
		report.MaySend[c], report.Sending[c] = f.maySend(model, c, true), f.maySend(model, c, false)
		if len(f.clusters[model].Of(c)) == 0 {
			report.Cold[c] = report.Connected
		}
	}
	return report
}

func (f *fleet) reportNode(report *rollout.Report, model, name string, generation uint64) {
	n := f.nodes[name]
	if !n.connected {
		report.Stale = append(report.Stale, rollout.Stale{Fleet: "edge", Node: name})
		return
	}
	report.Connected++
	switch {
	case n.nacked[model] == generation:
		report.Rejected = append(report.Rejected, rollout.Rejection{Fleet: "edge", Node: name, Type: "route", Reason: "bad", At: time.Now()})
	case n.acked[model] == generation:
		report.Acked++
	default:
		report.Pending = append(report.Pending, rollout.NodeRef{Fleet: "edge", Node: name})
	}
}

func (f *fleet) Withdraw(model string) {
	f.mu.Lock()
	delete(f.routings, model)
	delete(f.clusters, model)
	f.mu.Unlock()
	f.w.note("withdraw %s", model)
}

// journal keeps states as JSON, so that what comes back is what a disk would
// give back.
type journal struct {
	w       *world
	mu      sync.Mutex
	states  map[string][]byte
	keys    []rollout.Switch
	seen    map[string]bool // every phase and generation that was ever committed
	commits int
	broken  error
	// before and after a commit become durable; an error stands for a kill there.
	before, after func(n int) error
}

func (j *journal) Commit(s rollout.State) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return j.broken
	}
	j.commits++
	if j.before != nil {
		if err := j.before(j.commits); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if bytes.Contains(raw, []byte(`"detail":`)) {
		j.w.fail("a detail was journaled: %s", raw)
	}
	j.states[s.Model] = raw
	j.seen[mark(s)] = true
	if s.Switch != nil && s.Switch.Key != "" {
		j.keys = append(j.keys, *s.Switch)
	}
	j.w.note("commit %s g%d %s", s.Model, s.Generation, s.Phase)
	if j.after != nil {
		return j.after(j.commits)
	}
	return nil
}

func mark(s rollout.State) string {
	id := ""
	if s.Switch != nil {
		id = s.Switch.ID
	}
	return fmt.Sprint(s.Model, s.Phase, s.Generation, s.Weights, s.Live, id)
}

func (j *journal) load() map[string]rollout.State {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := map[string]rollout.State{}
	for name, raw := range j.states {
		var s rollout.State
		if err := json.Unmarshal(raw, &s); err != nil {
			j.w.fail("state of %s: %v", name, err)
		}
		out[name] = s
	}
	return out
}

func (j *journal) SwitchByKey(model, key string) (*rollout.Switch, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, sw := range slices.Backward(j.keys) {
		if sw.Model == model && sw.Key == key {
			return &sw, nil
		}
	}
	return nil, nil
}

func (j *journal) setBroken(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.broken = err
}

// hook sets what happens at the next commits, before or after they are durable.
func (j *journal) hook(f func(int) error, durable bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if durable {
		j.after = f
	} else {
		j.before = f
	}
}

// checkRoutable is the rule that a generation is journaled before it is published.
func (j *journal) checkRoutable(r rollout.Routing) {
	s, ok := j.load()[r.Policy.Name]
	if !ok || s.Generation != r.Generation || s.Weights != r.Weights {
		j.w.fail("%s g%d was routed, the journal has g%d", r.Policy.Name, r.Generation, s.Generation)
	}
}

// checkShown is the rule that nothing is shown which was not journaled.
func (j *journal) checkShown(s rollout.Status) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s.State.Generation == 0 && s.State.Phase == rollout.Idle {
		return
	}
	if !j.seen[mark(s.State)] {
		j.w.fail("%s was shown and never journaled", mark(s.State))
	}
}

// checker answers when the test says so, or at once with result.
type checker struct {
	w      *world
	mu     sync.Mutex
	result rollout.Result
	job    rollout.CheckJob       // the newest
	jobs   []rollout.CheckJob     // all
	hold   bool                   // wait for release or for the end
	held   chan []rollout.Verdict // of the newest held run
}

func (c *checker) set(r rollout.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result = r
}

func (c *checker) Run(ctx context.Context, job rollout.CheckJob) []rollout.Verdict {
	c.mu.Lock()
	result, hold, held := c.result, c.hold, make(chan []rollout.Verdict)
	c.job, c.held = job, held
	c.jobs = append(c.jobs, job)
	c.mu.Unlock()
	c.w.note("check %s %s", job.Model, job.Target)
	if hold {
		select {
		case v := <-held:
			return v
		case <-ctx.Done():
			c.w.note("check cancelled")
			return verdicts(job, rollout.Inconclusive)
		}
	}
	if result == "" {
		result = rollout.Pass
	}
	return verdicts(job, result)
}

func verdicts(job rollout.CheckJob, r rollout.Result) []rollout.Verdict {
	var out []rollout.Verdict
	for _, c := range job.Checks {
		out = append(out, rollout.Verdict{
			Check: c.Name, Kind: c.Kind(), Result: r, Summary: "as told",
			Detail: &rollout.Detail{Notes: []string{"measured at " + job.For.Stage}},
		})
	}
	return out
}

// registry emits what the test says.
type registry struct {
	w     *world
	mu    sync.Mutex
	sets  map[string]rollout.EndpointSet
	emits map[string]func(rollout.EndpointSet)
	lasts map[string]*rollout.EndpointSet // given to the newest watch
}

func (r *registry) Watch(ctx context.Context, model string, d policy.Discovery, last *rollout.EndpointSet, emit func(rollout.EndpointSet)) {
	r.mu.Lock()
	s, ok := r.sets[model]
	r.emits[model], r.lasts[model] = emit, last
	r.mu.Unlock()
	r.w.note("watch %s", d.Service)
	if ok {
		emit(s)
	}
	<-ctx.Done()
	r.w.note("watched %s", d.Service)
}

// forget makes new watches wait for the next word.
func (r *registry) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.sets)
}

func (r *registry) say(model string, s rollout.EndpointSet) {
	r.mu.Lock()
	r.sets[model] = s
	emit := r.emits[model]
	r.mu.Unlock()
	if emit != nil {
		emit(s)
	}
}

// hooks lets colors go.
type hooks struct {
	w    *world
	mu   sync.Mutex
	err  error
	hang bool
}

// fail makes whoever is asked refuse from now on; nil, do it.
func (h *hooks) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
}

func (h *hooks) LetGo(ctx context.Context, model string, a rollout.LetGo) error {
	h.mu.Lock()
	err, hang := h.err, h.hang
	h.mu.Unlock()
	h.w.note("let go %s %s %s", model, a.Color, a.Version)
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// kept is the disk for what is last known to be good.
type kept struct {
	mu        sync.Mutex
	broken    bool
	endpoints map[string]rollout.EndpointSet
	policies  map[string]*policy.Model
	verdicts  map[string][]rollout.Verdict // switch id and stage → newest
}

var errDisk = errors.New("disk is full")

func (k *kept) SaveEndpoints(model string, s rollout.EndpointSet) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return errDisk
	}
	k.endpoints[model] = s
	return nil
}

func (k *kept) SaveTaken(m *policy.Model) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return errDisk
	}
	k.policies[m.Name] = m
	return nil
}

func (k *kept) SaveVerdicts(switchID, stage string, verdicts []rollout.Verdict) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return errDisk
	}
	k.verdicts[switchID+" "+stage] = verdicts
	return nil
}

func (k *kept) loadVerdicts() map[string][]rollout.Verdict {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.verdicts)
}

func (k *kept) setBroken(broken bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.broken = broken
}

func (k *kept) loadEndpoints() map[string]rollout.EndpointSet {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.endpoints)
}

func (k *kept) loadPolicies() map[string]*policy.Model {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.policies)
}
