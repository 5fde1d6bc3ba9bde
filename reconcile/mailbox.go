package reconcile

import "sync"

// mailbox holds the latest of what was put in: whoever is slow to read skips
// what was in between, and nobody who writes ever waits.
type mailbox[T any] struct {
	// C has a token whenever there may be something to take.
	C chan struct{}

	mu    sync.Mutex
	value T
	full  bool
}

func newMailbox[T any]() *mailbox[T] { return &mailbox[T]{C: make(chan struct{}, 1)} }

// put replaces what is in the box.
func (m *mailbox[T]) put(v T) {
	m.mu.Lock()
	m.value, m.full = v, true
	m.mu.Unlock()
	signal(m.C)
}

// take empties the box; ok is false when it was empty already.
func (m *mailbox[T]) take() (v T, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok = m.value, m.full
	var none T
	m.value, m.full = none, false
	return v, ok
}

// signal leaves a token in c, which has room for one, unless one is there.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
