package telemetry

import (
	"sync"
	"time"
)

const (
	// forgetAfter is how long a node is remembered after its last report: longer than
	// a stream takes to come back, and than a report may be late.
	forgetAfter = 2 * time.Minute
	// mostHeard bounds the nodes that are remembered.
	mostHeard = 20_000
)

// heard is what is remembered of one node's reports, whatever streams they come on:
// an Envoy has several, and opens new ones.
type heard struct {
	mu     sync.Mutex
	seen   *seen
	clocks clockGap
	last   time.Duration // when it last reported, since the server began
}

// listeners are the nodes that report, of each log.
type listeners struct {
	mu    sync.Mutex
	nodes map[listened]*heard
}

type listened struct {
	source
	mirrored bool
}

// of is what is remembered of a node. A stranger beyond the bound is remembered by
// its stream alone.
func (l *listeners) of(who listened, now time.Duration) *heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.nodes[who]
	if h == nil {
		h = &heard{seen: newSeen(now), last: now}
		if len(l.nodes) < mostHeard {
			l.nodes[who] = h
		}
	}
	return h
}

// forget drops nodes that have long been silent.
func (l *listeners) forget(now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for who, h := range l.nodes {
		h.mu.Lock()
		silent := now-h.last > forgetAfter
		h.mu.Unlock()
		if silent {
			delete(l.nodes, who)
		}
	}
}
