package policy

import (
	"fmt"
	"slices"
	"time"
)

// Merge says what is in force after a reading. It is pure: prev and r stay as
// they are, and the answer is made of nothing else.
//
// A good new policy replaces the last one. Where the files say nothing good of
// a model (a mistake, a vanished file, a conflict with another model) its last
// good policy stands, with a problem. A policy that did not change keeps its
// pointer. The policies of a commit are taken all together or not at all.
func Merge(prev Set, r Reading, now time.Time) Set {
	if r.Err != nil {
		return unreadable(prev, r, now)
	}
	m := merger{reading: r, problems: slices.Clone(r.Problems)}
	models := choose(&m, kindModel, lastModels(prev))
	fleets := choose(&m, kindFleet, lastFleets(prev))
	m.holdOrphans(models)
	for m.resolveClaims(models); m.resolveDependencies(models); m.resolveClaims(models) {
	}

	m.problems = sortProblems(m.problems)
	set := Set{Models: map[string]Entry{}, Fleets: map[string]FleetEntry{}, Warnings: m.warnings(models, fleets)}
	for name, c := range models {
		if c.removed {
			continue
		}
		problem, old := m.summary(c), prev.Models[name]
		set.Models[name] = Entry{Model: c.standing(), Problem: problem, Since: since(problem, old.Problem, old.Since, now)}
	}
	for name, c := range fleets {
		if c.removed {
			continue
		}
		problem, old := m.summary(c), prev.Fleets[name]
		set.Fleets[name] = FleetEntry{Fleet: c.standing(), Problem: problem, Since: since(problem, old.Problem, old.Since, now)}
	}
	set.Problems = toldOnce(m.problems)
	if r.Commit != nil {
		return whole(prev, set, r, now)
	}
	return parts(prev, set, now)
}

// since is when a standing problem began.
func since(problem, before string, began, now time.Time) time.Time {
	switch {
	case problem == "":
		return time.Time{}
	case before != "" && !began.IsZero():
		return began
	}
	return now
}

// unreadable keeps everything, and says so at every entry.
func unreadable(prev Set, r Reading, now time.Time) Set {
	p := Problem{File: r.Dir, Rule: RuleUnreadable, Message: r.Err.Error()}
	says := p.String() + lastGoodStands
	set := Set{
		Models: map[string]Entry{}, Fleets: map[string]FleetEntry{}, Problems: []Problem{p}, Warnings: prev.Warnings,
		Origin: prev.Origin.troubled(says, now),
	}
	for name, e := range prev.Models {
		set.Models[name] = Entry{Model: e.Model, Problem: says, Since: since(says, e.Problem, e.Since, now)}
	}
	for name, e := range prev.Fleets {
		set.Fleets[name] = FleetEntry{Fleet: e.Fleet, Problem: says, Since: since(says, e.Problem, e.Since, now)}
	}
	return set
}

const lastGoodStands = "; the last good policy stands"

// merger collects what Merge finds out beyond the reading's own problems.
type merger struct {
	reading  Reading
	problems []Problem
}

// gone settles a policy in force that no document names any more. It answers
// true if it is out of force. A file that can't be understood may be the one
// that holds it, and an emptied folder is more likely a lost mount than a wish.
func (m *merger) gone(kind, name string, last Source) (removed bool) {
	if m.fileProblem(last.File) != nil {
		return false // its file is broken, which is noted already
	}
	why := fmt.Sprintf("file %s no longer describes %s %s", last.File, lowerKind(kind), name)
	advice := "; remove models with allowRemoval"
	switch {
	case m.reading.AllowRemoval && m.reading.Files == 0:
		why, advice = "the folder "+m.reading.Dir+" holds no policy file at all", "; to remove the last one leave an empty .yaml file"
	case m.reading.AllowRemoval && m.nameless():
		advice = "; it is removed once the broken files are mended"
	case m.reading.AllowRemoval && m.reading.Fresh:
		advice = "; it is removed once nothing has changed in the folder for " + removeAfter.String()
	case m.reading.AllowRemoval:
		return true
	case !m.holds(last.File):
		why = fmt.Sprintf("%s %s: file %s is gone", lowerKind(kind), name, last.File)
	}
	p := Problem{File: last.File, Rule: RulePolicyGone, Message: why + lastGoodStands + advice}
	if kind == kindModel {
		p.Model = name
	} else {
		p.Fleet = name
	}
	m.problems = append(m.problems, p)
	return false
}

func lowerKind(kind string) string {
	if kind == kindModel {
		return "model"
	}
	return "fleet"
}

// holds reports whether the reading has documents of file.
func (m *merger) holds(file string) bool {
	return slices.ContainsFunc(m.reading.documents, func(d document) bool { return d.file == file })
}

// nameless reports whether the reading has a problem of which nobody knows
// whose policy it spoils.
func (m *merger) nameless() bool {
	return slices.ContainsFunc(m.reading.Problems, func(p Problem) bool { return p.nameless() })
}

func (p Problem) nameless() bool { return p.Model == "" && p.Fleet == "" }

// fileProblem is the first nameless problem of file.
func (m *merger) fileProblem(file string) *Problem {
	i := slices.IndexFunc(m.problems, func(p Problem) bool { return p.File == file && p.nameless() })
	if i < 0 {
		return nil
	}
	return &m.problems[i]
}

// summary is what the status says of one name: its first problem, and how many
// there are.
func (m *merger) summary(c interface {
	about(Problem) bool
	origin() (file string, named, stands bool)
}) string {
	var first *Problem
	count := 0
	file, named, stands := c.origin()
	for i, p := range m.problems {
		if c.about(p) || (!named && p.nameless() && p.File == file) {
			if count++; first == nil || p.orphans() {
				first = &m.problems[i]
			}
		}
	}
	if first == nil {
		return ""
	}
	says := first.String()
	if count > 1 {
		says += fmt.Sprintf(" (and %d more)", count-1)
	}
	if stands && first.Rule != RulePolicyGone {
		says += lastGoodStands
	}
	return says
}

// note adds a problem of document d, at path.
func (m *merger) note(d *document, path, rule, format string, args ...any) {
	p := d.problem(path, rule, fmt.Sprintf(format, args...))
	if d.kind == kindModel {
		p.Model = d.name
	} else {
		p.Fleet = d.name
	}
	m.problems = append(m.problems, p)
}
