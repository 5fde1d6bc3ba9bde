package lab

import (
	"bytes"
	"context"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// LoadOptions say what is asked, how often, and of whom.
type LoadOptions struct {
	URLs   []string // asked in turn
	Host   string   // Host header
	Header http.Header
	Body   []byte // POSTed as JSON; nil means GET
	Rate   int    // requests a second, open loop; SetRate changes it
	// Users is how many users ask, drawn at random for each request, which says
	// in the header x-user which of 0 to Users-1 it is of; 0 sends no header.
	Users   int
	Timeout time.Duration
	// Expected tells a failed answer that the story wanted from one that it
	// did not; nil means none is expected.
	Expected func(Answer) bool
	// ColorOf tells by the body who answered; nil means the header x-model-color does.
	ColorOf func(body []byte) string
}

// Answer is what a client saw of one request.
type Answer struct {
	URL    string
	Sent   time.Time
	Took   time.Duration
	Status int    // 0 when there was no answer
	User   string // who asked; empty without LoadOptions.Users
	Color  string // of the instance that answered
	Header http.Header
	Err    error
}

// Failed reports whether the client did not get what it asked for.
func (a Answer) Failed() bool { return a.Err != nil || a.Status != http.StatusOK }

// Counts add up what clients saw.
type Counts struct {
	Requests   int
	Expected   int // failures that the story wanted
	Unexpected int // all other failures
	ByColor    map[string]int
	// Failures holds the first unexpected ones.
	Failures []Answer
}

// Load is a steady stream of requests, each sent at its time whether or not the
// ones before it were answered, so that a slow server cannot hide.
type Load struct {
	opts   LoadOptions
	client *http.Client
	cancel context.CancelFunc
	done   chan struct{}
	rate   atomic.Int64

	mu       sync.Mutex
	counts   Counts
	watchers map[*watcher]bool
}

// StartLoad starts sending.
func StartLoad(opts LoadOptions) *Load {
	if opts.Timeout == 0 {
		opts.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Load{
		opts: opts,
		client: &http.Client{
			Timeout:   opts.Timeout,
			Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxIdleConns: 1024},
		},
		cancel:   cancel,
		done:     make(chan struct{}),
		counts:   Counts{ByColor: map[string]int{}},
		watchers: map[*watcher]bool{},
	}
	l.rate.Store(int64(opts.Rate))
	go l.run(ctx)
	return l
}

// Stop ends the load, waits for the answers under way, and gives the counts.
func (l *Load) Stop() Counts {
	l.cancel()
	<-l.done
	l.client.CloseIdleConnections()
	return l.Counts()
}

// SetRate changes the requests a second from now on; 0 pauses the load.
func (l *Load) SetRate(rate int) { l.rate.Store(int64(rate)) }

// Counts gives what was seen so far.
func (l *Load) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := l.counts
	counts.ByColor = maps.Clone(counts.ByColor)
	counts.Failures = append([]Answer(nil), counts.Failures...)
	return counts
}

// Next waits for the next answer that matches.
func (l *Load) Next(ctx context.Context, match func(Answer) bool) (Answer, error) {
	answers, err := l.Collect(ctx, 1, match)
	if err != nil {
		return Answer{}, err
	}
	return answers[0], nil
}

// Collect waits for the next n answers that match, and misses none.
func (l *Load) Collect(ctx context.Context, n int, match func(Answer) bool) ([]Answer, error) {
	w := &watcher{match: match, want: n, full: make(chan struct{})}
	l.mu.Lock()
	l.watchers[w] = true
	l.mu.Unlock()
	select {
	case <-w.full:
		return w.got, nil
	case <-ctx.Done():
		l.mu.Lock()
		delete(l.watchers, w)
		l.mu.Unlock()
		return nil, ctx.Err()
	}
}

// watcher collects answers until it is full. Its got is guarded by Load.mu
// until full is closed.
type watcher struct {
	match func(Answer) bool
	want  int
	got   []Answer
	full  chan struct{}
}

// run sends what is due at every tick; a late tick sends all that it missed.
func (l *Load) run(ctx context.Context) {
	defer close(l.done)
	var inFlight sync.WaitGroup
	defer inFlight.Wait()
	last, due := time.Now(), 0.0
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for sent := 0; ; {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			due += max(0, now.Sub(last).Seconds()) * float64(l.rate.Load())
			last = now
			for ; due >= 1; due, sent = due-1, sent+1 {
				url := l.opts.URLs[sent%len(l.opts.URLs)]
				inFlight.Go(func() { l.record(l.Ask(url)) })
			}
		}
	}
}

// Ask sends one request of the load to url. It is not counted.
func (l *Load) Ask(url string) Answer {
	a := Answer{URL: url, Sent: time.Now()}
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if l.opts.Body != nil {
		method, body = http.MethodPost, bytes.NewReader(l.opts.Body)
	}
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		a.Err = err
		return a
	}
	maps.Copy(req.Header, l.opts.Header)
	req.Host = l.opts.Host
	if l.opts.Users > 0 {
		a.User = strconv.Itoa(rand.IntN(l.opts.Users))
		req.Header.Set("x-user", a.User)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.client.Do(req)
	if err == nil {
		a.Status, a.Color, a.Header = resp.StatusCode, resp.Header.Get("x-model-color"), resp.Header
		if l.opts.ColorOf == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		} else {
			var answered []byte
			answered, err = io.ReadAll(resp.Body)
			a.Color = l.opts.ColorOf(answered)
		}
		resp.Body.Close()
	}
	a.Err, a.Took = err, time.Since(a.Sent)
	return a
}

func (l *Load) record(a Answer) {
	const keep = 20
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Requests++
	l.counts.ByColor[a.Color]++
	switch {
	case !a.Failed():
	case l.opts.Expected != nil && l.opts.Expected(a):
		l.counts.Expected++
	default:
		l.counts.Unexpected++
		if len(l.counts.Failures) < keep {
			l.counts.Failures = append(l.counts.Failures, a)
		}
	}
	for w := range l.watchers {
		if !w.match(a) {
			continue
		}
		if w.got = append(w.got, a); len(w.got) == w.want {
			delete(l.watchers, w)
			close(w.full)
		}
	}
}
