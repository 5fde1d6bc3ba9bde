package telemetry

import (
	"math"
	"testing"
	"time"
)

// reports come once a second, each so long after its end by the node's clock.
func ages(g *clockGap, from time.Duration, took ...time.Duration) []time.Duration {
	var out []time.Duration
	for i, d := range took {
		now := from + time.Duration(i)*time.Second
		out = append(out, g.age(now, now-d))
	}
	return out
}

func repeat(d time.Duration, n int) []time.Duration {
	var out []time.Duration
	for range n {
		out = append(out, d)
	}
	return out
}

// A node's clock that is set, in either direction, costs no report but those of the
// seconds until that is found out, and none where it was set forward.
func TestANodesClockIsSet(t *testing.T) {
	var g clockGap
	ages(&g, 0, repeat(time.Second, 10)...)
	for i, age := range ages(&g, 10*time.Second, repeat(time.Second-time.Hour, 20)...) {
		if age > lateAfter {
			t.Errorf("set forward: report %d is %s old", i, age)
		}
	}
	late := 0
	for _, age := range ages(&g, 30*time.Second, repeat(time.Second, 20)...) {
		if age > lateAfter {
			late++
		}
	}
	if late > int(relearnAfter/time.Second)+1 {
		t.Errorf("set back again: %d of 20 reports count as late", late)
	}
}

// One report with a senseless time does not make the others late, nor does it overflow.
func TestSenselessTimesPoisonNothing(t *testing.T) {
	for _, odd := range []time.Duration{math.MaxInt64, math.MinInt64, 50 * 365 * 24 * time.Hour, -50 * 365 * 24 * time.Hour} {
		var g clockGap
		ages(&g, 0, repeat(time.Second, 5)...)
		g.age(5*time.Second, odd)
		for i, age := range ages(&g, 6*time.Second, repeat(time.Second, 20)...) {
			if age != 0 {
				t.Errorf("after %s: report %d is %s old", odd, i, age)
			}
		}
		if g.age(26*time.Second, 26*time.Second-2*time.Minute) <= lateAfter {
			t.Errorf("after %s: what is late is no longer found late", odd)
		}
	}
}

// A backlog that comes at once is late; it is no clock that was set.
func TestABacklogIsLate(t *testing.T) {
	var g clockGap
	ages(&g, 0, repeat(time.Second, 5)...)
	for range 100 {
		if age := g.age(10*time.Second, 10*time.Second-5*time.Minute); age < lateAfter {
			t.Fatalf("a report of five minutes ago is %s old", age)
		}
	}
}
