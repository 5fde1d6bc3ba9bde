package rollout

import "fmt"

// guard stops a switch whose target is failing users. Safety never pauses: it
// looks after every event in every phase in which users meet the target.
func (t *turn) guard() {
	if !t.exposed() {
		return
	}
	cause := t.endangered()
	switch {
	case cause == "":
	case t.s.Phase != Held:
		t.stop(cause)
	case t.plan().Rollback.Automatic && t.s.Back == "":
		t.goBack(cause, false)
	}
}

// exposed reports whether the running switch has users on its target.
func (t *turn) exposed() bool {
	switch t.s.Phase {
	case Confirming, Holding, Baking, Paused, Held:
		return t.s.Weights.Of(t.s.Switch.To) > 0
	default:
		return false
	}
}

// endangered says why users should not stay on the target; empty when they may.
func (t *turn) endangered() string {
	f, sw := t.s.Facts, t.s.Switch
	if cause := f.rejection(t.s.Generation); cause != "" {
		return cause
	}
	if !f.trusted() {
		return ""
	}
	if least := Lost(t.plan(), sw.Needed); f.ready(sw.To) < least {
		return fmt.Sprintf("%s lost endpoints: %d of %d needed are ready", sw.To, f.ready(sw.To), sw.Needed)
	}
	return t.versionChanged()
}
