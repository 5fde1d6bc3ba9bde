package policy

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Merge says what is in force after a reading. It is pure: prev and r stay as
// they are, and the answer is made of nothing else.
//
// A good new policy replaces the last one. Where the files say nothing good of
// a model (a mistake, a vanished file, a conflict with another model) its last
// good policy stands, with a problem. A policy that did not change keeps its
// pointer.
func Merge(prev Set, r Reading, now time.Time) Set {
	if r.Err != nil {
		return unreadable(prev, r, now)
	}
	m := merger{reading: r, problems: slices.Clone(r.Problems)}
	models := choose(&m, kindModel, lastModels(prev))
	fleets := choose(&m, kindFleet, lastFleets(prev))
	m.resolveClaims(models)

	sortProblems(m.problems)
	set := Set{Models: map[string]Entry{}, Fleets: map[string]FleetEntry{}, Problems: m.problems}
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
	return set
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
	set := Set{Models: map[string]Entry{}, Fleets: map[string]FleetEntry{}, Problems: []Problem{p}}
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

// policyType is what the files describe. Both kinds are settled by the same
// rules; only models have claims.
type policyType interface{ Model | Fleet }

// choice is what is known of one name: the policy in force, and what would
// replace it.
type choice[T policyType] struct {
	kind, name string
	last       *T
	next       *T        // nil when the files have nothing good
	document   *document // of next, or of what should have been
	removed    bool
}

// standing is the policy in force after the reading: an unchanged one is the
// very one that was in force before.
func (c *choice[T]) standing() *T {
	if c.next == nil || (c.last != nil && unchanged(c.last, c.next)) {
		return c.last
	}
	return c.next
}

// unchanged compares all but the line: a document may move in its file.
func unchanged[T policyType](a, b *T) bool {
	copied := *b
	lineOf(&copied).Line = lineOf(a).Line
	return reflect.DeepEqual(*a, copied)
}

func lineOf[T policyType](p *T) *Source {
	switch p := any(p).(type) {
	case *Model:
		return &p.Source
	case *Fleet:
		return &p.Source
	}
	return nil
}

func lastModels(prev Set) map[string]*Model {
	last := make(map[string]*Model, len(prev.Models))
	for name, e := range prev.Models {
		if e.Model != nil {
			last[name] = e.Model
		}
	}
	return last
}

func lastFleets(prev Set) map[string]*Fleet {
	last := make(map[string]*Fleet, len(prev.Fleets))
	for name, e := range prev.Fleets {
		if e.Fleet != nil {
			last[name] = e.Fleet
		}
	}
	return last
}

// choose brings the last good policies and the documents of one kind together
// by name.
func choose[T policyType](m *merger, kind string, last map[string]*T) map[string]*choice[T] {
	named := map[string][]*document{}
	for i := range m.reading.documents {
		if d := &m.reading.documents[i]; d.kind == kind && d.name != "" {
			named[d.name] = append(named[d.name], d)
		}
	}
	choices := map[string]*choice[T]{}
	for name, documents := range named {
		c := &choice[T]{kind: kind, name: name, last: last[name]}
		if c.document = m.only(documents, source(c.last)); c.document != nil {
			c.next = policyOf[T](c.document)
		}
		choices[name] = c
	}
	for name, p := range last {
		if choices[name] == nil {
			c := &choice[T]{kind: kind, name: name, last: p}
			c.removed = m.gone(kind, name, source(p))
			choices[name] = c
		}
	}
	return choices
}

func source[T policyType](p *T) Source {
	if p == nil {
		return Source{}
	}
	return *lineOf(p)
}

func policyOf[T policyType](d *document) *T {
	if p, ok := any(d.model).(*T); ok {
		return p
	}
	p, _ := any(d.fleet).(*T)
	return p
}

// only picks the document that speaks for a name. Of several it is the one
// that is in force already; if that can't be told, none.
func (m *merger) only(documents []*document, last Source) *document {
	if len(documents) == 1 {
		return documents[0]
	}
	winner := sole(documents, func(d *document) bool { return d.file == last.File })
	if winner == nil {
		winner = sole(documents, func(d *document) bool { return d.policy() && d.source().Hash == last.Hash })
	}
	for _, d := range documents {
		if d != winner {
			m.duplicate(d, documents)
		}
	}
	return winner
}

// sole is the one document that fits, and nil if none or several do.
func sole(documents []*document, fits func(*document) bool) *document {
	var found *document
	for _, d := range documents {
		if !fits(d) {
			continue
		}
		if found != nil {
			return nil
		}
		found = d
	}
	return found
}

// duplicate notes that d and another document are for one name.
func (m *merger) duplicate(d *document, all []*document) {
	other := all[0]
	if other == d {
		other = all[1]
	}
	rule := RuleDuplicateModel
	if d.kind == kindFleet {
		rule = RuleDuplicateFleet
	}
	m.note(d, "metadata.name", rule, "%s %s has another document at %s; remove one, or give it another name",
		lowerKind(d.kind), d.name, other.where("metadata.name"))
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
			if count++; first == nil {
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

// about reports whether p names c's policy.
func (c *choice[T]) about(p Problem) bool {
	return (c.kind == kindModel && p.Model == c.name) || (c.kind == kindFleet && p.Fleet == c.name)
}

// origin is the file that c's policy comes from, whether a document names it
// still, and whether a last good policy stands in for what the files say.
func (c *choice[T]) origin() (file string, named, stands bool) {
	return source(c.last).File, c.document != nil, c.last != nil && c.next == nil
}

// note adds a problem of document d, at path.
func (m *merger) note(d *document, path, rule, format string, args ...any) {
	at := d.at(path)
	p := Problem{File: d.file, Line: at.line, Column: at.column, Rule: rule, Message: fmt.Sprintf(format, args...)}
	if d.kind == kindModel {
		p.Model = d.name
	} else {
		p.Fleet = d.name
	}
	m.problems = append(m.problems, p)
}

// sortedNames gives the names of choices in a fixed order.
func sortedNames[T policyType](choices map[string]*choice[T]) []string {
	return slices.Sorted(maps.Keys(choices))
}
