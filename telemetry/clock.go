package telemetry

import "time"

// clockGap learns how a node's clock differs from ours from what it sends. Our own
// time is what has passed since the server began, so that setting our clock changes
// nothing.
type clockGap struct {
	known bool
	least time.Duration
	// oldSince and youngSince are since when every report seemed old, or to come from
	// the future. A backlog ends soon, and so does a slip; what does not end is a clock
	// that was set.
	oldSince, youngSince *time.Duration
}

const (
	// relearnAfter is how long reports may seem old, or from the future, before the
	// clock is found changed.
	relearnAfter = 5 * time.Second
	// mostApart bounds how far two clocks may be apart, so that no sum overflows.
	mostApart = 100 * 365 * 24 * time.Hour
)

// age is how old a report is that comes at now: how much later than the quickest report
// so far. A clock that differs from ours differs in the same way for all reports. ended is
// when its request ended by the node's clock, since the server began by ours.
func (g *clockGap) age(now, ended time.Duration) time.Duration {
	took := now - min(max(ended, -mostApart), mostApart)
	if !g.known {
		g.known, g.least = true, took
	}
	switch ahead := g.least - took; {
	case ahead <= 0:
		g.youngSince = nil
	case ahead <= lateAfter:
		g.least, g.youngSince = took, nil
	case lasts(&g.youngSince, now):
		g.least, g.youngSince = took, nil
	default:
		return 0 // it is as new as can be, whatever its clock says
	}
	switch age := took - g.least; {
	case age <= lateAfter:
		g.oldSince = nil
	case lasts(&g.oldSince, now):
		g.least, g.oldSince = took, nil
	}
	return took - g.least
}

// lasts reports whether what began at since, or now, has lasted for long.
func lasts(since **time.Duration, now time.Duration) bool {
	if *since == nil {
		*since = &now
	}
	return now-**since > relearnAfter
}
