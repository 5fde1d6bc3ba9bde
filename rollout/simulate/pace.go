package simulate

import (
	"time"

	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// How long the windows of users' requests are. In production each is a second. Here
// they are as long while it matters, and longer in long times in which nothing changes.
const (
	second = time.Second
	// fineFor is how long windows stay a second long after a change, fineBefore from
	// when on they are before the world is told to change.
	fineFor    = 10 * time.Minute
	fineBefore = 2 * time.Minute
	// coarseFor is how long after a change they are no longer than coarse; nor are
	// they ever at a step or in a shadow, where a number of requests is waited for.
	coarseFor = time.Hour
	coarse    = 10 * time.Second
	coarsest  = 5 * time.Minute
	// undecidedFor is how long a comparison that speaks against the new color keeps
	// them a second long.
	undecidedFor = 6 * time.Hour
)

// closeWindow ends the open window, tells it, and plans the end of the next.
func (w *World) closeWindow() {
	w.passTraffic()
	if w.down {
		return
	}
	if window := w.users.close(w.now); window != nil {
		w.apply(rollout.Measured{Windows: []rollout.Window{*window}})
	}
	w.planHere(w.windowLength(), w.closeWindow)
}

// windowLength is how long the window that begins now is. A long one ends before
// anything else happens.
func (w *World) windowLength() time.Duration {
	length := w.calm()
	if length == second {
		return second
	}
	ends := w.now.Add(length)
	if next := w.queue.next(); next != nil && next.at.Before(ends) {
		ends = next.at
	}
	return max(second, w.before(ends).Sub(w.now).Truncate(second))
}

// calm is how closely it has to be looked at present.
func (w *World) calm() time.Duration {
	since := w.now.Sub(w.changed)
	switch {
	case since < fineFor, w.changesWithin(fineBefore), w.undecided() && since < undecidedFor:
		return second
	case since < coarseFor, w.state.Phase == rollout.Holding, w.state.Phase == rollout.Shadowing:
		return coarse
	default:
		return coarsest
	}
}

// checksTake is how long a check takes that takes so long. In long quiet times in
// which one run would say what the last one said it takes longer.
func (w *World) checksTake(takes time.Duration) time.Duration {
	if w.calm() < coarsest {
		return takes
	}
	return max(takes, w.before(w.now.Add(coarsest)).Sub(w.now))
}

// before is at, or when the model is woken or the world changed, if that is earlier.
func (w *World) before(at time.Time) time.Time {
	ends := at
	if wake := w.wake(); !wake.IsZero() && wake.Before(ends) {
		ends = wake
	}
	if at := w.nextChange(); !at.IsZero() && at.Add(-fineBefore).Before(ends) {
		ends = at.Add(-fineBefore)
	}
	return ends
}

func (w *World) changesWithin(d time.Duration) bool {
	at := w.nextChange()
	return !at.IsZero() && !at.After(w.now.Add(d))
}

// nextChange is when the world will next be changed; zero when it will not.
func (w *World) nextChange() time.Time {
	for len(w.Ahead) > 0 && !w.Ahead[0].After(w.now) {
		w.Ahead = w.Ahead[1:]
	}
	if len(w.Ahead) == 0 {
		return time.Time{}
	}
	return w.Ahead[0]
}

// undecided reports whether what users met speaks against the new color.
func (w *World) undecided() bool {
	sw := w.state.Switch
	if sw == nil || !w.state.Phase.Running() || sw.Plan.Judge.Off {
		return false
	}
	rules := sw.Plan.Judge
	c := judge.Config{
		Risk: rules.Risk, Errors: !rules.Errors.RelativeOff, ErrorTolerance: max(1, rules.Errors.Tolerate),
		Latency: !rules.Latency.RelativeOff, LatencyTolerance: max(1, rules.Latency.Tolerate),
	}
	j := w.state.Judging
	for _, f := range []judge.Finding{j.Test.Finding(c), j.Alone.Finding(c), j.Slowed.Finding(c)} {
		if f.Evidence > 1 && f.IdleRequests > 0 {
			return true
		}
	}
	return false
}
