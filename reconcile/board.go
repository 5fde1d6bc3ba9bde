package reconcile

import (
	"context"
	"maps"
	"slices"
	"sync"

	"greenlight/rollout"
)

// board holds the newest Status of every model and tells watchers of changes.
// A watcher that is slow finds the newest status of each changed model, not a
// queue; nobody who posts waits for one.
type board struct {
	mu        sync.Mutex
	statuses  map[string]rollout.Status
	farewell  map[string]rollout.Status // last word on models that are gone
	revisions map[string]uint64         // outlives a model's status
	watchers  map[*watcher]struct{}
}

// watcher is one Watch: the models that changed since it last looked. dirty
// belongs to the board's lock.
type watcher struct {
	dirty map[string]struct{}
	wake  chan struct{}
}

func newBoard() *board {
	return &board{
		statuses:  map[string]rollout.Status{},
		farewell:  map[string]rollout.Status{},
		revisions: map[string]uint64{},
		watchers:  map[*watcher]struct{}{},
	}
}

// post shows s and returns it with its revision.
func (b *board) post(s rollout.Status) rollout.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	model := s.State.Model
	s = b.number(s)
	b.statuses[model] = s
	delete(b.farewell, model)
	return s
}

// remove takes a model off the board; watchers get s as the last word on it.
func (b *board) remove(s rollout.Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.farewell[s.State.Model] = b.number(s)
	delete(b.statuses, s.State.Model)
}

// number gives s its revision and marks its model for all watchers.
func (b *board) number(s rollout.Status) rollout.Status {
	model := s.State.Model
	b.revisions[model]++
	s.Revision = b.revisions[model]
	for w := range b.watchers {
		w.dirty[model] = struct{}{}
		signal(w.wake)
	}
	return s
}

func (b *board) get(model string) (rollout.Status, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.statuses[model]
	return s, ok
}

// list is every status, sorted by model.
func (b *board) list() []rollout.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]rollout.Status, 0, len(b.statuses))
	for _, model := range slices.Sorted(maps.Keys(b.statuses)) {
		out = append(out, b.statuses[model])
	}
	return out
}

// watch emits every status, then each that changed, until ctx or stopped is done.
func (b *board) watch(ctx context.Context, stopped <-chan struct{}, emit func(rollout.Status)) error {
	w := b.join()
	defer b.leave(w)
	for {
		for _, s := range b.changes(w) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			emit(s)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-stopped:
			return ErrStopped
		case <-w.wake:
		}
	}
}

// join adds a watcher to which everything is new.
func (b *board) join() *watcher {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &watcher{dirty: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	for model := range b.statuses {
		w.dirty[model] = struct{}{}
	}
	b.watchers[w] = struct{}{}
	return w
}

func (b *board) leave(w *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.watchers, w)
}

// changes is the newest status of each model that changed since the last call,
// sorted by model.
func (b *board) changes(w *watcher) []rollout.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]rollout.Status, 0, len(w.dirty))
	for _, model := range slices.Sorted(maps.Keys(w.dirty)) {
		s, ok := b.statuses[model]
		if !ok {
			s = b.farewell[model]
		}
		out = append(out, s)
	}
	clear(w.dirty)
	return out
}

// names is the set of models on the board.
func (b *board) names() map[string]struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[string]struct{}, len(b.statuses))
	for model := range b.statuses {
		out[model] = struct{}{}
	}
	return out
}
