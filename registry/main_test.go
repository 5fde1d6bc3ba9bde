package registry

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greenlight/policy"
	"greenlight/rollout"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// byMeta is the discovery that most tests use.
var byMeta = policy.Discovery{Service: "fraud", ColorMeta: "color", VersionMeta: "version"}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// some makes a set with so many endpoints of each color.
func some(blue, green int) rollout.EndpointSet {
	return rollout.EndpointSet{Blue: endpoints("blue", blue), Green: endpoints("green", green)}
}

func endpoints(color string, n int) []rollout.Endpoint {
	out := []rollout.Endpoint{}
	for i := range n {
		out = append(out, rollout.Endpoint{ID: fmt.Sprintf("%s-%d", color, i), Address: "10.0.0.1", Port: 8000 + i, Weight: 1})
	}
	return out
}

// seen collects what a watch emits.
type seen struct {
	mu   sync.Mutex
	sets []rollout.EndpointSet
	news chan struct{} // has a token whenever a set came
}

func newSeen() *seen { return &seen{news: make(chan struct{}, 1)} }

func (s *seen) emit(set rollout.EndpointSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets = append(s.sets, set)
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sets)
}

func (s *seen) all() []rollout.EndpointSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]rollout.EndpointSet(nil), s.sets...)
}

// last is the newest set; the zero set before the first.
func (s *seen) last() rollout.EndpointSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sets) == 0 {
		return rollout.EndpointSet{}
	}
	return s.sets[len(s.sets)-1]
}

// until waits for a set that want accepts and returns it.
func (s *seen) until(t testing.TB, what string, want func(rollout.EndpointSet) bool) rollout.EndpointSet {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		if s.count() > 0 {
			if set := s.last(); want(set) {
				return set
			}
		}
		select {
		case <-s.news:
		case <-limit:
			t.Fatalf("never saw %s; last of %d sets: %+v", what, s.count(), s.last())
		}
	}
}

// has accepts a set with so many ready endpoints and no problem.
func has(blue, green int) func(rollout.EndpointSet) bool {
	return func(s rollout.EndpointSet) bool {
		return len(s.Blue) == blue && len(s.Green) == green && s.Problem == ""
	}
}

// stands accepts a set with so many endpoints that stands in spite of a problem.
func stands(blue, green int) func(rollout.EndpointSet) bool {
	return func(s rollout.EndpointSet) bool {
		return len(s.Blue) == blue && len(s.Green) == green && s.Problem != "" && !s.Since.IsZero()
	}
}
