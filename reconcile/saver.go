package reconcile

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"greenlight/rollout"
)

// saveAgain is the pause after a failed save.
const saveAgain = time.Second

// saver writes registry answers to disk beside the loops, the latest of each model.
type saver struct {
	store EndpointStore
	log   *slog.Logger
	wake  chan struct{}
	quit  chan struct{}

	mu      sync.Mutex
	pending map[string]rollout.EndpointSet
}

func newSaver(store EndpointStore, log *slog.Logger) *saver {
	return &saver{
		store: store, log: log,
		wake: make(chan struct{}, 1), quit: make(chan struct{}),
		pending: map[string]rollout.EndpointSet{},
	}
}

// put queues a good set.
func (s *saver) put(model string, set rollout.EndpointSet) {
	if s.store == nil {
		return
	}
	s.mu.Lock()
	s.pending[model] = set
	s.mu.Unlock()
	signal(s.wake)
}

// stop makes run write what is left and return.
func (s *saver) stop() { close(s.quit) }

func (s *saver) run() {
	for {
		select {
		case <-s.wake:
			if s.flush() {
				continue
			}
		case <-s.quit:
			s.flush()
			return
		}
		select { // a save failed: not at once again
		case <-time.After(saveAgain):
			signal(s.wake)
		case <-s.quit:
			s.flush()
			return
		}
	}
}

// flush writes what is pending and reports whether all of it was written; what
// was not stays pending.
func (s *saver) flush() bool {
	s.mu.Lock()
	batch := s.pending
	s.pending = map[string]rollout.EndpointSet{}
	s.mu.Unlock()
	whole := true
	for _, model := range slices.Sorted(maps.Keys(batch)) {
		if err := s.store.SaveEndpoints(model, batch[model]); err != nil {
			whole = false
			s.log.Error("last good endpoints were not saved", "model", model, "error", err)
			s.putBack(model, batch[model])
		}
	}
	return whole
}

// putBack queues a set that was not written, unless there is a newer one.
func (s *saver) putBack(model string, set rollout.EndpointSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, newer := s.pending[model]; !newer {
		s.pending[model] = set
	}
}
