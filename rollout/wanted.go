package rollout

import (
	"fmt"
	"slices"
	"time"

	"greenlight/policy"
)

// ByPolicy is the actor of what the policy wants.
const ByPolicy = "policy"

// Word is the policy's last word on what should be live.
type Word struct {
	Want  policy.Wanted `json:"want"`
	Since time.Time     `json:"since"` // when it was first heard
	// Writers are those of the commit that it was first heard from; later commits may
	// repeat it.
	Writers
}

// Parted is why the model does not go where the policy's word wants it. It stands
// until the word changes, or the model is there.
type Parted struct {
	// By is the person who went another way; empty: what was wanted was tried, and
	// did not succeed. Then it is tried again with another version or policy.
	By      string    `json:"by,omitempty"`
	Why     string    `json:"why"`
	At      time.Time `json:"at"`
	Hash    string    `json:"hash,omitempty"`    // of the policy that it was tried with
	Version string    `json:"version,omitempty"` // that was tried
}

// Heard is a word and what became of it.
type Heard struct {
	Word   Word   `json:"word,omitzero"`
	Parted Parted `json:"parted,omitzero"`
}

// heed does what the policy wants, if it decides what is live: it has a switch
// started, or goes back to what it wants again.
func (t *turn) heed() {
	s, w := &t.s, t.p.Wanted
	t.listen()
	if w.None() || s.Live == "" {
		return
	}
	if s.Phase.Running() {
		t.recant()
		return
	}
	target, _ := s.wanted(w)
	switch {
	case target == s.Live:
		s.Parted = Parted{}
	case target == "" || s.Parted.By != "":
	case t.returns(target):
		t.actor = ByPolicy
		t.goBack(t.wish(RollBack, target).went("rolled back"), false)
	case s.waitsFor(t.p, target) == "":
		c := t.wish(Start, target)
		if t.refuseStart(c) == nil {
			t.act(Propose{c})
		}
	}
}

// listen takes the policy's word; a new one makes the old one's story void.
func (t *turn) listen() {
	w := t.p.Wanted
	if w == t.s.Word.Want {
		return
	}
	if t.s.PolicyGeneration != 0 && t.s.Unsure == nil {
		t.s.Unsure = &Heard{t.s.Word, t.s.Parted}
	}
	t.s.Word, t.s.Parted = Word{Want: w, Since: t.now}, Parted{}
	t.s.Word.Writers = writersOf(t.p.Source.Commit)
	if w.None() {
		t.s.Word = Word{}
	}
}

// unhear forgets a word that came with a policy which a node rejected: the one before
// it was never taken back, nor what became of it.
func (t *turn) unhear() {
	if old := t.s.Unsure; old != nil && old.Word.Want == t.p.Wanted && t.s.Word.Want != t.p.Wanted {
		t.s.Word, t.s.Parted = old.Word, old.Parted
	}
	t.s.Unsure = nil
}

// recant ends a running switch whose policy wants again what was live before it.
// What a person has decided against the policy's word is theirs to end.
func (t *turn) recant() {
	sw, w := t.s.Switch, t.p.Wanted
	if t.s.Phase == RollingBack || t.s.Phase == Drilling || t.s.Parted.By != "" || t.s.Back != "" {
		return
	}
	if w.Color == sw.From || w.Version != "" && w.Version == sw.FromVersion && w.Version != sw.ToVersion {
		t.actor = ByPolicy
		done := "aborted"
		if t.moved() {
			done = "rolled back"
		}
		_ = t.giveUp(t.wish(RollBack, sw.From), done) // it refuses only what waits to go back already
	}
}

// wish is the command that the policy's word amounts to. A version that was taken
// back before that word was spoken is meant all the same.
func (t *turn) wish(v Verb, target policy.Color) Command {
	reason := fmt.Sprintf("%s wants %s", t.p.Source, t.p.Wanted)
	if c := t.p.Source.Commit; c != nil {
		reason += fmt.Sprintf(" (%s, %s)", c.Author, c.Subject)
	}
	c := Command{Verb: v, Actor: ByPolicy, ByPolicy: true, Reason: reason, Target: target}
	c.Again = t.s.takenBack(t.s.Facts.version(target)) != "" && !t.s.takenBackSince(target)
	return c
}

// takenBackSince reports whether what target serves was taken back after the
// policy's word was spoken.
func (s State) takenBackSince(target policy.Color) bool {
	return slices.ContainsFunc(s.Tried, func(old Tried) bool {
		return old.Version == s.Facts.version(target) && !old.At.Before(s.Word.Since)
	})
}

// returns reports whether target is what the last switch came from, still there,
// unchanged and well: then all users go back at once. A version that the registry
// does not name could be another one by now, and one that users were taken back from, by
// an undo, is no way back.
func (t *turn) returns(target policy.Color) bool {
	sw := t.s.Switch
	return sw != nil && sw.Outcome == Succeeded && sw.From == target && t.s.Live == sw.To && sw.FromVersion != "" &&
		t.s.takenBack(sw.FromVersion) == "" && t.s.Facts.trusted() && t.refuseReturn(false) == nil
}

// wanted is the color that w means; empty, with the reason, while none is it.
func (s State) wanted(w policy.Wanted) (target policy.Color, unmet string) {
	f := s.Facts
	switch {
	case w.Color != "":
		return w.Color, ""
	case !f.EndpointsKnown:
		return "", unanswered
	}
	if s.Live != "" && f.version(s.Live) == w.Version {
		return s.Live, ""
	}
	for _, c := range policy.Colors {
		if f.version(c) == w.Version {
			return c, ""
		}
	}
	return "", fmt.Sprintf("no color serves version %q: blue serves %q, green %q", w.Version, f.version(policy.Blue), f.version(policy.Green))
}

// waitsFor says why a switch to target, which the policy wants, does not start yet.
func (s State) waitsFor(p *policy.Model, target policy.Color) string {
	f := s.Facts
	version := f.version(target)
	switch old := s.Parted; {
	case !f.EndpointsKnown:
		return unanswered
	case !f.trusted():
		return "the registry is not trusted: " + f.Endpoints.Problem
	case f.ready(target) == 0:
		return fmt.Sprintf("%s has no ready endpoint", target)
	case len(f.Endpoints.Versions(target)) > 1:
		return fmt.Sprintf("%s serves several versions: %s", target, version)
	case s.PolicyGeneration != 0:
		return "not every node has confirmed the changed policy yet"
	case s.Reverting: // it is about to be what was before
		return "a node rejected the policy"
	case !old.At.IsZero() && old.Hash == p.Source.Hash && old.Version == version:
		return fmt.Sprintf("%s; it is tried again with another version or a changed policy, or when a person starts it", old.Why)
	default:
		return ""
	}
}

// Drift says how what is live differs from what the policy wants, and why that
// stays so; empty while they agree, or while the switch is on its way.
func (s State) Drift(p *policy.Model) string {
	if p == nil || p.Wanted.None() || s.Live == "" {
		return ""
	}
	wants := fmt.Sprintf("%s wants %s live, but ", p.Source, p.Wanted)
	target, unmet := s.wanted(p.Wanted)
	running := s.Phase.Running()
	switch on := s.heading(); {
	case on == target:
		return ""
	case s.Parted.By != "":
		return fmt.Sprintf("%s%s at %s", wants, s.Parted.Why, s.Parted.At.Format(time.RFC3339))
	case running:
		return ""
	case target == "":
		return wants + unmet
	}
	switch waits := s.waitsFor(p, target); {
	case waits != "":
		return fmt.Sprintf("%s%s is: %s", wants, s.Live, waits)
	case s.takenBackSince(target):
		return fmt.Sprintf("%s%s is: %s", wants, s.Live, s.takenBack(s.Facts.version(target)))
	default:
		return fmt.Sprintf("%s%s is", wants, s.Live)
	}
}

// heading is the color that has all users once what is under way has ended well.
func (s State) heading() policy.Color {
	switch {
	case !s.Phase.Running():
		return s.Live
	case s.Phase == RollingBack || s.Back != "":
		return s.Switch.From
	default:
		return s.Switch.To
	}
}

// notePerson remembers that a person went another way than the policy's word, or
// forgets that what it wants was tried, when a person starts that.
func (t *turn) notePerson(c Command, before Phase) {
	if t.p.Wanted.None() || c.ByPolicy {
		return
	}
	t.listen()
	done := ""
	switch {
	case c.Verb == Start && t.unwanted(t.s.Switch.To):
		done = "overridden"
	case c.Verb == Start:
		t.s.Parted = Parted{}
	case c.Verb == RollBack, c.Verb == Abort && before != Drilling: // to abort a drill goes forward
		done = "rolled back"
	}
	if done != "" {
		t.s.Parted = Parted{By: c.Actor, Why: c.by(done), At: t.now}
	}
}

// unwanted reports whether a switch to target is not what the policy wants.
func (t *turn) unwanted(target policy.Color) bool {
	meant, _ := t.s.wanted(t.p.Wanted)
	return !t.p.Wanted.None() && meant != target
}

// noteTry remembers that what the policy wants was tried, and did not succeed.
func (t *turn) noteTry() {
	sw := t.s.Switch
	if t.p.Wanted.None() || t.s.Parted.By != "" {
		return
	}
	version := sw.ToVersion
	if version == "" {
		version = t.s.Facts.version(sw.To)
	}
	t.s.Parted = Parted{
		Why: fmt.Sprintf("switch %s was %s: %s", sw.ID, sw.Outcome, sw.Cause), At: t.now,
		Hash: t.p.Source.Hash, Version: version,
	}
	if sw.Outcome != RolledBack && !t.s.Reverting {
		// A change in the middle was not tried, and may be what mends it. But users who
		// were taken back are not led there anew, and a policy that a node rejects goes.
		t.s.Parted.Hash = t.plan().Source.Hash
	}
}
