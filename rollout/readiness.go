package rollout

import (
	"fmt"

	"greenlight/policy"
)

// headroom is how much more than it was seen to carry an instance is trusted to
// carry. A first guess: what was carried is a lower bound of what can be.
const headroom = 1.25

// Carried is the most that one instance of a color was seen to answer.
type Carried struct {
	Version string  `json:"version,omitempty"`
	Rate    float64 `json:"rate"` // requests a second for each ready instance
	// Endpoints is the most instances that were ready.
	Endpoints int `json:"endpoints"`
}

// Readiness says whether the old color could take all traffic now.
type Readiness struct {
	// Asked is false while there is no color to go back to; the rest says nothing then.
	Asked bool `json:"asked"`
	Ready bool `json:"ready"`
	// Short: the color is there and serves what it served, but too few instances of
	// it are ready. Then no more weight leaves it, and it does not retire.
	Short bool `json:"short,omitempty"`
	// Why says what is missing; empty when Ready.
	Why   string       `json:"why,omitempty"`
	Color policy.Color `json:"color,omitempty"`
	// Endpoints is how many of it are ready, Rate what all users ask for a second,
	// and Carried what one instance of it was seen to answer; 0 when not measured.
	Endpoints int     `json:"endpoints"`
	Rate      float64 `json:"rate"`
	Carried   float64 `json:"carried"`
}

// Readiness is that of the color that the running, or the last, switch came from.
func (s State) Readiness() Readiness {
	sw := s.Switch
	if sw == nil || !s.canReturn() {
		return Readiness{}
	}
	f := s.Facts
	r := Readiness{Asked: true, Color: sw.From, Endpoints: len(s.old()), Rate: f.rate()}
	if c := s.Carried.Of(sw.From); c.Version == sw.FromVersion {
		r.Carried = c.Rate
	}
	r.Why, r.Short = s.unready(r)
	if sw.Plan.Rolling != nil { // that is how it goes: the old ones make room
		r.Short = false
	}
	r.Ready = r.Why == ""
	return r
}

// canReturn reports whether going back is still meant to be possible: while a
// switch runs, and after it until the old color is let go.
func (s State) canReturn() bool {
	sw := s.Switch
	switch {
	case s.Phase == RollingBack:
		return false
	case s.Phase.Running():
		return true
	default:
		return sw.Outcome == Succeeded && sw.LetGo.IsZero() && s.Live == sw.To
	}
}

func (s State) unready(r Readiness) (why string, short bool) {
	sw, f := s.Switch, s.Facts
	least := Least(&sw.Plan)
	switch {
	case !f.EndpointsKnown:
		return unanswered, false
	case !f.trusted():
		return "the registry is not trusted: " + f.Endpoints.Problem, false
	case r.Endpoints > 0 && f.version(sw.From) != sw.FromVersion:
		return fmt.Sprintf("%s no longer serves %q but %q", sw.From, sw.FromVersion, f.version(sw.From)), false
	case sw.Plan.Rolling != nil && s.Rolled.Total > 0 && r.Endpoints < s.enoughToReturn():
		return fmt.Sprintf("%d of %d instances of %s are in service, and it takes %d: the others have to come back first",
			r.Endpoints, s.Rolled.Total, sw.From, s.enoughToReturn()), false
	case r.Endpoints < least:
		gone := r.Endpoints+f.Endpoints.Unready[sw.From] == 0
		return fmt.Sprintf("%s has %s and needs %d", sw.From, count(r.Endpoints, "ready endpoint"), least), !gone
	case r.Endpoints >= s.Carried.Of(sw.From).Endpoints:
		return "", false // it has all that it ever had: more users than before are no matter of the switch
	case r.Rate > 0 && r.Carried > 0 && float64(r.Endpoints)*r.Carried*headroom < r.Rate:
		return fmt.Sprintf("%s has %s, which answered %s requests a second each at most; users ask for %s a second",
			sw.From, count(r.Endpoints, "ready endpoint"), figure(r.Carried), figure(r.Rate)), true
	default:
		return "", false
	}
}

func figure(v float64) string { return fmt.Sprintf("%g", rounded(v)) }

// noteCarried remembers the most that the instances of each color carry. What they fail
// they do not carry, and what others carried a moment ago is not theirs. Small rises are
// not worth a journal's write.
func (t *turn) noteCarried() {
	f := t.s.Facts
	if !f.trusted() || len(f.Traffic.Recent) < 5 {
		return
	}
	since := f.Traffic.lately()[0].Begin
	for _, c := range policy.Colors {
		ready := f.ready(c)
		if ready == 0 {
			continue
		}
		if f.Resized.Of(c).After(since) {
			continue
		}
		rate, next := f.Traffic.carried(c)/float64(ready), t.s.Carried.Of(c)
		if version := f.version(c); next.Version != version {
			next = Carried{Version: version}
		}
		if rate > next.Rate*1.1 {
			next.Rate = rate
		}
		if rate > 0 {
			next.Endpoints = max(next.Endpoints, ready)
			*t.s.Carried.At(c) = next
		}
	}
}

// missingReturn keeps users where they are while they could not be sent back. It
// asks nothing of the first weight: the old color may be what the switch is to
// rescue users from.
func (t *turn) missingReturn() string {
	if !t.moved() {
		return ""
	}
	if r := t.s.Readiness(); r.Short {
		return "it could not go back: " + r.Why
	}
	return ""
}
