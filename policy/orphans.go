package policy

import (
	"path/filepath"
	"reflect"
)

// holdOrphans keeps the last good policies of models whose Defaults are gone: a
// lost file would put built-in defaults in force in all of its folder at once.
func (m *merger) holdOrphans(choices map[string]*choice[Model]) {
	for _, name := range sortedNames(choices) {
		c := choices[name]
		if c.document == nil || c.next != nil && c.last != nil && sameRules(c.last, c.next) {
			continue
		}
		for _, file := range source(c.last).Defaults {
			if why := m.lost(file, c.document); why != "" {
				c.next = nil
				m.problems = append(m.problems, Problem{
					File: file, Rule: RulePolicyGone, Model: name, Message: why, inherited: true,
				})
			}
		}
	}
}

// sameRules reports whether two policies differ at most in where they were read.
func sameRules(a, b *Model) bool {
	copied := *b
	copied.Source = a.Source
	return reflect.DeepEqual(*a, copied)
}

// orphans reports whether p says that a model lost what it inherits, which
// explains whatever else is missing in it.
func (p Problem) orphans() bool { return p.inherited && p.Rule == RulePolicyGone }

// beyond reports whether a file lies outside of the policy folder, which is
// another one now. The files of a repository have no folder in front.
func (m *merger) beyond(file string) bool {
	return filepath.IsAbs(m.reading.Dir) == filepath.IsAbs(file) && !inside(m.reading.Dir, file)
}

// lost says why the Defaults that file held may not go out of force for a model
// that inherited them; nothing if they may, or if the model has moved away.
func (m *merger) lost(file string, d *document) string {
	folder := filepath.Dir(file)
	if !inside(folder, d.file) || m.beyond(file) {
		return ""
	}
	for _, given := range d.line.all {
		if filepath.Dir(given.file) == folder {
			return ""
		}
	}
	why, advice := "file "+file+" no longer gives defaults to its folder", "; to take them out of force leave a Defaults document there with spec: {}"
	switch broken := m.fileProblem(file); {
	case broken != nil:
		why, advice = "file "+file+", which gave defaults to its folder, can't be understood ("+broken.Rule+")", ""
	case m.reading.AllowRemoval && m.nameless():
		advice = "; they go out of force once the broken files are mended"
	case m.reading.AllowRemoval && m.reading.Fresh:
		advice = "; they go out of force once nothing has changed in the folder for " + removeAfter.String()
	case m.reading.AllowRemoval:
		return ""
	case !m.holds(file):
		why = "file " + file + ", which gave defaults to its folder, is gone"
	}
	return why + lastGoodStands + advice
}
