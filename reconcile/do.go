package reconcile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"greenlight/rollout"
)

// request is a command on its way to a loop; reply has room for the answer.
type request struct {
	command rollout.Command
	reply   chan reply
}

type reply struct {
	status rollout.Status
	err    error
}

// Do gives a model a command and returns the status that it led to, once that
// is journaled. The error is a *rollout.RefusedError, or wraps
// rollout.ErrNoModel, rollout.ErrKeyReused, ErrJournal or ErrStopped. A Start without an ID is given one.
func (g *Group) Do(ctx context.Context, model string, cmd rollout.Command) (rollout.Status, error) {
	select {
	case <-g.stopped:
		return rollout.Status{}, ErrStopped
	default:
	}
	l := g.loop(model)
	if l == nil {
		return rollout.Status{}, g.noLoop(model)
	}
	if (cmd.Verb == rollout.Start || cmd.Before != nil) && cmd.ID == "" {
		cmd.ID = g.ids.next(model, time.Now())
	}
	return g.command(ctx, l, cmd)
}

// noLoop is why a model takes no commands: it is unknown, or never had a
// policy that could be used.
func (g *Group) noLoop(model string) error {
	if s, ok := g.board.get(model); ok {
		return &rollout.RefusedError{
			Code:    rollout.NotNow,
			Message: fmt.Sprintf("%s has no policy in force: %s; correct the file first", model, s.PolicyProblem),
		}
	}
	return fmt.Errorf("%w: %q", rollout.ErrNoModel, model)
}

// answer runs a command inside the loop.
func (l *loop) answer(r request) {
	status, err := l.execute(r.command)
	r.reply <- reply{status, err}
}

func (l *loop) execute(cmd rollout.Command) (rollout.Status, error) {
	if l.failing != nil {
		return rollout.Status{}, fmt.Errorf("%s %s: %w since %s, nothing was done: %w", cmd.Verb, l.model,
			ErrJournal, l.failing.since.Format(time.RFC3339), l.failing.err)
	}
	if cmd.Verb == rollout.Start && cmd.Key != "" {
		sw, err := l.o.Journal.SwitchByKey(l.model, cmd.Key)
		if err != nil {
			return rollout.Status{}, fmt.Errorf("look up idempotency key %q: %w", cmd.Key, err)
		}
		if sw != nil {
			return l.repeated(cmd, sw)
		}
	}
	actions, err := l.apply(cmd)
	if err != nil {
		l.stall(err)
		return rollout.Status{}, fmt.Errorf("%s %s: %w, nothing was done: %w", cmd.Verb, l.model, ErrJournal, err)
	}
	l.serve()
	if err := refused(actions); err != nil {
		return rollout.Status{}, err
	}
	l.show()
	return l.shown, nil
}

// repeated answers a Start whose key has been seen: the same wish gets the
// switch that it led to, another one is an error.
func (l *loop) repeated(cmd rollout.Command, sw *rollout.Switch) (rollout.Status, error) {
	if another(cmd, sw) {
		return rollout.Status{}, fmt.Errorf("%w: %q has started switch %s of %s to %s by %s; use a new key for a new switch",
			rollout.ErrKeyReused, cmd.Key, sw.ID, sw.Model, sw.To, sw.Actor)
	}
	s := l.shown
	if s.State.Switch == nil || s.State.Switch.ID != sw.ID {
		s.State.Switch = sw
	}
	return s, nil
}

// another reports whether a Start wishes anything but what led to sw. What a switch came
// from may have changed while it was in the queue: then nobody can tell.
func another(cmd rollout.Command, sw *rollout.Switch) bool {
	switch {
	case sw.Actor != cmd.Actor, sw.Forced != cmd.Force, sw.Again != cmd.Again, cmd.Now && !sw.Now:
		return true
	case cmd.Target != "" && cmd.Target != sw.To, cmd.ExpectLive != "" && cmd.ExpectLive != sw.From:
		return true
	case cmd.ExpectVersion == "" || cmd.ExpectVersion == sw.FromVersion:
		return false
	}
	return !slices.ContainsFunc(sw.Transitions, func(t rollout.Transition) bool { return t.To == rollout.Waiting })
}

// idMaker makes switch ids: sortable by time, and unique as long as a model
// does not begin 65,536 switches in one second.
type idMaker struct{ counter atomic.Uint32 }

func newIDMaker() *idMaker {
	m := &idMaker{}
	m.counter.Store(rand.Uint32())
	return m
}

func (m *idMaker) next(model string, now time.Time) string {
	return fmt.Sprintf("%s-%s-%04x", now.UTC().Format("20060102T150405"), model, uint16(m.counter.Add(1)))
}
