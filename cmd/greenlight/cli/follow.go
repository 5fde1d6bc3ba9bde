package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
)

const (
	// returnWithin is how long a waiting command stands a server that is away:
	// longer than a restart takes.
	returnWithin = 30 * time.Second
	// askAgain is the pause between two tries to reach it.
	askAgain = 500 * time.Millisecond
)

// follower waits for one switch to reach a goal.
type follower struct {
	app    *app
	client adminv1.AdminServiceClient
	view   view
	goal   goal
	model  string
	id     string // of the switch
}

// follow shows the progress of m's switch until g is reached or can't be any
// more. That ends only the watching: the switch goes on by itself.
func (a *app) follow(cmd *cobra.Command, m *adminv1.ModelStatus, g goal) error {
	client, hangUp, err := a.dial()
	if err != nil {
		return err
	}
	defer hangUp()
	ctx := cmd.Context()
	if limit := a.waitLimit(cmd); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	f := &follower{
		app: a, client: client, view: a.newView(cmd.OutOrStdout()), goal: g,
		model: m.GetModel(), id: m.GetState().GetSwitch().GetId(),
	}
	v, err := f.run(ctx, m)
	f.view.end()
	if err != nil {
		return f.gaveUp(ctx, err)
	}
	return f.conclude(cmd.OutOrStdout(), v)
}

// conclude prints the verdict as the last line.
func (f *follower) conclude(w io.Writer, v *verdict) error {
	fmt.Fprintf(w, "%s: %s\n", f.model, clean(v.text))
	if !v.ok {
		return WithCode(codeFailed, nil)
	}
	return nil
}

// gaveUp says that the switch goes on although nobody watches it here.
func (f *follower) gaveUp(ctx context.Context, err error) error {
	out := &codedError{
		code: codeFailed,
		hint: fmt.Sprintf("see it with 'greenlight status %s', end it with 'greenlight abort %s'", f.model, f.model),
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		out.err = fmt.Errorf("gave up waiting after %s; switch %s of %s goes on by itself", span(f.app.timeout), f.id, f.model)
	case ctx.Err() != nil:
		out.err = fmt.Errorf("stopped waiting; switch %s of %s goes on by itself", f.id, f.model)
	default:
		return err
	}
	return out
}

// run shows m and what comes after it. A server that goes away is given time
// to come back: it continues its switches after a restart.
func (f *follower) run(ctx context.Context, m *adminv1.ModelStatus) (*verdict, error) {
	if v := f.take(m); v != nil {
		return v, nil
	}
	var awaySince time.Time
	for {
		v, heard, err := f.watch(ctx)
		if v != nil || ctx.Err() != nil {
			return v, err
		}
		if status.Code(err) == codes.DeadlineExceeded {
			return nil, context.DeadlineExceeded // the server has seen it first
		}
		if heard || awaySince.IsZero() {
			awaySince = f.app.now()
		}
		if !temporary(err) || f.app.now().Sub(awaySince) > returnWithin {
			return nil, f.app.explain(err)
		}
		f.view.note("the server is away, trying again")
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(askAgain):
		}
	}
}

// temporary is true of errors that a restart of the server causes.
func temporary(err error) bool {
	return errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable
}

// watch follows one stream. heard is true if anything came.
func (f *follower) watch(ctx context.Context) (v *verdict, heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := f.client.Watch(ctx, &adminv1.WatchRequest{Model: f.model})
	if err != nil {
		return nil, false, err
	}
	for {
		r, err := stream.Recv()
		if err != nil {
			return nil, heard, err
		}
		heard = true
		m := r.GetModel()
		if m == nil {
			continue
		}
		if m.GetState().GetSwitch().GetId() == f.id {
			v = f.take(m)
		} else {
			v, err = f.past(ctx)
		}
		if v != nil || err != nil {
			return v, heard, err
		}
	}
}

func (f *follower) take(m *adminv1.ModelStatus) *verdict {
	f.view.show(m)
	return f.goal.judge(m)
}

// past judges the switch by the history: another one has begun since.
func (f *follower) past(ctx context.Context) (*verdict, error) {
	r, err := f.client.GetSwitch(ctx, &adminv1.GetSwitchRequest{Id: f.id})
	if err != nil {
		return nil, err
	}
	if r.GetSwitch().GetOutcome() == adminv1.Outcome_OUTCOME_UNSPECIFIED {
		return nil, nil
	}
	return f.goal.judgeEnded(r.GetSwitch()), nil
}
