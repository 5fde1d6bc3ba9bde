package rollout

import (
	"fmt"
	"slices"
	"time"
)

// Tried is a version that users met and that was taken back.
type Tried struct {
	Version string    `json:"version"`
	Switch  string    `json:"switch"` // id
	Cause   string    `json:"cause"`
	At      time.Time `json:"at"`
}

// maxTried is how many versions that were taken back are remembered.
const maxTried = 20

// noteTakenBack remembers the version that users were taken back from. One that the
// registry does not name can't be told from the next one.
func (t *turn) noteTakenBack(version, cause string) {
	if version == "" {
		return
	}
	all := append(without(t.s.Tried, version), Tried{Version: version, Switch: t.s.Switch.ID, Cause: cause, At: t.now})
	t.s.Tried = all[max(0, len(all)-maxTried):]
}

// because is reason as the end of a sentence.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// without is a copy of all but version.
func without(all []Tried, version string) []Tried {
	return slices.DeleteFunc(slices.Clone(all), func(o Tried) bool { return o.Version == version })
}

// takenBack says why version is not tried again by itself; empty if it was not
// taken back.
func (s State) takenBack(version string) string {
	i := slices.IndexFunc(s.Tried, func(o Tried) bool { return o.Version == version })
	if i < 0 {
		return ""
	}
	o := s.Tried[i]
	return fmt.Sprintf("version %q was taken back at %s (switch %s: %s): if it is meant, say so (greenlight switch --again), or deploy another version",
		o.Version, o.At.Format(time.RFC3339), o.Switch, o.Cause)
}

// refuseTakenBack refuses a version that was taken back as soon as it is known;
// a target that is not there yet is asked once it is.
func (t *turn) refuseTakenBack(c Command) *Refuse {
	if c.Again {
		return nil
	}
	if why := t.s.takenBack(t.s.Facts.version(c.Target)); why != "" {
		return refuse(TakenBack, "%s", why)
	}
	return nil
}
