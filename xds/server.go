// Package xds serves routing to Envoys and proxyless gRPC clients, and knows
// what each of them made of it: an ADS handler, state-of-the-world and delta,
// in which every acknowledgement belongs to one stream, type and nonce.
//
// Locks: Server.mu comes before node.mu; a node's mutex is held alone on the
// path of an acknowledgement, so nodes never wait for each other there.
package xds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Options configure a Server. The zero value works.
type Options struct {
	Log *slog.Logger
	// Lease is how long a node that went away is believed to still route as it
	// last did. Default 1h.
	Lease time.Duration
	// ReconnectGrace is how long after Open nodes known from before a restart
	// have to come back before Report calls itself settled. Default 10s.
	ReconnectGrace time.Duration
	// Nodes keeps known nodes over a restart; nil keeps them in memory only.
	Nodes NodeStore
	// Changed says that Report(model) may have a new answer. It is called from
	// Run, without locks, and must return quickly. Calls are coalesced.
	Changed func(model string)
	// Secret finds what a policy's secret stands for; nil finds none. It is called
	// without locks, when a routing is published and again every few seconds.
	Secret func(policy.Secret) (string, error)
	Now    func() time.Time
}

// NodeStore keeps the known nodes of all fleets.
type NodeStore interface {
	// SaveNodes replaces what is kept; it returns when that is on disk.
	SaveNodes([]rollout.NodeRecord) error
	Nodes() ([]rollout.NodeRecord, error)
}

// Server holds the routing of all fleets and the state of all nodes.
type Server struct {
	opts      Options
	log       *slog.Logger
	opened    chan struct{}         // closed by Open
	closed    chan struct{}         // closed when Run ends: streams end, nodes go elsewhere
	news      [hastes]chan struct{} // some flag of a model or a fleet was raised
	crowd     atomic.Bool           // every model's report may have changed
	unsaved   atomic.Bool           // the set of known nodes changed since it was saved
	strangers chan struct{}         // holds a value when a node came that was never seen before
	// withhold keeps a resource back from a node as if it were slow to come; only tests set it.
	withhold atomic.Pointer[func(node string, k kind, name string) bool]

	mu       sync.RWMutex // guards what follows
	openedAt time.Time    // zero before Open
	issued   uint64       // counts assignments
	models   map[string]*model
	leaving  map[string]*model // withdrawn, and some node may still route to it
	// marks are the flags of every model that ever was, by name: answers that
	// are on their way when a model goes may be about one that came after it.
	marks     map[string]*flags
	fleets    map[string]*fleet
	shared    [kinds]map[string]*blob // what nodes of any fleet may ask for by name
	connected map[nodeKey][]*node     // oldest first; more than one while an old connection lingers
	proxyless map[*node]struct{}      // connected gRPC clients
	stale     map[nodeKey][]*departed // the last one to go stands last; more than one if several nodes have one id
	awaited   map[nodeKey]struct{}    // known from before a restart, not back yet
}

// New builds a server that knows the nodes of opts.Nodes and nothing else.
func New(opts Options) (*Server, error) {
	opts.Lease = cmp.Or(opts.Lease, time.Hour)
	opts.ReconnectGrace = cmp.Or(opts.ReconnectGrace, 10*time.Second)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Changed == nil {
		opts.Changed = func(string) {}
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Secret == nil {
		opts.Secret = func(policy.Secret) (string, error) { return "", errors.New("no secrets can be had here") }
	}
	s := &Server{
		opts: opts, log: opts.Log,
		opened: make(chan struct{}), closed: make(chan struct{}), strangers: make(chan struct{}, 1),
		models: map[string]*model{}, leaving: map[string]*model{}, marks: map[string]*flags{}, fleets: map[string]*fleet{},
		connected: map[nodeKey][]*node{}, proxyless: map[*node]struct{}{}, stale: map[nodeKey][]*departed{}, awaited: map[nodeKey]struct{}{},
	}
	for h := range s.news {
		s.news[h] = make(chan struct{}, 1)
	}
	for k := range s.shared {
		s.shared[k] = map[string]*blob{}
	}
	if opts.Nodes == nil {
		return s, nil
	}
	known, err := opts.Nodes.Nodes()
	if err != nil {
		return nil, fmt.Errorf("read known nodes: %w", err)
	}
	s.remember(known)
	return s, nil
}

// Open lets answers go out. Call it when every model has been given that
// nodes may route: they take the first answer as the whole truth.
func (s *Server) Open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.openedAt.IsZero() {
		return
	}
	s.openedAt = s.opts.Now()
	close(s.opened)
	s.touchAll()
}

// SetFleets replaces the described fleets. A fleet that is not described
// exists while a model's policy names it.
func (s *Server) SetFleets(described map[string]*policy.Fleet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, f := range s.fleets {
		if described[name] == nil && f.policy != nil {
			s.describe(f, nil)
		}
	}
	for name, p := range described {
		s.describe(s.fleet(name), p)
	}
}

// Route publishes a model's routing; the last call wins. It returns when the
// routing is on its way, not when nodes have it.
func (s *Server) Route(r rollout.Routing) {
	token := s.readToken(r.Policy)
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.model(r.Policy.Name)
	was := m.routing
	m.routing = r
	s.setToken(m, token)
	if m.complete() {
		s.publishModel(m, was.Policy)
	}
}

// Endpoints replaces what the clusters of both colors hold.
func (s *Server) Endpoints(name string, blue, green []rollout.Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.model(name)
	first := !m.hasEndpoints
	m.hasEndpoints = true
	s.assign(m, policy.Blue, blue)
	s.assign(m, policy.Green, green)
	switch {
	case !m.complete():
	case first:
		s.publishModel(m, nil)
	default:
		s.publishEndpoints(m)
		s.touch(m.flags, soon)
	}
}

// Withdraw takes a model off all fleets: its routes at once, its clusters when
// no node routes to them any more.
func (s *Server) Withdraw(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.models[name]; m != nil {
		s.withdraw(m)
	}
}

// Run does what time asks for until ctx is done: it calls Changed, ends leases
// and saves the known nodes. When it returns all streams end.
func (s *Server) Run(ctx context.Context) error {
	defer close(s.closed)
	return s.watch(ctx)
}
