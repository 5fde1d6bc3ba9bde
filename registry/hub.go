package registry

import (
	"context"
	"sync"
)

// key names one feed: a service in a datacenter. The file registry has one
// feed for everything, under the zero key.
type key struct{ service, datacenter string }

// hub runs one feed per key and shares it among all who watch that key, so that
// a service costs the registry one blocking query however many models use it.
type hub struct {
	// run asks the registry about k until ctx is done and publishes each answer.
	run func(ctx context.Context, k key, publish func(answer))

	mu    sync.Mutex
	feeds map[key]*feed // guarded by mu
}

// feed is one running run and its newest answer.
type feed struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when run has returned

	mu     sync.Mutex
	last   answer                     // guarded by mu
	spoken bool                       // guarded by mu; false before the first answer
	subs   map[*subscription]struct{} // guarded by mu and by hub.mu for changes
}

// subscription is one watcher's place at a feed. A new answer puts a token into
// wake, which holds one: a slow watcher misses answers, never the newest.
type subscription struct {
	hub  *hub
	key  key
	feed *feed
	wake chan<- struct{}
}

func newHub(run func(context.Context, key, func(answer))) *hub {
	return &hub{run: run, feeds: map[key]*feed{}}
}

// subscribe joins the feed of k, starting it for the first subscriber. If the
// feed has already answered, wake gets its token at once.
func (h *hub) subscribe(k key, wake chan<- struct{}) *subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.feeds[k]
	if f == nil {
		f = h.start(k)
		h.feeds[k] = f
	}
	s := &subscription{hub: h, key: k, feed: f, wake: wake}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subs[s] = struct{}{}
	if f.spoken {
		s.rouse()
	}
	return s
}

func (h *hub) start(k key) *feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &feed{cancel: cancel, done: make(chan struct{}), subs: map[*subscription]struct{}{}}
	go func() {
		defer close(f.done)
		h.run(ctx, k, f.publish)
	}()
	return f
}

// publish replaces the feed's answer and wakes all subscribers.
func (f *feed) publish(a answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last, f.spoken = a, true
	for s := range f.subs {
		s.rouse()
	}
}

func (s *subscription) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // a token is waiting already
	}
}

// answer is the feed's newest answer; false before the first one.
func (s *subscription) answer() (answer, bool) {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	return s.feed.last, s.feed.spoken
}

// close leaves the feed. The last one to leave stops it and waits for its end.
func (s *subscription) close() {
	if s.leave() {
		s.feed.cancel()
		<-s.feed.done
	}
}

// leave reports whether s was the feed's last subscriber. The feed is then out
// of the hub's map, so that whoever comes next starts a new one.
func (s *subscription) leave() bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	delete(s.feed.subs, s)
	if len(s.feed.subs) > 0 {
		return false
	}
	delete(s.hub.feeds, s.key)
	return true
}
