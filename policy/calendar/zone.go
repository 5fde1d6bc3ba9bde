package calendar

import (
	"fmt"
	"regexp"
	"sync"
	"time"
	_ "time/tzdata" // for machines without a zone database
)

// wall is what a clock on the wall shows: seconds since 1970-01-01 00:00 by
// that clock.
type wall int64

const dayLength wall = 24 * 3600

// zones holds each zone once, so that equal calendars are deeply equal: what
// time.LoadLocation returns remembers when it was loaded.
var zones sync.Map

func load(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	loaded, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	zone, _ := zones.LoadOrStore(name, loaded)
	return zone.(*time.Location), nil
}

// zoneSyntax leaves out what zone databases hold besides zones, and those with
// leap seconds (right/…).
var zoneSyntax = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}$`)

// ZoneFault says what is wrong with the name of a time zone, or nothing.
func ZoneFault(name string) string {
	if name == "Local" {
		return "Local is another zone on another machine; write a name like Europe/Berlin, or UTC"
	}
	if !zoneSyntax.MatchString(name) || len(name) > 64 {
		return "a time zone is written like Europe/Berlin, or UTC"
	}
	if _, err := load(name); err != nil {
		return "there is no time zone of this name; write one of the IANA database, like Europe/Berlin, or UTC"
	}
	return ""
}

// wallOf is what a clock in the zone shows at t.
func wallOf(t time.Time, zone *time.Location) wall {
	return wall(t.Unix() + offsetAt(t.Unix(), zone))
}

// offsetAt is how far the zone's clocks are ahead of UTC, in seconds.
func offsetAt(unix int64, zone *time.Location) int64 {
	_, offset := time.Unix(unix, 0).In(zone).Zone()
	return int64(offset)
}

// instants are the first and the last instant at which a clock in the zone
// shows w: the same one on most days, and the one after the gap for a reading
// that is skipped. Zones do not change twice within two days.
//
// It does without time.ZoneBounds, which ends a period before it begins on the
// last day of leap years to come.
func instants(w wall, zone *time.Location) (first, last time.Time) {
	before, after := offsetAt(int64(w)-jump, zone), offsetAt(int64(w)+jump, zone)
	early, late := int64(w)-before, int64(w)-after
	switch {
	case before == after:
	case before < after && offsetAt(early, zone) != before && offsetAt(late, zone) != after:
		// Skipped: the clock was changed after late and not after early.
		early = changed(late, early, before, zone)
		late = early
	case offsetAt(early, zone) != before:
		early = late
	case offsetAt(late, zone) != after:
		late = early
	}
	return time.Unix(early, 0).UTC(), time.Unix(late, 0).UTC()
}

// changed finds the first second after low, and not after high, at which the
// zone's offset is not before any more.
func changed(low, high, before int64, zone *time.Location) int64 {
	for low+1 < high {
		if middle := low + (high-low)/2; offsetAt(middle, zone) == before {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
