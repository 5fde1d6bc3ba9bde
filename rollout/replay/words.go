package replay

import (
	"fmt"
	"time"

	"greenlight/rollout"
)

// ending is how a switch ended, or stood, and when that was decided.
type ending struct {
	outcome rollout.Outcome
	held    bool
	at      time.Time
	phase   rollout.Phase
	weights rollout.Weights
	cause   string
}

// endingOf looks at when a way back began, and not at when it was confirmed.
func endingOf(sw rollout.Switch) ending {
	e := ending{outcome: sw.Outcome, at: sw.Ended, cause: sw.Cause}
	for _, tr := range sw.Transitions {
		if tr.To == rollout.RollingBack {
			e.at = tr.At
			if e.outcome == "" {
				e.outcome = rollout.RolledBack
			}
		}
		e.phase, e.weights = tr.To, tr.Weights
	}
	if n := len(sw.Transitions); n > 0 && e.phase == rollout.Held {
		e.held, e.at = true, sw.Transitions[n-1].At
	}
	return e
}

// Same reports whether both ended alike, and about when.
func (r Result) Same() bool {
	sw := r.Replayed.Switch
	if sw == nil {
		return false
	}
	a, b := endingOf(r.Recorded), endingOf(*sw)
	return a.outcome == b.outcome && a.held == b.held && a.at.Sub(b.at).Abs() <= alike+r.lost
}

// alike is how far two moments may be apart to count as one: windows of users' requests
// are about a second, and a full recording has longer ones.
const alike = 5 * time.Second

// Verdict says in one sentence how the replay ended, against the recorded switch.
func (r Result) Verdict() string {
	sw := r.Replayed.Switch
	if sw == nil {
		return "would not have begun: " + r.refused()
	}
	old, now := endingOf(r.Recorded), endingOf(*sw)
	switch {
	case now.outcome == "" && !now.held:
		return fmt.Sprintf("would not have been decided by %s, where the recording ends: it stood at %s, %s to %s; what came after can't be known (%s)",
			clock(r.Until), now.phase, now.weights.Of(sw.To), sw.To, old.recorded())
	case r.Same():
		return fmt.Sprintf("the same: %s at %s%s", now.words(), clock(now.at), now.because())
	case now.outcome == old.outcome && now.held == old.held:
		return fmt.Sprintf("would have %s at %s, %s the recorded switch did%s", now.did(), clock(now.at), apart(now.at, old.at), now.because())
	default:
		return fmt.Sprintf("would have %s at %s%s (%s)", now.did(), clock(now.at), now.because(), old.recorded())
	}
}

func (r Result) refused() string {
	for _, l := range r.Story {
		if l.Transition == nil {
			return l.Text
		}
	}
	return "its start was refused"
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// apart is "2m before" or "30s after".
func apart(a, b time.Time) string {
	d := a.Sub(b).Round(time.Second)
	if d < 0 {
		return (-d).String() + " before"
	}
	return d.String() + " after"
}

func (e ending) words() string {
	if e.held {
		return "held"
	}
	return map[rollout.Outcome]string{
		rollout.Succeeded: "succeeded", rollout.Refused: "refused", rollout.RolledBack: "rolled back", rollout.Aborted: "aborted",
	}[e.outcome]
}

func (e ending) did() string {
	switch {
	case e.held:
		return "been held"
	case e.outcome == rollout.Refused, e.outcome == rollout.Aborted:
		return "been " + e.words()
	default:
		return e.words()
	}
}

func (e ending) because() string {
	if e.cause == "" {
		return ""
	}
	return ": " + e.cause
}

// recorded says how the recorded switch ended.
func (e ending) recorded() string {
	switch {
	case e.held:
		return "the recorded switch is held since " + clock(e.at)
	case e.outcome == "":
		return "the recorded switch is " + string(e.phase)
	case e.outcome == rollout.Refused, e.outcome == rollout.Aborted, e.outcome == rollout.RolledBack:
		return "the recorded switch was " + e.words() + " at " + clock(e.at)
	default:
		return "the recorded switch " + e.words() + " at " + clock(e.at)
	}
}
