package api

import "sync"

// mailbox keeps the newest value of each key until it is taken, so that who
// fills it never waits for a slow client.
type mailbox[V any] struct {
	ready chan struct{} // holds a token while the box is not empty

	mu     sync.Mutex
	latest map[string]V
	order  []string // keys in the order in which they arrived
}

func newMailbox[V any]() *mailbox[V] {
	return &mailbox[V]{ready: make(chan struct{}, 1), latest: map[string]V{}}
}

// put never waits.
func (b *mailbox[V]) put(key string, v V) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, waiting := b.latest[key]; !waiting {
		b.order = append(b.order, key)
	}
	b.latest[key] = v
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// take empties the box.
func (b *mailbox[V]) take() []V {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]V, 0, len(b.order))
	for _, key := range b.order {
		out = append(out, b.latest[key])
	}
	clear(b.latest)
	b.order = b.order[:0]
	return out
}
