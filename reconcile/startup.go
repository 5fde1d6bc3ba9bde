package reconcile

import "sync"

// startup tells once that the first policy set is routed: sending anything
// before would take the models that are not there yet off the fleets.
type startup struct {
	mu      sync.Mutex
	begun   bool
	missing map[string]struct{}
	ready   func() // nil once it was called
}

func newStartup(ready func()) *startup {
	if ready == nil {
		ready = func() {}
	}
	return &startup{ready: ready}
}

// expect names the models of the first policy set; later sets change nothing.
func (s *startup) expect(models []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return
	}
	s.begun = true
	s.missing = make(map[string]struct{}, len(models))
	for _, m := range models {
		s.missing[m] = struct{}{}
	}
	s.tell()
}

// settled says that model is routed, or has nothing to route.
func (s *startup) settled(model string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.missing, model)
	s.tell()
}

func (s *startup) tell() {
	if s.ready == nil || !s.begun || len(s.missing) > 0 {
		return
	}
	s.ready()
	s.ready = nil
}
