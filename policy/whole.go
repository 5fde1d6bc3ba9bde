package policy

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Origin says which commit is in force, and why not all that its source says is. It is
// zero for policies of a plain folder without a problem.
type Origin struct {
	Commit *Commit `json:"commit,omitempty"` // nil: a folder, or none was ever good
	// Problem is empty while what the source says now is in force.
	Problem string    `json:"problem,omitempty"`
	Since   time.Time `json:"since,omitzero"` // when Problem began
}

// same compares what two origins say.
func (o Origin) same(other Origin) bool {
	return commitID(o.Commit) == commitID(other.Commit) && o.Problem == other.Problem && o.Since.Equal(other.Since)
}

func commitID(c *Commit) string {
	if c == nil {
		return ""
	}
	return c.ID
}

// whole makes one change of a commit: next, if nothing in it is wrong, else prev
// with what is wrong. That a model is gone from the files does not hold up the
// others: it stays in force and is told.
func whole(prev, next Set, r Reading, now time.Time) Set {
	wrong := next.wrong()
	if wrong == "" {
		next.Origin = Origin{Commit: r.Commit}
		return next
	}
	why := fmt.Sprintf("commit %s is not taken: %s", r.Commit.Short(), wrong)
	stood := Set{
		Models: map[string]Entry{}, Fleets: map[string]FleetEntry{}, Problems: next.Problems, Warnings: prev.Warnings,
		Origin: prev.Origin.troubled(why+"; the last good commit stands", now),
	}
	for name := range eachOf(prev.Models, next.Models) {
		old, entry := prev.Models[name], next.Models[name]
		problem := held(entry.Problem, why, entry.Model == old.Model, old.Model != nil)
		stood.Models[name] = Entry{Model: old.Model, Problem: problem, Since: since(problem, old.Problem, old.Since, now)}
	}
	for name := range eachOf(prev.Fleets, next.Fleets) {
		old, entry := prev.Fleets[name], next.Fleets[name]
		problem := held(entry.Problem, why, entry.Fleet == old.Fleet, old.Fleet != nil)
		stood.Fleets[name] = FleetEntry{Fleet: old.Fleet, Problem: problem, Since: since(problem, old.Problem, old.Since, now)}
	}
	return stood
}

// parts says of a folder, whose policies are taken each by itself, that not all are:
// some problems are of nobody who has a status of their own.
func parts(prev, next Set, now time.Time) Set {
	if wrong := next.wrong(); wrong != "" {
		next.Origin = Origin{Problem: wrong, Since: since(wrong, prev.Origin.Problem, prev.Origin.Since, now)}
	}
	return next
}

// wrong is the first of what keeps the files from being in force, and how much there
// is; empty if nothing does. What is gone holds up nobody.
func (s Set) wrong() string {
	all := slices.DeleteFunc(slices.Clone(s.Problems), func(p Problem) bool { return p.Rule == RulePolicyGone })
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0].String()
	default:
		return fmt.Sprintf("%s (and %d more)", all[0], len(all)-1)
	}
}

// held is what an entry of a commit that is not taken says: what is wrong with its own
// policy, or that others hold it back. One that the commit does not change says nothing.
func held(own, why string, unchanged, stands bool) string {
	switch {
	case own != "" || unchanged:
		return own
	case stands:
		return why + lastGoodStands
	}
	return why
}

// troubled is o with a problem, which began before if there was one.
func (o Origin) troubled(problem string, now time.Time) Origin {
	return Origin{Commit: o.Commit, Problem: problem, Since: since(problem, o.Problem, o.Since, now)}
}

// Troubled is s with a problem of its source: a repository that can't be reached,
// or a commit that does not count. All policies stand.
func (s Set) Troubled(problem string, now time.Time) Set {
	s.Origin = s.Origin.troubled(problem, now)
	return s
}

// eachOf has the keys of both maps.
func eachOf[V any](a, b map[string]V) map[string]V {
	both := maps.Clone(a)
	if both == nil {
		both = map[string]V{}
	}
	maps.Copy(both, b)
	return both
}
