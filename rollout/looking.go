package rollout

import (
	"time"
)

// lookEvery is how often it is written down that users' traffic is looked at although no
// window comes.
const lookEvery = time.Minute

// looksAt is when that is due; zero while no clock runs by what is looked at.
func (s State) looksAt() time.Time {
	switch last := s.Judging.Last; {
	case last.IsZero():
		return time.Time{}
	case s.Phase == Shadowing, s.Phase == Holding, s.Phase == Baking:
		return last.Add(lookEvery)
	default:
		return time.Time{}
	}
}

// noteLooked keeps a restart from taking hours without a request for hours in which
// nobody looked.
func (t *turn) noteLooked() {
	if at := t.s.looksAt(); !at.IsZero() && t.due(at) {
		t.s.Judging.Last = t.now
	}
}

// unwatched is how long nobody looked at users' traffic before now.
func (t *turn) unwatched() time.Duration {
	if t.s.looksAt().IsZero() {
		return 0
	}
	return max(0, min(t.now.Sub(t.s.Judging.Last), t.now.Sub(t.s.Since)))
}
