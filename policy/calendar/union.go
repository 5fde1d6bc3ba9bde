package calendar

import "time"

// union is the time that lies in any of several patterns.
type union []pattern

// state is whether an instant lies in a union and until when that stays so;
// until is zero if it stays so as far as can be seen.
type state struct {
	in    bool
	until time.Time
	cause Span // of the patterns that the instant lies in, the one that ends last
}

// search counts how many beginnings may still be looked at.
type search struct{ left int }

// spend takes one look, and reports whether there was one.
func (s *search) spend() bool {
	s.left--
	return s.left >= 0
}

func (s *search) over() bool { return s.left < 0 }

// known is t, or zero if the search was ended before t was sure.
func (s *search) known(t time.Time) time.Time {
	if s.over() {
		return time.Time{}
	}
	return t
}

// at tells the state at t. If limit is not zero, no more is asked than whether
// it lasts until then.
func (u union) at(t, limit time.Time, look *search) state {
	var s state
	last := t
	for _, p := range u {
		in, until := p.at(t, limit, look)
		switch {
		case in && (until.IsZero() || until.After(last)):
			if !last.IsZero() {
				s.in, s.cause, last = true, p.span, until
			}
		case !in && !s.in:
			s.until = earlier(s.until, until)
		}
	}
	if s.in {
		s.until = u.extend(last, limit, look)
	}
	return s
}

// extend follows the stretches that overlap or touch until none goes on.
func (u union) extend(end, limit time.Time, look *search) time.Time {
	for grows := true; grows && !end.IsZero(); {
		grows = false
		for _, p := range u {
			if reached(end, limit) {
				return end
			}
			in, until := p.at(end, limit, look)
			if look.over() || in && until.IsZero() {
				return time.Time{}
			}
			if in {
				end, grows = until, true
			}
		}
	}
	return end
}

func reached(t, limit time.Time) bool { return !limit.IsZero() && !t.Before(limit) }
