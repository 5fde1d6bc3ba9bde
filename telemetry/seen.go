package telemetry

import "time"

const (
	// turnSeen is how long the younger of the two sets is filled.
	turnSeen = 30 * time.Second
	// mostSeen bounds each set: 16 MB, which is 500,000 requests.
	mostSeen = 500_000
)

// seen remembers the requests of the last half minute to a minute, so that a
// report that comes twice is counted once.
type seen struct {
	young, old map[uint64]struct{}
	turned     time.Duration // since the server began
}

func newSeen(now time.Duration) *seen { return &seen{young: map[uint64]struct{}{}, turned: now} }

// twice reports whether print was seen before, and remembers it.
func (s *seen) twice(print uint64, now time.Duration) bool {
	if now-s.turned >= turnSeen || len(s.young) >= mostSeen {
		s.old, s.young, s.turned = s.young, make(map[uint64]struct{}, len(s.young)), now
	}
	if _, ok := s.young[print]; ok {
		return true
	}
	if _, ok := s.old[print]; ok {
		return true
	}
	s.young[print] = struct{}{}
	return false
}
