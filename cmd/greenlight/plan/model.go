package plan

import (
	"maps"
	"slices"
	"strings"

	"greenlight/policy"
	"greenlight/rollout"
)

// models is what becomes of the models that anything is to be said of. It routes all
// models on both sides on its way.
func (m *maker) models() []Model {
	names := maps.Clone(m.basis.Set.Models)
	maps.Copy(names, m.next.Models)
	out := []Model{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if told := m.model(name); told.Change != "" {
			out = append(out, told)
		}
	}
	return out
}

func (m *maker) model(name string) Model {
	was, is := m.basis.inForce(name), m.basis.becomes(name, m.next)
	told := Model{Model: name, Fields: []Field{}, Notes: []string{}}
	if state, known := m.state(name); known {
		told.Now = standing(state, was)
	}
	switch {
	case was == nil && is == nil:
		return told
	case was == nil:
		told.Change, told.File = Added, place(is.Source)
		m.after.add(supposedRouting(is))
		told.Notes = append(told.Notes, beginning(is))
		m.warn(&told)
	case is == nil:
		told.Change, told.File = Removed, place(was.Source)
		if !m.unrouted(name) {
			m.before.add(m.now(was))
		}
		told.Notes = append(told.Notes, "its routes are taken off the fleets at once, and its clusters once no node routes to them")
	case was == is:
		if s, known := m.state(name); known {
			m.then[name] = s
		}
		if !m.unrouted(name) {
			r := m.now(was)
			m.before.add(r)
			m.after.add(r)
		}
		if m.kept(func(p policy.Problem) bool { return p.Model == name }) {
			told.Change, told.File = Kept, place(was.Source)
			told.Notes = append(told.Notes, "no file describes it any more; it stays in force, because the server takes away nothing without allowRemoval")
		}
	default:
		m.change(&told, was, is)
	}
	return told
}

// change tells of a model whose policy was was and becomes is.
func (m *maker) change(told *Model, was, is *policy.Model) {
	told.Change, told.File, told.Fields = Changed, place(is.Source), modelFields(was, is)
	if len(told.Fields) == 0 {
		told.Change = Same
	}
	old := m.now(was)
	now := old
	now.Policy = is
	state, known := m.state(told.Model)
	if known {
		m.then[told.Model] = state
		o := rollout.Foresee(state, was, is, m.basis.At)
		if o.Routing != nil {
			now = *o.Routing
		}
		if o.Started != nil {
			m.then[told.Model] = *o.Started
		}
		told.Switch = foreseen(o, state, was, is)
	} else {
		told.Switch = supposed(was, is, m.basis.At)
	}
	if m.unrouted(told.Model) {
		told.Notes = append(told.Notes, "it is not routed yet, because no endpoint of it was seen: no node is sent anything")
	} else {
		m.before.add(old)
		m.after.add(now)
	}
	if told.Change == Same && told.Switch == nil {
		told.Notes = append(told.Notes, "its document has other words, and says the same")
	}
	if known && state.Phase.Running() && state.Phase != rollout.Waiting && (told.Switch == nil || told.Switch.Does == Waits) && planned(told.Fields) {
		told.Notes = append(told.Notes, "a switch is running ("+string(state.Phase)+"): it keeps to the policy that it began with")
	}
	if was.Wanted != is.Wanted && is.Wanted.None() {
		told.Notes = append(told.Notes, "the admin API decides again what is live")
	}
	m.warn(told)
}

// warn adds what is doubtful about the model's policy.
func (m *maker) warn(told *Model) {
	for _, w := range m.next.Warnings {
		if w.Model == told.Model {
			told.Notes = append(told.Notes, w.String())
		}
	}
}

// planned reports whether some field is part of a switch's plan.
func planned(fields []Field) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { return f.Effect == NextSwitch })
}

// state is where a model stands, if it is known and has a live color.
func (m *maker) state(name string) (rollout.State, bool) {
	s, known := m.basis.States[name]
	return s, known && s.Live != ""
}

// unrouted reports whether the model is known to have no live color yet.
func (m *maker) unrouted(name string) bool {
	s, known := m.basis.States[name]
	return known && s.Live == ""
}

// now is the model's present routing.
func (m *maker) now(p *policy.Model) rollout.Routing {
	if s, known := m.state(p.Name); known {
		return s.Routing(p)
	}
	return supposedRouting(p)
}

// standing is s as a plan shows it.
func standing(s rollout.State, p *policy.Model) *Standing {
	percent := func(w policy.Weight) float64 { return float64(w) / 100 }
	return &Standing{
		Live: s.Live, Phase: string(s.Phase), Drift: Clean(s.Drift(p)),
		Weights: Split{Blue: percent(s.Weights.Blue), Green: percent(s.Weights.Green)},
		Versions: map[policy.Color][]string{
			policy.Blue: versions(s, policy.Blue), policy.Green: versions(s, policy.Green),
		},
	}
}

// versions is what the ready instances of c serve, by the registry.
func versions(s rollout.State, c policy.Color) []string {
	out := []string{}
	for _, v := range s.Facts.Endpoints.Versions(c) {
		if v != "" {
			out = append(out, Clean(v))
		}
	}
	return out
}

// Clean makes words of the registry and of nodes safe for a terminal: control
// characters, which could move the cursor or start a new line, become spaces.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) {
			return ' '
		}
		return r
	}, s)
}

// beginning says how a model that is met for the first time begins.
func beginning(p *policy.Model) string {
	const shown = "it is routed as soon as the registry has instances of it; "
	switch {
	case p.InitialLive != "":
		return shown + "it begins with " + string(p.InitialLive) + ", which is waited for"
	case !p.Wanted.None():
		return shown + "it begins with " + p.Wanted.String() + ", if that is there"
	default:
		return shown + "it begins with the color that has some, blue if both have"
	}
}
