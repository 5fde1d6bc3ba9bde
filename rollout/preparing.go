package rollout

import (
	"fmt"
	"strings"

	"greenlight/policy/calendar"
)

// prepare waits until weight could move safely; then the target is validated,
// or users meet it at once if the switch is forced.
func (t *turn) prepare() bool {
	sw := t.s.Switch
	if cause := t.s.Facts.rejection(t.s.Generation); cause != "" {
		t.end(Refused, cause)
		return true
	}
	if t.makeRoom() {
		return false
	}
	missing := t.missing()
	switch {
	case len(missing) == 0:
		return t.prepared()
	case t.due(t.s.Deadline):
		t.end(Refused, fmt.Sprintf("%s was not ready within %s: %s",
			sw.To, calendar.PlainDuration(t.plan().Prepare.Within), strings.Join(missing, "; ")))
		return true
	default:
		t.say("waiting: " + strings.Join(missing, "; "))
		return false
	}
}

// prepared fixes the version that is validated and may get weight. It reports whether
// the phase has ended: a forced switch may still have to wait for the calendar.
func (t *turn) prepared() bool {
	sw := t.s.Switch
	if sw.Undoes != "" {
		t.undoPrepared()
		return true
	}
	sw.ToVersion = t.s.Facts.version(sw.To)
	if sw.FromVersion == "" { // the registry was silent when the switch began
		sw.FromVersion = t.s.Facts.version(sw.From)
	}
	if t.s.Parted.By == "" && t.unwanted(sw.To) {
		t.end(Refused, fmt.Sprintf("%s serves version %q now, and %s wants %s", sw.To, sw.ToVersion, t.p.Source, t.p.Wanted))
		return true
	}
	if t.rolling() && t.s.Rolled.Total == 0 {
		t.s.Rolled.Total = len(t.s.old())
	}
	if why := t.s.takenBack(sw.ToVersion); why != "" && !sw.Again {
		t.end(Refused, why)
		return true
	}
	if sw.Forced {
		if t.shiftIfSafe(fmt.Sprintf("forced by %s: %s", sw.Actor, sw.Reason)) {
			return true
		}
		if opens := t.s.Queued.Opens; !opens.IsZero() { // nobody is late while it is closed
			t.s.Deadline = opens.Add(t.plan().Prepare.Within)
		}
		return false
	}
	t.enter(Validating, fmt.Sprintf("%s is ready: %s of version %q, warm on %s",
		sw.To, count(t.s.Facts.ready(sw.To), "endpoint"), sw.ToVersion,
		count(t.s.Facts.Report.Connected, "node")))
	return true
}

// missing lists what keeps weight from moving towards the target. It is the
// gate in front of every forward step.
func (t *turn) missing() []string {
	var out []string
	for _, text := range []string{t.missingEndpoints(), t.missingNodes()} {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

// missingEndpoints asks the registry's side of the gate. A registry that is not
// trusted keeps it shut even if its last good answer would do.
func (t *turn) missingEndpoints() string {
	f, to := t.s.Facts, t.s.Switch.To
	switch versions := f.Endpoints.Versions(to); {
	case !f.EndpointsKnown:
		return unanswered
	case !f.trusted():
		return "the registry is not trusted: " + f.Endpoints.Problem
	case t.tooFew(to, t.need()) != "":
		return t.tooFew(to, t.need())
	case len(versions) > 1:
		return fmt.Sprintf("%s serves several versions: %s", to, strings.Join(versions, ", "))
	default:
		return ""
	}
}

// missingNodes asks the fleets' side. The generation before has to be confirmed
// first: a node that lags there, or rejected it, would fail the next one too,
// and then with users on the target.
func (t *turn) missingNodes() string {
	if !t.s.Facts.confirmed(t.s.Generation) {
		return t.s.Facts.unconfirmed(t.s.Generation)
	}
	return t.s.Facts.cold(t.s.Switch.To)
}
