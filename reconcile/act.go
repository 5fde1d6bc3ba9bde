package reconcile

import (
	"log/slog"
	"slices"
	"time"

	"greenlight/rollout"
)

// act does one piece of work. It never waits: what takes time runs beside the
// loop and comes back as an event.
func (l *loop) act(a rollout.Action) {
	switch a := a.(type) {
	case rollout.Publish:
		l.publish(a.Routing)
	case rollout.RunChecks:
		l.startChecks(a)
	case rollout.KeepVerdicts:
		l.saveVerdicts(a.SwitchID, a.Stage, a.Verdicts)
	case rollout.CancelChecks:
		l.cancelChecks(a.Run)
	case rollout.LetGo:
		l.letGo(a)
	case rollout.RevertPolicy:
		l.revert(a.Reason)
	case rollout.Propose:
		l.propose(a.Command)
	case rollout.Refuse: // the answer to a command; nothing to do
	}
}

// propose carries out what the policy wants, in its turn and once.
func (l *loop) propose(c rollout.Command) {
	waiting := slices.ContainsFunc(l.queue, func(e rollout.Event) bool {
		_, ok := e.(rollout.Command)
		return ok
	})
	if !waiting {
		c.ID = l.g.ids.next(l.model, time.Now())
		l.add(c)
	}
}

// publish routes, but never before the fleets were given endpoints: routes to
// clusters that nobody filled answer 503.
//
// A policy that a node just rejected is not published again, although Step,
// which was asked before that was known, still names it.
func (l *loop) publish(r rollout.Routing) {
	if no := l.rejected; no != nil && !no.standing && same(r.Policy, no.policy) {
		r.Policy = l.policy
	}
	l.published = &r
	if !l.fed {
		l.unsent = true
		return
	}
	l.o.Fleet.Route(r)
	signal(l.fleet) // with no node to ask there may be news at once
}

// hear takes what the fleets say now.
func (l *loop) hear() {
	l.report = l.o.Fleet.Report(l.model)
	l.notePolicyTaken()
	l.add(rollout.Reported{Report: l.report})
}

// measure takes what the fleets report of users' requests.
func (l *loop) measure() {
	if windows := l.o.Traffic.Take(l.model); len(windows) > 0 {
		l.add(rollout.Measured{Windows: windows})
	}
}

// logChange writes one line for each transition that last did not have, and
// one for a new problem.
func (l *loop) logChange(last rollout.State) {
	now := l.state
	switch {
	case now.Switch != nil:
		for _, t := range newTransitions(last.Switch, now.Switch) {
			l.logTransition(now.Switch.ID, t)
		}
	case last.Generation != now.Generation:
		l.logTransition("", rollout.Transition{
			From: last.Phase, To: now.Phase, Generation: now.Generation, Weights: now.Weights,
			Reason: "routing published outside of a switch",
		})
	}
	if now.Problem != "" && wording(now.Problem) != wording(last.Problem) {
		l.log.Warn("a person should look", "phase", now.Phase, "problem", now.Problem)
	}
}

func newTransitions(last, now *rollout.Switch) []rollout.Transition {
	if last == nil || last.ID != now.ID {
		return now.Transitions
	}
	return now.Transitions[min(len(last.Transitions), len(now.Transitions)):]
}

func (l *loop) logTransition(id string, t rollout.Transition) {
	l.log.LogAttrs(l.ctx, slog.LevelInfo, "transition",
		slog.String("switch", id), slog.String("from", string(t.From)), slog.String("to", string(t.To)),
		slog.String("actor", t.Actor), slog.String("reason", t.Reason),
		slog.Int("blue", int(t.Weights.Blue)), slog.Int("green", int(t.Weights.Green)),
		slog.Uint64("generation", t.Generation))
}
