package reconcile

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// saveAgain is the pause after a failed save.
const saveAgain = time.Second

// saver writes what is last known to be good, and reports, beside the loops, so
// that none of them waits for a disk that it does not need: of each thing the latest.
type saver struct {
	log  *slog.Logger
	wake chan struct{}
	quit chan struct{}

	mu      sync.Mutex
	pending map[string]func() error // what is saved → how
}

func newSaver(log *slog.Logger) *saver {
	return &saver{
		log:     log,
		wake:    make(chan struct{}, 1),
		quit:    make(chan struct{}),
		pending: map[string]func() error{},
	}
}

// put queues a save; it takes the place of an older one of the same thing.
func (s *saver) put(what string, save func() error) {
	s.mu.Lock()
	s.pending[what] = save
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
	s.pending = map[string]func() error{}
	s.mu.Unlock()
	whole := true
	for _, what := range slices.Sorted(maps.Keys(batch)) {
		if err := batch[what](); err != nil {
			whole = false
			s.log.Error("not saved, it is tried again", "what", what, "error", err)
			s.putBack(what, batch[what])
		}
	}
	return whole
}

// putBack queues what was not written, unless there is something newer.
func (s *saver) putBack(what string, save func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, newer := s.pending[what]; !newer {
		s.pending[what] = save
	}
}
