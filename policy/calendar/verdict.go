package calendar

import (
	"fmt"
	"strings"
	"time"
)

// Verdict is what a calendar says of one instant.
type Verdict struct {
	// Open: inside a window, or there are none, and in no freeze.
	Open bool
	// Frozen: a freeze is why it is closed.
	Frozen bool
	// Why names the window or the freeze, with its reason, or the windows that
	// the instant is outside of.
	Why string
	// Until is when Open changes next, in UTC: Open is the same from the instant
	// asked for up to Until, and another at Until. Zero when no change is in
	// sight: there is none, or the search was given up after foresight beginnings
	// of windows and freezes, which only takes a calendar of many that touch.
	Until time.Time
	// When is Until as a clock in the calendar's zone shows it; empty if Until is zero.
	When string
}

// foresight bounds the search for the next change.
const foresight = 10_000

// At tells whether the calendar is open at t, why, and until when. Its work is
// bounded whatever the calendar.
func (c Calendar) At(t time.Time) Verdict { return c.at(t, &search{left: foresight}) }

func (c Calendar) at(t time.Time, look *search) Verdict {
	t = t.UTC().Round(0)
	frozen := c.freezes.at(t, time.Time{}, look)
	if frozen.in {
		why := "freeze " + c.named(frozen.cause)
		return c.verdict(Verdict{Frozen: true, Why: why}, c.opens(t, look))
	}
	if len(c.windows) == 0 {
		why := "no freeze is in force"
		if c.IsZero() {
			why = "there is no calendar"
		}
		return c.verdict(Verdict{Open: true, Why: why}, look.known(frozen.until))
	}
	window := c.windows.at(t, frozen.until, look)
	if !window.in {
		return c.verdict(Verdict{Why: c.outside()}, c.opens(t, look))
	}
	return c.verdict(Verdict{Open: true, Why: "window " + c.named(window.cause)}, look.known(earlier(frozen.until, window.until)))
}

// opens is the first instant from t on that is open; zero if none is in sight.
func (c Calendar) opens(t time.Time, look *search) time.Time {
	for !look.over() {
		next := c.freezes.at(t, time.Time{}, look)
		if !next.in {
			if len(c.windows) == 0 {
				return look.known(t)
			}
			// Whether t is inside is all that is asked.
			if next = c.windows.at(t, t, look); next.in {
				return look.known(t)
			}
		}
		if t = next.until; t.IsZero() {
			break
		}
	}
	return time.Time{}
}

func (c Calendar) verdict(v Verdict, until time.Time) Verdict {
	v.Until = until
	if !until.IsZero() {
		v.When = until.In(c.zone()).Format("Mon 2006-01-02 15:04 MST")
	}
	return v
}

func (c Calendar) zone() *time.Location {
	for _, u := range []union{c.windows, c.freezes} {
		if len(u) > 0 {
			return u[0].zone
		}
	}
	return time.UTC
}

// named is a span in words, with the zone and its reason.
func (c Calendar) named(s Span) string {
	text := fmt.Sprintf("%s (%s)", s, c.plan.Zone)
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}

// namedWindows is how many windows are named before the rest is counted.
const namedWindows = 3

func (c Calendar) outside() string {
	var names []string
	for i, s := range c.plan.Windows {
		if i == namedWindows {
			names = append(names, fmt.Sprintf("%d more", len(c.plan.Windows)-i))
			break
		}
		names = append(names, s.String())
	}
	noun := "windows"
	if len(c.plan.Windows) == 1 {
		noun = "window"
	}
	return fmt.Sprintf("outside the %s %s (%s)", noun, strings.Join(names, "; "), c.plan.Zone)
}

// earlier is the earlier of two instants, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
