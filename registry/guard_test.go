package registry

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greenlight/rollout"
)

var epoch = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// at is so many seconds after the epoch.
func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// told is one thing that happens to a guard, and what it must rule.
type told struct {
	second      int
	blue, green int    // the answer
	fails       bool   // instead: the registry fails
	ticks       bool   // instead: time has passed
	want        counts // of the emitted set
	problem     string // part of the problem; empty: there must be none
	since       int    // second that the problem began
	nothing     bool   // nothing may be emitted
	wake        int    // second of the next wake-up; 0: none
}

func TestGuardRules(t *testing.T) {
	three := some(3, 2)
	for name, story := range map[string]struct {
		last  *rollout.EndpointSet
		trust bool // errors make no answer suspicious
		told  []told
	}{
		"a first empty answer is the truth": {told: []told{{}}},
		"nothing is known until the first answer": {told: []told{
			{fails: true, nothing: true},
			{second: 3, blue: 1, want: counts{1, 0}},
		}},
		"the last good set from disk stands when the registry can't be reached": {last: &three, told: []told{
			{fails: true, want: counts{3, 2}, problem: "connection refused"},
			{second: 2, fails: true, want: counts{3, 2}, problem: "connection refused"},
			{second: 5, blue: 3, green: 3, want: counts{3, 3}},
		}},
		"an emptied catalog is never believed": {told: []told{
			{blue: 3, green: 2, want: counts{3, 2}},
			{second: 1, want: counts{3, 2}, since: 1,
				problem: "registry answered with no ready instance of fraud where 3 blue and 2 green stood; the last good set stands"},
			{second: 9999, ticks: true, want: counts{3, 2}, since: 1, problem: "no ready instance"},
		}},
		"one color gone while the other is intact is the truth": {told: []told{
			{blue: 9, green: 9, want: counts{9, 9}},
			{second: 1, blue: 9, want: counts{9, 0}},
			{second: 2, blue: 5, want: counts{5, 0}},
		}},
		"one color gone while the other lost most is a sudden drop": {told: []told{
			{blue: 4, green: 4, want: counts{4, 4}},
			{second: 1, blue: 1, want: counts{4, 4}, problem: "suddenly", since: 1, wake: 31},
			{second: 31, ticks: true, blue: 1, want: counts{1, 0}},
		}},
		"a sudden drop that ends was none": {told: []told{
			{blue: 8, want: counts{8, 0}},
			{second: 1, blue: 2, want: counts{8, 0}, problem: "suddenly answered with 2 blue of fraud ready where 8 blue stood", since: 1, wake: 31},
			{second: 9, blue: 7, want: counts{7, 0}},
			{second: 40, blue: 1, want: counts{7, 0}, problem: "suddenly", since: 40, wake: 70},
		}},
		"small models drop by losing one": {told: []told{
			{blue: 3, want: counts{3, 0}},
			{second: 1, blue: 1, want: counts{1, 0}},
		}},
		"a restarted agent's critical checks take nothing away": {told: []told{
			{blue: 4, green: 2, want: counts{4, 2}},
			{second: 10, fails: true, want: counts{4, 2}, problem: "connection refused", since: 10},
			{second: 20, want: counts{4, 2}, problem: "no ready instance", since: 10},
			{second: 21, blue: 1, want: counts{4, 2}, problem: "is back", since: 10, wake: 51},
			{second: 22, blue: 3, want: counts{4, 2}, problem: "is back", since: 10, wake: 51},
			{second: 23, blue: 3, green: 1, want: counts{3, 1}},
			{second: 24, blue: 4, green: 2, want: counts{4, 2}},
		}},
		"what is still missing after the settle time is gone": {told: []told{
			{blue: 4, green: 2, want: counts{4, 2}},
			{second: 10, fails: true, want: counts{4, 2}, problem: "connection refused", since: 10},
			{second: 20, blue: 4, want: counts{4, 2}, problem: "is back and answered with 4 blue of fraud", since: 10, wake: 50},
			{second: 49, ticks: true, want: counts{4, 2}, problem: "is back", since: 10, wake: 50},
			{second: 50, ticks: true, want: counts{4, 0}},
		}},
		"a set can't shrink by halves while it is suspicious": {told: []told{
			{blue: 4, want: counts{4, 0}},
			{second: 10, fails: true, want: counts{4, 0}, problem: "connection refused", since: 10},
			{second: 11, blue: 2, want: counts{2, 0}},
			{second: 12, blue: 1, want: counts{2, 0}, problem: "is back", since: 12, wake: 41},
		}},
		"long after a recovery the usual rules hold again": {told: []told{
			{blue: 4, green: 4, want: counts{4, 4}},
			{second: 10, fails: true, want: counts{4, 4}, problem: "connection refused", since: 10},
			{second: 11, blue: 4, green: 4, want: counts{4, 4}},
			{second: 99, blue: 4, want: counts{4, 0}},
		}},
		"a file that was broken is believed once it is whole": {trust: true, told: []told{
			{blue: 3, green: 3, want: counts{3, 3}},
			{second: 1, fails: true, want: counts{3, 3}, problem: "connection refused", since: 1},
			{second: 2, blue: 3, want: counts{3, 0}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuard("fraud", DefaultSettle, !story.trust, story.last)
			for _, e := range story.told {
				checkRuling(t, e, tell(g, e))
			}
		})
	}
}

func tell(g *guard, e told) ruling {
	switch {
	case e.fails:
		return g.fail(at(e.second), "consul: connection refused")
	case e.ticks:
		return g.tick(at(e.second))
	}
	return g.answer(at(e.second), some(e.blue, e.green), false)
}

func checkRuling(t *testing.T, e told, r ruling) {
	t.Helper()
	if r.known == e.nothing {
		t.Fatalf("second %d: emits = %v, want %v", e.second, r.known, !e.nothing)
	}
	if e.nothing {
		return
	}
	if got := count(&r.set); got != e.want {
		t.Errorf("second %d: emitted %s, want %s (%s)", e.second, got, e.want, r.set.Problem)
	}
	if (r.set.Problem == "") != (e.problem == "") || !strings.Contains(r.set.Problem, e.problem) {
		t.Errorf("second %d: problem %q, want %q", e.second, r.set.Problem, e.problem)
	}
	if e.problem != "" && !r.set.Since.Equal(at(e.since)) {
		t.Errorf("second %d: since %s, want %s", e.second, r.set.Since, at(e.since))
	}
	var wake time.Time
	if e.wake != 0 {
		wake = at(e.wake)
	}
	if !r.wake.Equal(wake) {
		t.Errorf("second %d: wake %s, want %s", e.second, r.wake, wake)
	}
}

func TestGuardSuspectsAnAnswerAfterASilentFault(t *testing.T) {
	g := newGuard("fraud", DefaultSettle, true, nil)
	g.answer(at(0), some(3, 3), false)
	r := g.answer(at(1), some(3, 0), true)
	if count(&r.set) != (counts{3, 3}) || r.set.Problem == "" {
		t.Errorf("believed an answer after an index that went backwards: %+v", r)
	}
}

func TestGuardForgetsTheProblemOfTheLastGoodSet(t *testing.T) {
	last := some(1, 1)
	last.Problem, last.Since = "old", at(0)
	g := newGuard("fraud", DefaultSettle, true, &last)
	if r := g.answer(at(9), some(1, 1), false); r.set.Problem != "" || !r.set.Since.IsZero() {
		t.Errorf("an old problem came back: %+v", r.set)
	}
	if last.Problem != "old" {
		t.Error("the caller's set was changed")
	}
}

// TestGuardProperties runs random stories and checks what must hold of all.
func TestGuardProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var last *rollout.EndpointSet
		if rapid.Bool().Draw(t, "last") {
			s := some(rapid.IntRange(0, 9).Draw(t, "lastBlue"), rapid.IntRange(0, 9).Draw(t, "lastGreen"))
			last = &s
		}
		g := newGuard("fraud", DefaultSettle, rapid.Bool().Draw(t, "afterErrors"), last)
		hadAny := last != nil && count(last).total() > 0
		now := epoch
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 45000).Draw(t, "ms")) * time.Millisecond)
			r, truth := drawEvent(t, g, now)
			if !r.known {
				continue
			}
			if hadAny && count(&r.set).total() == 0 {
				t.Fatalf("emitted an empty set where endpoints stood")
			}
			hadAny = hadAny || count(&r.set).total() > 0
			isTruth := truth != nil && same(*truth, without(r.set))
			if (r.set.Problem == "") != isTruth {
				t.Fatalf("problem %q, but emitted %s", r.set.Problem, count(&r.set))
			}
			if (r.set.Problem == "") != r.set.Since.IsZero() || r.set.Since.After(now) {
				t.Fatalf("problem %q since %s at %s", r.set.Problem, r.set.Since, now)
			}
			if !r.wake.IsZero() && (!r.wake.After(now) || r.wake.After(now.Add(DefaultSettle))) {
				t.Fatalf("wake %s at %s", r.wake, now)
			}
		}
		settles(t, g, now)
	})
}

// drawEvent lets something happen; truth is the newest answer, nil while there is none.
func drawEvent(t *rapid.T, g *guard, now time.Time) (ruling, *rollout.EndpointSet) {
	switch rapid.IntRange(0, 4).Draw(t, "event") {
	case 0:
		return g.fail(now, "consul: down"), nil
	case 1:
		return g.tick(now), g.raw
	}
	s := some(rapid.IntRange(0, 9).Draw(t, "blue"), rapid.IntRange(0, 9).Draw(t, "green"))
	return g.answer(now, s, rapid.IntRange(0, 9).Draw(t, "faulty") == 0), &s
}

// settles checks that a stable answer that is not empty is emitted within the
// settle time, by following the wake-ups alone.
func settles(t *rapid.T, g *guard, now time.Time) {
	s := some(rapid.IntRange(1, 9).Draw(t, "stableBlue"), rapid.IntRange(0, 9).Draw(t, "stableGreen"))
	r := g.answer(now, s, false)
	for range 3 {
		if r.set.Problem == "" {
			break
		}
		if r.wake.IsZero() {
			t.Fatalf("holds for ever: %q", r.set.Problem)
		}
		r = g.tick(r.wake)
	}
	if r.set.Problem != "" || !same(s, r.set) {
		t.Fatalf("never emitted a stable answer: %q", r.set.Problem)
	}
}

func without(s rollout.EndpointSet) rollout.EndpointSet {
	s.Problem, s.Since = "", time.Time{}
	return s
}
