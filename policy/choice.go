package policy

import (
	"maps"
	"reflect"
	"slices"
)

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

// unchanged compares all but the line and the commit: a document may move in its
// file, and most commits leave it as it is.
func unchanged[T policyType](a, b *T) bool {
	copied := *b
	lineOf(&copied).Line, lineOf(&copied).Commit = lineOf(a).Line, lineOf(a).Commit
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

// about reports whether p names c's policy, or what it inherits.
func (c *choice[T]) about(p Problem) bool {
	return c.document != nil && c.document.line.keeps(p) || (c.kind == kindModel && p.Model == c.name) || (c.kind == kindFleet && p.Fleet == c.name)
}

// origin is the file that c's policy comes from, whether a document names it
// still, and whether a last good policy stands in for what the files say.
func (c *choice[T]) origin() (file string, named, stands bool) {
	return source(c.last).File, c.document != nil, c.last != nil && c.next == nil
}

// sortedNames gives the names of choices in a fixed order.
func sortedNames[T policyType](choices map[string]*choice[T]) []string {
	return slices.Sorted(maps.Keys(choices))
}
