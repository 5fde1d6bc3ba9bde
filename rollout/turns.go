package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
)

// Queued is a switch's place among those that wait for their turn. Only in Waiting.
type Queued struct {
	// Order is the place: lower ones come first. It is the time of asking in
	// nanoseconds, unless somebody moved the switch.
	Order int64 `json:"order,omitempty"`
	// Why says what is waited for, also by a step that waits for the calendar.
	Why string `json:"why,omitempty"`
	// Opens is when the calendar lets it go on, if that is what is waited for; also
	// set when a step of a switch waits for it.
	Opens time.Time `json:"opens,omitzero"`
	// Silent: the registry has not answered for so long that others may pass.
	Silent bool `json:"silent,omitempty"`
}

// Turn says whether a model that waits may begin its switch.
type Turn struct {
	Granted bool
	Why     string // not yet, because
	// Position is the place in the group's queue, from 1, and Of its length; 0
	// without a group.
	Position, Of int
}

// Claimant is what one model says of itself to those that wait for it.
type Claimant struct {
	Model     string
	Queue     policy.Queue
	DependsOn []string
	// Waits: its switch waits for its turn, at place Order.
	Waits bool
	Order int64
	// Barred is why it could not begin now even if its turn came.
	Barred string
	// Runs: its switch is under way.
	Runs bool
	// Unsettled is why models that depend on it have to wait; empty when they need not.
	Unsettled string
}

// Claimant is what the model says of itself under policy p.
func (s State) Claimant(p *policy.Model) Claimant {
	c := Claimant{
		Model: s.Model, Queue: p.Queue, DependsOn: p.DependsOn,
		Waits: s.Phase == Waiting, Order: s.Queued.Order,
	}
	switch q := s.Queued; {
	case !q.Opens.IsZero():
		c.Barred = "its calendar is closed"
	case q.Silent:
		c.Barred = unanswered
	}
	c.Runs = s.Phase.Running() && !c.Waits
	switch drift := s.Drift(p); {
	case s.Phase.Running():
		c.Unsettled = fmt.Sprintf("switch %s of %s is %s", s.Switch.ID, s.Model, s.Phase)
	case drift != "":
		c.Unsettled = s.Model + " is not where it should: " + drift
	}
	return c
}

// Turns says of every model that waits whether it may begin. Those of a group come
// in the order of their places; one that waits for something else as well lets
// others pass, but keeps its place. granted are those that were told to begin
// before, and may not have done so yet: they count as running.
func Turns(all []Claimant, granted map[string]bool) map[string]Turn {
	byName := make(map[string]Claimant, len(all))
	groups := map[string]*group{}
	for _, c := range all {
		byName[c.Model] = c
		if name := c.Queue.Group; name != "" {
			if groups[name] == nil {
				groups[name] = &group{atMost: c.Queue.AtMost}
			}
			groups[name].add(c, granted[c.Model])
		}
	}
	turns := map[string]Turn{}
	for _, c := range all {
		if c.Waits {
			turns[c.Model] = Turn{Why: cmp.Or(dependency(c, byName), c.Barred)}
		}
	}
	for _, g := range groups {
		g.settle(turns)
	}
	for model, t := range turns {
		t.Granted = t.Why == "" || granted[model]
		turns[model] = t
	}
	return turns
}

// group is the models of one group.
type group struct {
	atMost  int
	running []string
	waiting []Claimant
}

func (g *group) add(c Claimant, granted bool) {
	g.atMost = min(g.atMost, c.Queue.AtMost)
	switch {
	case c.Runs || c.Waits && granted:
		g.running = append(g.running, c.Model)
	case c.Waits:
		g.waiting = append(g.waiting, c)
	}
}

// settle gives the free places to those that come first and could begin.
func (g *group) settle(turns map[string]Turn) {
	slices.Sort(g.running)
	slices.SortFunc(g.waiting, func(a, b Claimant) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Model, b.Model))
	})
	free := g.atMost - len(g.running)
	for i, c := range g.waiting {
		t := turns[c.Model]
		t.Position, t.Of = i+1, len(g.waiting)
		switch {
		case t.Why != "":
		case free > 0:
			free--
		default:
			t.Why = fmt.Sprintf("place %d of %d in the queue of group %s: %s, at most %d at once", t.Position, t.Of, c.Queue.Group, g.busy(), g.atMost)
		}
		turns[c.Model] = t
	}
}

func (g *group) busy() string {
	if len(g.running) == 0 {
		return "others come first"
	}
	return strings.Join(g.running[:min(named, len(g.running))], ", ") + " " + isAre(len(g.running)) + " switched"
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// dependency says which model c has to wait for; empty when none. A model that
// nobody knows is not waited for.
func dependency(c Claimant, all map[string]Claimant) string {
	for _, on := range c.DependsOn {
		if other := all[on]; other.Unsettled != "" {
			return fmt.Sprintf("it depends on %s: %s", on, other.Unsettled)
		}
	}
	return ""
}
