package rollout

import (
	"slices"
	"time"

	"greenlight/policy"
)

// routed is users' requests of w that were routed by the present weights. A
// report that does not tell the weights counts from when they were published.
func (t *turn) routed(w Window) ByColor[Tally] {
	return usersOf(w, func(reported Weights) bool { return t.routedNow(reported, w) })
}

// routedBefore is users' requests of w that earlier steps of the switch routed: they took
// longer than their step. They are no matter of the present step's share and counts, but
// what is slow would never be judged if they were left out. Earlier steps sent fewer of
// their requests to the target, so that the slow ones among them don't speak against it.
func (t *turn) routedBefore(w Window) ByColor[Tally] {
	return usersOf(w, func(reported Weights) bool {
		return reported != t.s.Weights && slices.ContainsFunc(t.s.Switch.Transitions, func(tr Transition) bool {
			return tr.To == Confirming && tr.Weights == reported
		})
	})
}

// routedNow reports whether requests of w that were reported with these weights were
// routed by the present ones.
func (t *turn) routedNow(reported Weights, w Window) bool {
	untold := reported == Weights{}
	return reported == t.s.Weights || untold && !w.Begin.Before(t.s.Judging.Since)
}

// haveEnded reports whether requests that began with the present weights, and take so long,
// are all reported by the time of w.
func (t *turn) haveEnded(w Window, took time.Duration) bool {
	return !w.Begin.Before(t.s.Judging.Since.Add(took + t.s.Facts.Traffic.slowestReport()))
}

// usersOf adds up users' requests of w that were routed by such weights.
func usersOf(w Window, by func(Weights) bool) ByColor[Tally] {
	var out ByColor[Tally]
	for _, r := range w.Users {
		if !by(r.Weights) {
			continue
		}
		for _, c := range policy.Colors {
			at := out.At(c)
			*at = at.Plus(r.Colors.Of(c))
		}
	}
	return out
}

// begun is a with the requests that must be under way, where share of all users' requests
// go there. In the first moments after a publish only what is quick has ended, failures
// above all, and that many of what has begun are no share that anybody meets.
func (t *turn) begun(a Tally, w Window, share policy.Weight) Tally {
	if a.Requests == 0 || t.haveEnded(w, t.s.Judging.Record.Slowest()) {
		return a
	}
	all := usersOf(w, func(Weights) bool { return true })
	a.Requests = max(a.Requests, (all.Blue.Requests+all.Green.Requests)*int(share)/int(policy.Full))
	return a
}
