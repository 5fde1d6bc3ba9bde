package reconcile

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"greenlight/rollout"
)

// The pauses between two tries of a failing journal.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// failure is a journal that can't be written.
type failure struct {
	err   error
	since time.Time
	pause time.Duration // until the next try
}

func (f *failure) String() string {
	return fmt.Sprintf("the journal can't be written since %s: nothing is changed until it can (%v)",
		f.since.Format(time.RFC3339), f.err)
}

// add queues an event. News that is whole replaces older news of its kind.
func (l *loop) add(e rollout.Event) {
	for i, queued := range l.queue {
		if reflect.TypeOf(queued) != reflect.TypeOf(e) {
			continue
		}
		switch news := e.(type) {
		case rollout.Measured: // more of the same
			old, _ := queued.(rollout.Measured)
			l.queue[i] = rollout.Measured{Windows: slices.Concat(old.Windows, news.Windows)}
			return
		case rollout.Observed, rollout.Rediscovering, rollout.Reported, rollout.PolicyChanged, rollout.TurnCame, rollout.Tick:
			l.queue[i] = e
			return
		}
	}
	l.queue = append(l.queue, e)
}

// drain applies what is queued, in order. When the journal fails, the event
// that it failed for stays first in the queue.
func (l *loop) drain() {
	for len(l.queue) > 0 && l.failing == nil {
		e := l.queue[0]
		l.queue = l.queue[1:]
		if _, err := l.apply(e); err != nil {
			l.queue = append([]rollout.Event{e}, l.queue...)
			l.stall(err)
			return
		}
		l.after(e)
	}
}

// after does what follows from an event being in force.
func (l *loop) after(e rollout.Event) {
	l.serve()
	if _, ok := e.(rollout.Observed); ok {
		l.settle()
	}
}

// settle says, once, that the group need not wait for the model any more.
func (l *loop) settle() {
	if !l.settled {
		l.settled = true
		l.g.start.settled(l.model)
	}
}

// settleStalled settles a model that was routed before although the journal can't be
// written: what stands in it is routed as soon as the registry has answered, and no
// other model's nodes have to wait for the disk.
func (l *loop) settleStalled() {
	if l.failing != nil && l.journaled && l.heard {
		l.settle()
	}
}

// apply takes one event: it asks Step, journals the answer, shows it, and only
// then does the work. On an error nothing has happened.
func (l *loop) apply(e rollout.Event) ([]rollout.Action, error) {
	now := time.Now()
	next, actions := rollout.Step(l.state, e, l.policy, now)
	if !sameJournaled(l.state, next) {
		if err := l.o.Journal.Commit(next); err != nil {
			return nil, err
		}
		l.journaled = true
		if next.Generation != l.state.Generation && !next.Deadline.IsZero() {
			next.Deadline = next.Deadline.Add(time.Since(now)) // nodes have their time from the publish on, not from before a slow disk
		}
	}
	last := l.state
	l.state = next
	l.record(last, e, actions, now)
	l.show()
	for _, a := range actions {
		l.act(a)
	}
	l.logChange(last)
	return actions, nil
}

// sameJournaled compares all that a restart can't find out again: not the
// facts, and not the problem, which is put into words anew by every Step and
// may change with every node that ACKs.
func sameJournaled(a, b rollout.State) bool {
	a.Facts, b.Facts = rollout.Facts{}, rollout.Facts{}
	a.Problem, b.Problem = "", ""
	return reflect.DeepEqual(a, b)
}

// stall keeps all events back until the journal works again.
func (l *loop) stall(err error) {
	if l.failing == nil {
		l.failing = &failure{since: time.Now(), pause: firstRetry}
	}
	l.failing.err = err
	l.log.Error("journal can't be written, nothing was done", "error", err, "retry", l.failing.pause)
	l.retry.Reset(l.failing.pause)
	l.failing.pause = min(2*l.failing.pause, lastRetry)
}

// tryJournal writes the state that stands once more; if that works the queue
// goes on.
func (l *loop) tryJournal() {
	if l.failing == nil {
		return
	}
	if err := l.o.Journal.Commit(l.state); err != nil {
		l.stall(err)
		return
	}
	l.log.Info("journal works again", "failed", time.Since(l.failing.since).Round(time.Millisecond))
	l.failing, l.journaled = nil, true
}

// refused finds the answer of a Step that did not take the command.
func refused(actions []rollout.Action) error {
	for _, a := range actions {
		if no, ok := a.(rollout.Refuse); ok {
			return &rollout.RefusedError{Code: no.Code, Message: no.Message}
		}
	}
	return nil
}
