package api_test

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
)

// models is an api.Models whose statuses a test sets.
type models struct {
	// do answers commands; nil answers with the model's status.
	do func(model string, c rollout.Command) (rollout.Status, error)
	// broken ends Watch with its error.
	broken chan error

	mu       sync.Mutex
	statuses map[string]rollout.Status
	watchers map[int]func(rollout.Status)
	next     int
	commands []rollout.Command
}

func newModels(names ...string) *models {
	m := &models{
		statuses: map[string]rollout.Status{}, watchers: map[int]func(rollout.Status){},
		broken: make(chan error, 1),
	}
	for _, n := range names {
		m.set(n, rollout.Idle)
	}
	return m
}

// set gives a model a new status and tells the watchers.
func (m *models) set(name string, p rollout.Phase) rollout.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := rollout.Status{
		State:    rollout.State{Model: name, Phase: p, Live: policy.Blue, Weights: rollout.AllOn(policy.Blue)},
		Revision: m.statuses[name].Revision + 1,
	}
	m.statuses[name] = st
	for _, emit := range m.watchers {
		emit(st)
	}
	return st
}

func (m *models) Do(_ context.Context, model string, c rollout.Command) (rollout.Status, error) {
	m.mu.Lock()
	m.commands = append(m.commands, c)
	st := m.statuses[model]
	m.mu.Unlock()
	if m.do != nil {
		return m.do(model, c)
	}
	return st, nil
}

func (m *models) Statuses() []rollout.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.statuses)) // in no order, on purpose
}

func (m *models) Watch(ctx context.Context, emit func(rollout.Status)) error {
	m.mu.Lock()
	id := m.next
	m.next++
	for _, st := range m.statuses {
		emit(st)
	}
	m.watchers[id] = emit
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.watchers, id)
		m.mu.Unlock()
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-m.broken:
		return err
	}
}

func (m *models) last(t *testing.T) rollout.Command {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.commands) == 0 {
		t.Fatal("no command reached the models")
	}
	return m.commands[len(m.commands)-1]
}

func (m *models) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.commands)
}

// history is an api.History over a list, newest first.
type history struct {
	switches   []rollout.Switch
	reports    map[string]rollout.Assessment
	recordings map[string]record.Recording
	err        error
}

func (h *history) Switches(model string, limit int, before string) ([]rollout.Switch, error) {
	var out []rollout.Switch
	for _, sw := range h.switches {
		if (model == "" || sw.Model == model) && (before == "" || sw.ID < before) && len(out) < limit {
			out = append(out, sw)
		}
	}
	return out, h.err
}

func (h *history) Switch(id string) (*rollout.Switch, error) {
	for _, sw := range h.switches {
		if sw.ID == id {
			return &sw, h.err
		}
	}
	return nil, h.err
}

func (h *history) Report(id string) (*rollout.Assessment, error) {
	if a, ok := h.reports[id]; ok {
		return &a, h.err
	}
	return nil, h.err
}

func (h *history) Recording(id string) (*record.Recording, error) {
	if r, ok := h.recordings[id]; ok {
		return &r, h.err
	}
	return nil, h.err
}

// fleets is an api.Fleets.
type fleets []rollout.FleetView

func (f fleets) Fleets() []rollout.FleetView { return f }

// served is a Server behind a connection in memory.
type served struct {
	models  *models
	history *history
	checks  *runs
	filed   api.Filed
	server  *api.Server
	grpc    *grpc.Server
	conn    *grpc.ClientConn
	client  adminv1.AdminServiceClient
}

func serve(t *testing.T, m *models, h *history, f fleets, origin ...policy.Origin) *served {
	t.Helper()
	s := &served{models: m, history: h, checks: &runs{}}
	s.server = api.New(api.Options{Models: m, History: h, Fleets: f, Checks: s.checks, HTML: page, Groups: friends, Origin: func() policy.Origin {
		return append(origin, policy.Origin{})[0]
	}, Policies: func() api.Filed { return s.filed }})
	// Small windows, so that a client that doesn't read is soon noticed.
	s.grpc = grpc.NewServer(grpc.InitialWindowSize(64<<10), grpc.InitialConnWindowSize(64<<10), grpc.WriteBufferSize(0))
	s.server.Register(s.grpc)
	lis := bufconn.Listen(1 << 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.grpc.Serve(lis)
	}()
	conn, err := grpc.NewClient("passthrough:///memory",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(64<<10), grpc.WithInitialConnWindowSize(64<<10),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	s.conn, s.client = conn, adminv1.NewAdminServiceClient(conn)
	t.Cleanup(func() {
		_ = conn.Close()
		s.grpc.Stop()
		<-done
	})
	return s
}
