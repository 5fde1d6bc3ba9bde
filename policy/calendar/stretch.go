package calendar

import "time"

// A clock reading is not an instant. In spring there are readings that no clock
// shows, and in autumn others that it shows twice:
//
//   - one that is skipped means the instant after the gap;
//   - of one that comes twice, a freeze takes the first to begin and the second
//     to end, and a window the second to begin and the first to end. So while a
//     clock shows a time of a freeze it is frozen, and while a window is open a
//     clock shows a time of it: both err on the side of not moving;
//   - a window that lies within the hour that comes twice is open the first time;
//   - what begins by cron begins the first time and lasts as long as `for` says,
//     by a stopwatch; a freeze that begins in the hour that comes twice lasts so
//     long from the second.

// pattern is a span in a zone: stretches of time, in order.
type pattern struct {
	span   Span
	zone   *time.Location
	freeze bool
	begins beginnings
	// length is by the clock on the wall, and elapsed by a stopwatch; one is set.
	length  wall
	elapsed time.Duration
	// always: every day, all day.
	always bool
}

// beginnings tells the clock readings at which stretches begin.
type beginnings interface {
	// next is the first at w or later.
	next(w wall) (wall, bool)
}

// jump is more than any zone has ever put its clocks.
const jump = 27 * 3600

// at reports whether t lies in a stretch, and until when that stays so: with
// touching and overlapping stretches taken together, and if limit is not zero,
// only as far as that. Zero: as far as can be seen.
func (p pattern) at(t, limit time.Time, look *search) (in bool, until time.Time) {
	if p.always {
		return true, time.Time{}
	}
	end := t
	from := wallOf(t, p.zone) - p.length - wall(p.elapsed/time.Second) - jump
	for begin, ok := p.begins.next(from); ok; begin, ok = p.begins.next(begin + 1) {
		first, last := p.stretch(begin)
		// What has begun decides whether t lies inside: a search that is over
		// still tells that, and no more.
		if !look.spend() && first.After(t) {
			return end.After(t), time.Time{}
		}
		switch {
		case !last.After(end) || !first.Before(last):
			continue // over already, or skipped by the clock
		case first.After(end) && !end.After(t):
			return false, first
		case first.After(end) || end.After(t) && reached(end, limit):
			return true, end
		}
		end = last
	}
	if end.After(t) {
		return true, end
	}
	return false, time.Time{}
}

// stretch is the time from the instant at which the clock shows begin.
func (p pattern) stretch(begin wall) (first, last time.Time) {
	early, late := instants(begin, p.zone)
	if p.elapsed > 0 {
		if p.freeze {
			return early, late.Add(p.elapsed)
		}
		return early, early.Add(p.elapsed)
	}
	endEarly, endLate := instants(begin+p.length, p.zone)
	switch {
	case p.freeze:
		return early, endLate
	case late.Before(endEarly):
		return late, endEarly
	default:
		return early, endEarly
	}
}
