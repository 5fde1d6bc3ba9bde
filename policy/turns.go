package policy

import (
	"slices"
	"strings"
	"time"
)

// Queue bounds how many models of a group are switched at once.
type Queue struct {
	Group string `json:"group,omitempty"` // empty: the model waits for no group
	// AtMost counts running switches of the group; where its models disagree the
	// lowest counts. Default 1.
	AtMost int `json:"atMost,omitempty"`
}

// Act is something that persons may have to approve.
type Act string

// The acts that can need approval.
const (
	BeforeShift  Act = "shift"  // users meet the new color
	BeforeRetire Act = "retire" // the old color is let go
)

// Approval is who has to approve what.
type Approval struct {
	Before Act      `json:"before"`
	By     []string `json:"by"`    // groups, as the server knows them, or persons
	Count  int      `json:"count"` // different persons; default 1
	// Within ends the wait: then the switch is refused, or the old color kept.
	Within time.Duration `json:"within"` // default 24h
}

type rawQueue struct {
	Group  *string `yaml:"group" jsonschema:"example=ranking" jsonschema_description:"The group that the model belongs to."`
	AtMost *int    `yaml:"atMost" jsonschema:"default=1,minimum=1,maximum=1000" jsonschema_description:"How many models of the group may be switched at once. Where they disagree the lowest counts."`
}

// rawApprovals is written as a list or, with one entry, as that alone.
type rawApprovals []rawApproval

type rawApproval struct {
	Before *string   `yaml:"before" jsonschema:"required,enum=shift,enum=retire" jsonschema_description:"What waits for it: that users meet the new color, or that the old one is let go."`
	By     []string  `yaml:"by" jsonschema:"required,minItems=1,uniqueItems=true,example=risk" jsonschema_description:"The groups, or persons, who may approve. Nobody approves a switch that they started."`
	Count  *int      `yaml:"count" jsonschema:"default=1,minimum=1,maximum=20" jsonschema_description:"How many different persons have to."`
	Within *duration `yaml:"within" jsonschema:"default=24h" jsonschema_description:"After this time the switch is refused, or the old color kept."`
}

// turns takes what a switch of the model waits for besides itself.
func (b *builder) turns(m *Model, raw *rawSpec) {
	m.DependsOn = b.texts("spec.dependsOn", raw.DependsOn)
	for i, name := range m.DependsOn {
		if name == m.Name {
			b.problem(item("spec.dependsOn", i), RuleCycle, "%s = %s, which is the model itself; remove it", shown(item("spec.dependsOn", i)), short(name))
		}
	}
	if raw.Queue != nil {
		const path = "spec.queue"
		if raw.Queue.Group == nil {
			b.require(path+".group", "name the group that the model is switched in")
		}
		m.Queue = Queue{
			Group:  b.text(path+".group", raw.Queue.Group, "", RuleNameSyntax, foreignFault),
			AtMost: b.count(path+".atMost", raw.Queue.AtMost, 1, 1, 1000),
		}
	}
	for i, a := range raw.Approve {
		m.Approve = append(m.Approve, b.approval(item("spec.approve", i), a, m.Approve))
	}
	if m.Rolling != nil && slices.ContainsFunc(m.Approve, func(a Approval) bool { return a.Before == BeforeRetire }) {
		b.problem("spec.approve", RuleContradiction, "approve before retire comes too late for shift.rolling, which lets old instances go while it shifts; approve before shift")
	}
}

func (b *builder) approval(path string, raw rawApproval, before []Approval) Approval {
	a := Approval{
		Before: Act(b.choice(path+".before", raw.Before, "", string(BeforeShift), string(BeforeRetire))),
		By:     b.texts(path+".by", raw.By),
		Count:  b.count(path+".count", raw.Count, 1, 1, 20),
		Within: b.wait(path+".within", raw.Within, day, time.Second, longWait),
	}
	if raw.Before == nil {
		b.require(path+".before", "write shift or retire")
	}
	if len(raw.By) == 0 && !b.marks.has(path+".by") {
		b.require(path+".by", "name who may approve: groups, or persons")
	}
	if slices.ContainsFunc(before, func(o Approval) bool { return o.Before == a.Before && a.Before != "" }) {
		b.problem(path+".before", RuleDuplicateValue, "%s = %s; another entry is for the same; keep one", shown(path+".before"), a.Before)
	}
	return a
}

// Needs is the approval that an act of the model wants; nil when it wants none.
func (m *Model) Needs(act Act) *Approval {
	for i := range m.Approve {
		if m.Approve[i].Before == act {
			return &m.Approve[i]
		}
	}
	return nil
}

// Alone reports whether a switch of the model waits for no other model.
func (m *Model) Alone() bool { return m.Queue.Group == "" && len(m.DependsOn) == 0 }

// resolveDependencies takes new policies back that depend on a model which nobody
// describes, or on one that depends on them. One that was in force already stays: a
// newcomer closed the circle, and a model that was removed is told where it is missed.
// It reports whether it took any back.
func (m *merger) resolveDependencies(choices map[string]*choice[Model]) bool {
	var losers []*choice[Model]
	for _, name := range sortedNames(choices) {
		if c := choices[name]; c.next != nil && !m.dependsWell(choices, c, c.standing() == c.next) {
			losers = append(losers, c)
		}
	}
	for _, c := range losers {
		c.next = nil
	}
	return len(losers) > 0
}

// dependsWell notes the first of a model's dependencies that can't be. A circle is a new
// policy's.
func (m *merger) dependsWell(choices map[string]*choice[Model], c *choice[Model], isNew bool) bool {
	for i, on := range c.next.DependsOn {
		path, other := item("spec.dependsOn", i), choices[on]
		if other == nil || other.removed {
			m.note(c.document, path, RuleUnknownModel, "model %s depends on %s, which no policy describes%s; write its policy, or remove it",
				c.name, short(on), didYouMean(on, sortedNames(choices)))
			return false
		}
		if !isNew {
			continue
		}
		if way := m.wayBack(choices, on, c.name, map[string]bool{}); way != nil {
			m.note(c.document, path, RuleCycle, "model %s depends on itself: %s; remove one of these",
				c.name, strings.Join(slices.Concat([]string{c.name}, way), " → "))
			return false
		}
	}
	return true
}

// wayBack is how from depends on to, both included; nil if it does not. seen are those
// that were looked at: ways that part and meet again are many.
func (m *merger) wayBack(choices map[string]*choice[Model], from, to string, seen map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	c := choices[from]
	if c == nil || c.removed || c.standing() == nil || seen[from] {
		return nil
	}
	seen[from] = true
	for _, next := range c.standing().DependsOn {
		if way := m.wayBack(choices, next, to, seen); way != nil {
			return slices.Concat([]string{from}, way)
		}
	}
	return nil
}
