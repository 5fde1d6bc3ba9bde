package reconcile

import (
	"maps"
	"slices"
	"sync"
)

// startup tells once that the first policy set is routed: sending anything
// before would take the models that are not there yet off the fleets.
type startup struct {
	mu      sync.Mutex
	begun   bool
	heard   bool            // some model has settled
	late    bool            // new models have had their time
	missing map[string]bool // model → it has been routed before
	ready   func()          // nil once it was called
}

func newStartup(ready func()) *startup {
	if ready == nil {
		ready = func() {}
	}
	return &startup{ready: ready}
}

// expect names the models of the first policy set and says which of them have
// been routed before; later sets change nothing.
func (s *startup) expect(models map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return
	}
	s.begun, s.missing = true, models
	s.tell()
}

// settled says that model is routed, or has nothing to route.
func (s *startup) settled(model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.missing, model)
	s.heard = true
	s.tell()
}

// gone says that model has no policy any more.
func (s *startup) gone(model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.missing, model)
	s.tell()
}

// hurry says that models which were never routed have had their time. The
// fleets hold nothing of them that could be lost. But while not one model has
// settled the registry is silent as a whole, and it may be the journal that
// was lost: then all are waited for.
func (s *startup) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = true
	s.tell()
}

// waiting is the models that the start waits for, sorted.
func (s *startup) waiting() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.missing))
}

func (s *startup) tell() {
	if s.ready == nil || !s.begun {
		return
	}
	for _, routed := range s.missing {
		if routed || !s.late || !s.heard {
			return
		}
	}
	s.ready()
	s.ready = nil
}
