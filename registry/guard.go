package registry

import (
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// DefaultSettle is how long a suspicious answer must stand before it is believed.
const DefaultSettle = 30 * time.Second

// Below dropFrom ready instances, or for a loss of at most dropBy of them, a
// drop is not sudden: small models lose half of their instances by losing one.
const (
	dropFrom = 4
	dropBy   = 2
)

// guard decides, for one model, whether an answer of the registry is believed
// or the last good set stands. It does no I/O and reads no clock: whoever owns
// it tells it the time and calls tick when a ruling's wake has come.
//
// A registry that fails is not a model that fails. Instances that vanish while
// their registry is in trouble are most likely still serving, and taking them
// out of Envoy would turn the registry's outage into the users'.
type guard struct {
	subject string        // what the problems speak of: the model's name
	settle  time.Duration // see DefaultSettle
	// afterErrors: an answer right after an error is suspicious, too, because a
	// registry that restarts may start all its checks as critical.
	afterErrors bool

	good *rollout.EndpointSet // the last believed set, without a problem; nil before
	raw  *rollout.EndpointSet // the newest answer; nil before the first and while failing
	// failure is the registry's error while it fails; empty otherwise.
	failure string
	// since is when the present trouble began; zero while good is the truth.
	since time.Time

	// suspect: the registry was in trouble, and its answers are weighed against
	// stood until settle after back. While back is zero it has not recovered.
	suspect bool
	stood   counts
	back    time.Time
	// dropped is when a sudden drop was first seen; zero when there is none.
	dropped time.Time
}

// ruling is a decision of the guard.
type ruling struct {
	set rollout.EndpointSet
	// known is false when there is nothing to emit yet.
	known bool
	// wake is when tick must be called; zero when time alone changes nothing.
	wake time.Time
}

// counts is the number of ready endpoints of each color.
type counts struct{ blue, green int }

func (c counts) total() int { return c.blue + c.green }

func count(s *rollout.EndpointSet) counts {
	if s == nil {
		return counts{}
	}
	return counts{len(s.Blue), len(s.Green)}
}

// newGuard begins with last, the last good set from disk, or with nil.
func newGuard(subject string, settle time.Duration, afterErrors bool, last *rollout.EndpointSet) *guard {
	g := &guard{subject: subject, settle: settle, afterErrors: afterErrors}
	if last != nil {
		good := *last
		good.Problem, good.Since = "", time.Time{}
		g.good = &good
	}
	return g
}

// fail says that the registry can't be asked; problem says why.
func (g *guard) fail(now time.Time, problem string) ruling {
	if g.afterErrors {
		g.doubt(now)
	}
	g.raw, g.failure, g.dropped = nil, problem, time.Time{}
	return g.hold(now, time.Time{}, problem)
}

// answer takes a whole answer. faulty says that the registry had trouble since
// the answer before, even if it told no error.
func (g *guard) answer(now time.Time, raw rollout.EndpointSet, faulty bool) ruling {
	if faulty && g.afterErrors {
		g.doubt(now)
	}
	g.raw, g.failure = &raw, ""
	return g.judge(now)
}

// tick judges the newest answer again because time has passed.
func (g *guard) tick(now time.Time) ruling {
	switch {
	case g.failure != "":
		return g.hold(now, time.Time{}, g.failure)
	case g.raw == nil:
		return ruling{}
	}
	return g.judge(now)
}

// judge applies the rules to g.raw; docs/registry.md lists them for operators.
func (g *guard) judge(now time.Time) ruling {
	was, is := count(g.good), count(g.raw)
	if was.total() == 0 {
		return g.believe()
	}
	if is.total() == 0 {
		g.doubt(now)
		g.dropped = time.Time{}
		return g.hold(now, time.Time{}, fmt.Sprintf(
			"registry answered with no ready instance of %s where %s stood; the last good set stands", g.subject, was))
	}
	if g.suspect {
		if r, decided := g.judgeRecovery(now, is); decided {
			return r
		}
	}
	if sudden(was, is) {
		if g.dropped.IsZero() {
			g.dropped = now
		}
		if until := g.dropped.Add(g.settle); now.Before(until) {
			return g.hold(now, until, g.shrunk("registry suddenly answered", was, is))
		}
	}
	return g.believe()
}

// judgeRecovery weighs an answer that is not empty against what stood before
// the trouble. It decides nothing when the answer is not suspicious.
func (g *guard) judgeRecovery(now time.Time, is counts) (ruling, bool) {
	if g.back.IsZero() {
		g.back = now
	}
	until := g.back.Add(g.settle)
	if !now.Before(until) {
		g.suspect = false
		if g.since.IsZero() || !g.dropped.IsZero() {
			return ruling{}, false // it had come back; what is now is another matter
		}
		return g.believe(), true
	}
	if 2*is.blue >= g.stood.blue && 2*is.green >= g.stood.green {
		return ruling{}, false
	}
	return g.hold(now, until, g.shrunk("registry is back and answered", g.stood, is)), true
}

func (g *guard) shrunk(how string, was, is counts) string {
	return fmt.Sprintf("%s with %s of %s ready where %s stood; the last good set stands for up to %s",
		how, is, g.subject, was, g.settle)
}

// doubt makes the next answers suspicious. What stood when doubts began stays
// the measure while they last: a set that shrinks by halves gets no further.
func (g *guard) doubt(now time.Time) {
	over := !g.back.IsZero() && !now.Before(g.back.Add(g.settle))
	if !g.suspect || over {
		g.stood = count(g.good)
	}
	g.suspect, g.back = true, time.Time{}
}

func (g *guard) believe() ruling {
	g.good = g.raw
	g.since, g.dropped = time.Time{}, time.Time{}
	return ruling{set: *g.good, known: true}
}

func (g *guard) hold(now, wake time.Time, problem string) ruling {
	if g.since.IsZero() {
		g.since = now
	}
	if g.good == nil {
		return ruling{wake: wake}
	}
	set := *g.good
	set.Problem, set.Since = problem, g.since
	return ruling{set: set, known: true, wake: wake}
}

// sudden reports whether one answer lost more than instances do by themselves.
// One color gone while the other is intact is what a decommission looks like,
// or a bad model: that is the truth, and switches depend on hearing it.
func sudden(was, is counts) bool {
	loss := was.total() - is.total()
	if was.total() < dropFrom || loss <= dropBy || 2*is.total() >= was.total() {
		return false
	}
	blueGone := was.blue > 0 && is.blue == 0 && 2*is.green >= was.green
	greenGone := was.green > 0 && is.green == 0 && 2*is.blue >= was.blue
	return !blueGone && !greenGone
}

// String reads "3 blue and 2 green"; a color with none is left out.
func (c counts) String() string {
	switch {
	case c.green == 0:
		return fmt.Sprintf("%d %s", c.blue, policy.Blue)
	case c.blue == 0:
		return fmt.Sprintf("%d %s", c.green, policy.Green)
	}
	return fmt.Sprintf("%d %s and %d %s", c.blue, policy.Blue, c.green, policy.Green)
}
