package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"greenlight/policy"
	"greenlight/rollout"
)

// Make tells what the policies of r will do where b is in force.
func Make(b Basis, r policy.Reading) Plan {
	b = b.in(r.Dir)
	next, wrong := Next(b, r)
	p := Plan{
		Format: Format, Folder: r.Dir, Against: b.Name, Notes: append([]string{}, b.Notes...),
		Problems: append([]policy.Problem{}, wrong...), Models: []Model{}, Fleets: []Fleet{}, Clients: []Client{},
	}
	if len(wrong) > 0 {
		return p
	}
	m := &maker{basis: b, next: next, before: newSide(b.Set.Fleets), after: newSide(next.Fleets), then: map[string]rollout.State{}}
	p.Models = m.models()
	m.turns(p.Models)
	c := compare(m.before, m.after)
	p.Fleets = m.allFleets(c)
	for _, model := range c.touched {
		if sent := c.clients(model); len(sent) > 0 {
			p.Clients = append(p.Clients, Client{model, sent})
		}
	}
	p.sum(b.Nodes != nil)
	return p
}

// maker collects the two sides while it looks at the models.
type maker struct {
	basis         Basis
	next          policy.Set
	before, after side
	// then is where models stand once all policies are in force, as far as that is known.
	then map[string]rollout.State
}

// kept reports whether no file describes what is in force of a kind any more.
func (m *maker) kept(is func(policy.Problem) bool) bool {
	return slices.ContainsFunc(m.next.Problems, func(p policy.Problem) bool { return gone(p) && is(p) })
}

// allFleets is the fleets that anything is to be said of.
func (m *maker) allFleets(c comparison) []Fleet {
	names := map[string]bool{}
	for _, s := range []side{c.before, c.after} {
		for name := range s.fleets {
			names[name] = true
		}
		for name := range s.hosts {
			names[name] = true
		}
	}
	out := []Fleet{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if f := m.fleet(c, name); f.Change != "" || len(f.Resources) > 0 {
			out = append(out, f)
		}
	}
	return out
}

func (m *maker) fleet(c comparison, name string) Fleet {
	was, is := c.before.fleets[name], c.after.fleets[name]
	f := Fleet{
		Fleet: name, Fields: []Field{}, Moves: []Move{}, Sharing: []string{}, Notes: []string{},
		Resources: append([]Resource{}, c.resources(name)...),
	}
	switch {
	case was == is && was != nil && m.kept(func(p policy.Problem) bool { return p.Fleet == name }):
		f.Change = Kept
		f.Notes = append(f.Notes, "no file describes it any more; it stays as it is, because the server takes away nothing without allowRemoval")
	case was == is:
	case was == nil:
		f.Change = Added
	case is == nil:
		f.Change = Removed
	default:
		f.Change, f.Fields = Changed, fleetFields(was, is)
		if len(f.Fields) == 0 {
			f.Change = Same
		}
	}
	if at := cmp.Or(is, was); at != nil && f.Change != "" {
		f.File = place(at.Source)
	}
	if m.basis.Nodes != nil {
		n := m.basis.Nodes[name]
		f.Nodes = &n
	}
	for _, r := range f.Resources {
		if r.Type == routeType {
			f.Moves = append(f.Moves, c.moves(name, r.Hosts)...)
			f.Sharing = c.sharing(name, r.Hosts)
		}
	}
	return f
}

// place is where a document stands, as editors take it.
func place(s policy.Source) string { return fmt.Sprintf("%s:%d", s.File, s.Line) }

// sum counts what the plan changes.
func (p *Plan) sum(nodesKnown bool) {
	s := &p.Summary
	for _, m := range p.Models {
		s.Models.count(m.Change)
		if m.Switch != nil && m.Switch.Does != Waits {
			s.Switches++
		}
	}
	nodes := 0
	for _, f := range p.Fleets {
		s.Fleets.count(f.Change)
		for _, r := range f.Resources {
			s.Resources.count(r.Change)
		}
		if len(f.Resources) > 0 && f.Nodes != nil {
			nodes += *f.Nodes
		}
	}
	if nodesKnown {
		s.Nodes = &nodes
	}
	p.Changed = s.Models.all()+s.Fleets.all()+s.Resources.all()+s.Switches > 0
}

// list names some of all.
func list(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
