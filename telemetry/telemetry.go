// Package telemetry hears from the fleets' Envoys how users' requests went: it is
// Envoy's access log service (ALS), and adds up, per model and color, in windows of a
// second.
//
// What is reported is not trusted: only models that have a policy are counted, and
// memory is bounded whatever is sent.
package telemetry

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/grpc"

	"greenlight/rollout"
)

const (
	// window is how long requests are added up before they are handed on.
	window = time.Second
	// lateAfter is how long after its end a request may be reported and still count.
	lateAfter = time.Minute
	// quietWindows is how many empty windows follow a model's last request, so that
	// the end of its traffic is seen.
	quietWindows = 60
	// keptWindows is how many closed windows of a model wait to be taken.
	keptWindows = 120
)

// Options say whom to tell; the zero value of each field means its default.
type Options struct {
	Log *slog.Logger // default: nothing is logged
	// Changed is called, never with a lock held, when Take has something new of a model.
	Changed func(model string)
	// Now is the clock; default time.Now. Only differences of it are used, so that a
	// clock that is set changes nothing.
	Now func() time.Time
}

// Server hears reports.
type Server struct {
	log     *slog.Logger
	changed func(model string)
	now     func() time.Time
	began   time.Time
	heard   listeners

	mu     sync.RWMutex // guards models, not what they hold
	models map[string]*model
}

// New makes a server; Register and Run bring it to life.
func New(o Options) *Server {
	s := &Server{log: o.Log, changed: o.Changed, now: o.Now, models: map[string]*model{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.changed == nil {
		s.changed = func(string) {}
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.began, s.heard.nodes = s.now(), map[listened]*heard{}
	return s
}

// passed is how long the server has been there.
func (s *Server) passed() time.Duration { return s.now().Sub(s.began) }

// Register adds the service to a gRPC server.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	alsv3.RegisterAccessLogServiceServer(r, accessLogs{s: s})
}

// SetModels says which models there are; reports of others are dropped.
func (s *Server) SetModels(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.models[name] == nil {
			s.models[name] = newModel(s.now())
		}
	}
	maps.DeleteFunc(s.models, func(name string, _ *model) bool { return !slices.Contains(names, name) })
}

func (s *Server) model(name string) *model {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.models[name]
}

// names is the models, sorted.
func (s *Server) names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.models))
}

// Run closes a window every second until ctx is done.
func (s *Server) Run(ctx context.Context) error {
	ticker := time.NewTicker(window)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			s.close()
		}
	}
}

// close ends the present window of every model.
func (s *Server) close() {
	now := s.now()
	s.heard.forget(now.Sub(s.began))
	for _, name := range s.names() {
		if m := s.model(name); m != nil && m.close(now) {
			s.changed(name)
		}
	}
}

// Take answers with the windows of a model that were closed since the last call,
// oldest first. Of windows that nobody took for two minutes the oldest are lost.
func (s *Server) Take(name string) []rollout.Window {
	if m := s.model(name); m != nil {
		return m.take()
	}
	return nil
}
