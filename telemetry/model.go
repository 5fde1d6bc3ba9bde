package telemetry

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// The most that one window of a model holds apart: what comes beyond is added to
// the totals alone.
const (
	maxNodes     = 20_000
	maxEndpoints = 1_000
	maxRoutings  = 16
	maxNames     = 64 // gRPC statuses, or flags
)

// model adds up one model's requests.
type model struct {
	mu     sync.Mutex
	begun  time.Time // of the open window
	users  map[rollout.Weights]*rollout.ByColor[counter]
	shadow rollout.ByColor[counter]
	// preview are requests that chose their color.
	preview   rollout.ByColor[counter]
	nodes     map[nodeKey]*rollout.ByColor[int]
	endpoints map[endpointKey]*tried
	late      int
	doubled   int
	touched   bool
	quiet     int // empty windows since the last request; -1: there was none
	closed    []rollout.Window
	totals    totals
}

type nodeKey struct {
	fleet, node string
	weights     rollout.Weights
}

type endpointKey struct {
	color   policy.Color
	address string
}

type tried struct{ requests, errors int }

// counter is a Tally that grows.
type counter struct {
	tally   rollout.Tally
	latency judge.Recorder
}

func newModel(now time.Time) *model {
	m := &model{begun: now, quiet: -1}
	m.reset()
	return m
}

func (m *model) reset() {
	m.users = map[rollout.Weights]*rollout.ByColor[counter]{}
	m.shadow, m.preview = rollout.ByColor[counter]{}, rollout.ByColor[counter]{}
	m.nodes = map[nodeKey]*rollout.ByColor[int]{}
	m.endpoints = map[endpointKey]*tried{}
	m.late, m.doubled, m.touched = 0, 0, false
}

// add counts one request; each stands for scale of them.
func (m *model) add(from source, r request, scale float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.touched = true
	switch r.kind {
	case shadow:
		m.shadow.At(r.color).add(r, scale)
	case preview:
		m.preview.At(r.color).add(r, scale)
	default:
		m.addUser(from, r, scale)
	}
	m.totals.add(r, scale)
}

func (m *model) addUser(from source, r request, scale float64) {
	colors := m.users[r.weights]
	if colors == nil {
		if len(m.users) >= maxRoutings {
			return
		}
		colors = &rollout.ByColor[counter]{}
		m.users[r.weights] = colors
	}
	colors.At(r.color).add(r, scale)
	key := nodeKey{from.fleet, from.node, r.weights}
	sent := m.nodes[key]
	if sent == nil && len(m.nodes) < maxNodes {
		sent = &rollout.ByColor[int]{}
		m.nodes[key] = sent
	}
	if sent != nil {
		*sent.At(r.color)++
	}
	at := endpointKey{r.color, r.address}
	e := m.endpoints[at]
	if e == nil && r.address != "" && len(m.endpoints) < maxEndpoints {
		e = &tried{}
		m.endpoints[at] = e
	}
	if e != nil {
		e.requests++
		if r.error {
			e.errors++
		}
	}
}

func (m *model) left(late, doubled int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.late += late
	m.doubled += doubled
	m.totals.late += late
	m.totals.doubled += doubled
	m.touched = true
}

func (c *counter) add(r request, scale float64) {
	t := &c.tally
	t.Requests++
	t.Scaled += scale
	t.Classes[r.class]++
	if r.grpc >= 0 {
		t.GRPC = count(t.GRPC, uint32(r.grpc))
	}
	for _, f := range r.flags {
		t.Flags = count(t.Flags, f)
	}
	switch {
	case r.error:
		t.Errors++
	case r.reject:
		t.Rejected++
	case r.gone:
		t.Gone++
	}
	if !r.gone { // how long a client waited says nothing of the answer
		c.latency.Add(r.seconds)
	}
}

func count[K comparable](m map[K]int, key K) map[K]int {
	if m == nil {
		m = map[K]int{}
	}
	if _, known := m[key]; known || len(m) < maxNames {
		m[key]++
	}
	return m
}

func (c *counter) close() rollout.Tally {
	t := c.tally
	t.Latency = c.latency.Sketch()
	return t
}

func closeColors(c *rollout.ByColor[counter]) rollout.ByColor[rollout.Tally] {
	return rollout.ByColor[rollout.Tally]{Blue: c.Blue.close(), Green: c.Green.close()}
}

// close ends the open window, and reports whether there is one to take.
func (m *model) close(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	begun := m.begun
	m.begun = now
	switch {
	case m.touched:
		m.quiet = 0
	case m.quiet < 0 || m.quiet >= quietWindows:
		return false
	default:
		m.quiet++
	}
	w := rollout.Window{Begin: begun, End: now, Late: m.late, Doubled: m.doubled,
		Shadow: closeColors(&m.shadow), Preview: closeColors(&m.preview)}
	for weights, colors := range m.users {
		w.Users = append(w.Users, rollout.Routed{Weights: weights, Colors: closeColors(colors)})
	}
	slices.SortFunc(w.Users, func(a, b rollout.Routed) int { return compareWeights(a.Weights, b.Weights) })
	w.Nodes = m.closeNodes()
	w.Endpoints = m.closeEndpoints()
	m.closed = append(m.closed, w)
	if len(m.closed) > keptWindows {
		m.closed = slices.Delete(m.closed, 0, len(m.closed)-keptWindows)
	}
	m.reset()
	return true
}

func compareWeights(a, b rollout.Weights) int { return cmp.Compare(a.Blue, b.Blue) }

func (m *model) closeNodes() []rollout.NodeWindow {
	var out []rollout.NodeWindow
	for key, sent := range m.nodes {
		out = append(out, rollout.NodeWindow{Fleet: key.fleet, Node: key.node, Weights: key.weights, Requests: *sent})
	}
	slices.SortFunc(out, func(a, b rollout.NodeWindow) int {
		return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Node, b.Node), compareWeights(a.Weights, b.Weights))
	})
	return out
}

func (m *model) closeEndpoints() []rollout.EndpointWindow {
	var out []rollout.EndpointWindow
	for _, key := range slices.SortedFunc(maps.Keys(m.endpoints), func(a, b endpointKey) int {
		return cmp.Or(cmp.Compare(a.color, b.color), cmp.Compare(a.address, b.address))
	}) {
		e := m.endpoints[key]
		out = append(out, rollout.EndpointWindow{Color: key.color, Address: key.address, Requests: e.requests, Errors: e.errors})
	}
	return out
}

func (m *model) take() []rollout.Window {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.closed
	m.closed = nil
	return out
}
