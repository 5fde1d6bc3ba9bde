package simulate

import (
	"encoding/json"
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// World is one model and everything around it.
type World struct {
	// Story is all that happened so far, oldest first.
	Story []Line
	// Look is called after each thing that happened.
	Look func()
	// Heard, if set, is told what each event did: it hears what a recorder of switches does.
	Heard func(before, after rollout.State, e rollout.Event, now time.Time)
	// Ahead is when the world will be changed, in order: what is worth a closer look.
	Ahead []time.Time

	// Answer, if set, says how long nodes take to answer a routing, and who rejects it.
	Answer func(rollout.Routing) (time.Duration, Nack)
	// Asked, if set, says how a wish to have instances let go, or back, is answered, and
	// who moves then, in a world whose registry gives a fixed answer.
	Asked func(rollout.LetGo) (Retire, []Move)

	now   time.Time
	model string
	given Given
	state rollout.State
	down  bool // the control plane is not running
	life  int  // how often it was started again: what an earlier one began is nobody's
	err   error

	queue    queue
	registry registry
	fleet    fleet
	users    users
	policies policies
	run      *checkRun // running; nil if none
	switches int       // ids given so far
	proposed bool      // what the policy wants waits for its turn
	changed  time.Time // when the world, or what the model does, last changed
}

// tooOften is how many things may happen at one moment: a world that does more
// stands still.
const tooOften = 10_000

// New is a world in which the model was just met or, if live is not empty, has been
// routed to that color before.
func New(model string, entry policy.Entry, at time.Time, g Given, live policy.Color) *World {
	w := &World{now: at, model: model, given: g, state: rollout.New(model), changed: at, Look: func() {}}
	w.registry.model = model
	w.policies.entry, w.policies.force = entry, entry.Model
	for _, c := range policy.Colors {
		w.registry.set(c, *g.Registry.Of(c))
	}
	w.registry.trouble(g.Registry.Problem, at)
	w.fleet.shape(g.Nodes, at, entry.Model.Route.Fleets)
	w.fleet.settled = true
	w.users.begin(at)
	if live != "" {
		w.state.Live, w.state.Generation, w.state.Weights, w.state.Since = live, 1, rollout.AllOn(live), at
		w.apply(rollout.Recovered{})
	}
	w.observe()
	w.hear()
	w.plan(0, w.closeWindow)
	return w
}

// Now is the simulated time.
func (w *World) Now() time.Time { return w.now }

// State is where the model stands.
func (w *World) State() rollout.State { return w.state }

// Policy is the policy in force.
func (w *World) Policy() *policy.Model { return w.policies.force }

// Given is how the world is; instances that have come and gone by themselves are
// counted as they are.
func (w *World) Given() Given {
	g := w.given
	for _, c := range policy.Colors {
		in, side := w.registry.sides.Of(c), g.Registry.Of(c)
		side.Ready, side.Unready, side.Version = len(in.ready), in.unready, in.version
	}
	return g
}

// Change makes the world another one now.
func (w *World) Change(do func()) {
	w.passTraffic()
	w.changed = w.now
	do()
}

// Run lets time pass until a moment; what happens then has happened. An error means
// that the world came to a stop at one moment.
func (w *World) Run(until time.Time) error {
	last, times := w.now, 0
	for w.err == nil {
		next, wake := w.queue.next(), w.wake()
		if next != nil && (wake.IsZero() || !next.at.After(wake)) {
			if next.at.After(until) {
				break
			}
			w.queue.take()
			w.now = later(w.now, next.at)
			next.do()
		} else {
			if wake.IsZero() || wake.After(until) {
				break
			}
			w.now = later(w.now, wake)
			w.apply(rollout.Tick{})
		}
		w.Look()
		if times++; w.now.After(last) {
			last, times = w.now, 0
		}
		if times > tooOften {
			w.err = fmt.Errorf("%s never sleeps at %s", w.state.Phase, w.now.Format(time.RFC3339))
		}
	}
	w.now = later(w.now, until)
	w.passTraffic()
	return w.err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// wake is when the model wants to be woken.
func (w *World) wake() time.Time {
	if w.down {
		return time.Time{}
	}
	return w.state.WakeAt()
}

// plan lets something happen after a while.
func (w *World) plan(after time.Duration, do func()) { w.queue.plan(w.now.Add(after), do) }

// planHere is plan for what a control plane does: one that has ended since does nothing.
func (w *World) planHere(after time.Duration, do func()) {
	life := w.life
	w.plan(after, func() {
		if w.life == life && !w.down {
			do()
		}
	})
}

// apply takes one event, as a loop does, and does what Step wants done.
func (w *World) apply(e rollout.Event) *rollout.Refuse {
	before := w.state
	next, actions := rollout.Step(before, e, w.policies.force, w.now)
	w.state = next
	if next.Phase != before.Phase || next.Generation != before.Generation {
		w.changed = w.now
	}
	if len(actions) == 1 {
		if no, ok := actions[0].(rollout.Refuse); ok {
			return &no
		}
	}
	w.tellChange(before)
	if w.Heard != nil {
		w.Heard(before, next, e, w.now)
	}
	if next.Phase == rollout.Waiting && before.Phase != rollout.Waiting {
		w.planHere(0, w.turn)
	}
	w.serve()
	for _, a := range actions {
		w.act(a)
	}
	return nil
}

// act does one piece of work; what takes time comes back as an event.
func (w *World) act(a rollout.Action) {
	switch a := a.(type) {
	case rollout.Publish:
		w.publish(a.Routing)
	case rollout.RunChecks:
		w.startChecks(a)
	case rollout.CancelChecks:
		if w.run != nil && w.run.id == a.Run {
			w.run = nil
		}
	case rollout.LetGo:
		w.letGo(a)
	case rollout.RevertPolicy:
		w.revert(a.Reason)
	case rollout.Propose:
		w.propose(a.Command)
	}
}

// propose carries out what the policy wants, in its turn and once.
func (w *World) propose(c rollout.Command) {
	if w.proposed {
		return
	}
	w.proposed = true
	w.planHere(0, func() {
		w.proposed = false
		w.Command(c)
	})
}

// Command gives the model a command, and answers with its refusal; nil when it was
// taken. A new switch is given an id.
func (w *World) Command(c rollout.Command) *rollout.Refuse {
	if w.down {
		return &rollout.Refuse{Code: rollout.NotNow, Message: "the control plane is not running"}
	}
	if (c.Verb == rollout.Start || c.Before != nil) && c.ID == "" {
		w.switches++
		c.ID = fmt.Sprintf("%s-%s-%04x", w.now.UTC().Format("20060102T150405"), w.model, w.switches)
	}
	no := w.apply(c)
	if no != nil {
		w.tell(fmt.Sprintf("%s of %s was refused (%s): %s", c.Verb, c.Actor, no.Code, no.Message))
	}
	return no
}

// Restart ends the control plane and begins it anew after a while, with nothing but
// what it journaled.
func (w *World) Restart(after time.Duration) {
	w.passTraffic()
	w.tell("the control plane ends")
	w.life++
	w.down, w.run, w.proposed = true, nil, false
	w.users.begin(w.now)
	journaled, err := journal(w.state)
	if err != nil {
		w.err = err
		return
	}
	w.state = journaled
	w.plan(after, w.recover)
}

// journal is what a state is after it was written and read.
func journal(s rollout.State) (rollout.State, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return s, fmt.Errorf("write state: %w", err)
	}
	var out rollout.State
	if err := json.Unmarshal(raw, &out); err != nil {
		return s, fmt.Errorf("read state: %w", err)
	}
	return out, nil
}

func (w *World) recover() {
	w.passTraffic()
	w.down = false
	w.changed = w.now
	w.tell("the control plane is there again")
	w.users.begin(w.now)
	w.fleet.settled, w.fleet.published = false, nil
	w.policies.restart(w.state.Word.Want)
	w.apply(rollout.Recovered{})
	w.observe()
	w.hear()
	w.answers()
	w.turn()
	w.plan(0, w.closeWindow)
	if entry := w.policies.entry; entry.Model != nil && !same(entry.Model, w.policies.force) {
		w.planHere(0, func() { w.TakePolicy(entry) })
	}
}
