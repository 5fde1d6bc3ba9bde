package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"greenlight/api"
	"greenlight/api/adminv1"
)

// quietEvery is the pause between two asks whether it is a quiet time.
const quietEvery = 10 * time.Second

type drillOrder struct {
	order
	below   float64
	anyRate bool
	within  time.Duration
}

func (a *app) drillCommand() *cobra.Command {
	o := &drillOrder{}
	cmd := &cobra.Command{
		Use:   "drill MODEL",
		Short: "Show that going back works: back and forward again, in a quiet time",
		Long: `Send all users to the old color and, as soon as every Envoy has confirmed it,
forward again: going back is then known to work, and how long it takes. The
history and the status keep the figures.

It is done when users ask for no more than half of the highest rate of the last
week, or for no more than --below. It is refused while a switch is running, and
when the old color could not take all users. If anything is wrong, the users
come forward at once.`,
		Example: `  greenlight drill fraud --wait
  greenlight drill fraud --within 12h --wait --reason "monthly drill"
  greenlight drill fraud --below 50 --wait`,
		Args:              exactlyOne("MODEL"),
		ValidArgsFunction: a.completeModel,
	}
	o.flags(cmd, "wait until every node has come forward again, and say how long it took")
	f := cmd.Flags()
	f.Float64Var(&o.below, "below", 0, "the `rate` of users' requests a second up to which it is done")
	f.BoolVar(&o.anyRate, "any-rate", false, "do it whatever users ask for, also where no fleet reports it")
	f.DurationVar(&o.within, "within", 0, "how long to wait for a quiet time before giving up")
	for _, name := range []string{"below", "within"} {
		noFiles(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case o.below < 0:
			return usageOf(cmd, fmt.Errorf("--below is %g; must be 0 or more", o.below))
		case o.within < 0:
			return usageOf(cmd, fmt.Errorf("--within is %s; must not be negative", o.within))
		case o.anyRate && (o.below > 0 || o.within > 0):
			return usageOf(cmd, errors.New("--any-rate waits for nothing; use it without --below and --within"))
		}
		m, err := a.drillWhenQuiet(cmd, args[0], o)
		if err != nil {
			return err
		}
		return a.after(cmd, m, o.wait, practise, "goes back and forward again")
	}
	return cmd
}

// drillWhenQuiet asks again and again until it is a quiet time, or --within is over.
func (a *app) drillWhenQuiet(cmd *cobra.Command, model string, o *drillOrder) (*adminv1.ModelStatus, error) {
	q := &adminv1.DrillRequest{Model: model, Actor: o.who(), Reason: o.reason, QuietPerSecond: o.below, AnyRate: o.anyRate}
	end, told := a.now().Add(o.within), false
	for {
		r, err := ask(cmd.Context(), a, q, adminv1.AdminServiceClient.Drill)
		if err == nil || !isBusy(err) || !a.now().Add(quietEvery).Before(end) {
			return r.GetModel(), err
		}
		if !told {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: waiting up to %s for a quiet time: %s\n", model, span(o.within), clean(err.Error()))
			told = true
		}
		if err := pause(cmd.Context(), quietEvery); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return errors.New("stopped waiting for a quiet time; nothing was done")
	case <-time.After(d):
		return nil
	}
}

// isBusy reports whether the server refused because it is no quiet time.
func isBusy(err error) bool {
	coded, ok := errors.AsType[*codedError](err)
	return ok && coded.reason == api.ReasonBusy
}

// judgeDrill ends the wait when the drill is no longer under way.
func judgeDrill(m *adminv1.ModelStatus) *verdict {
	sw := m.GetState().GetSwitch()
	drills := sw.GetDrills()
	if m.GetState().GetPhase() == adminv1.Phase_PHASE_DRILLING || len(drills) == 0 {
		return nil
	}
	d := drills[len(drills)-1]
	if d.GetProblem() != "" {
		return &verdict{text: "the drill has failed: " + d.GetProblem()}
	}
	return &verdict{ok: true, text: "the drill is over: " + drillWords(d)}
}

// drillWords is "back in 41ms, forward again in 38ms, at 12 requests/s".
func drillWords(d *adminv1.Drill) string {
	if d.GetProblem() != "" {
		return "failed: " + d.GetProblem()
	}
	if d.GetEnded() == nil {
		return "is under way"
	}
	out := fmt.Sprintf("back in %s, forward again in %s", span(d.GetBack().AsDuration()), span(d.GetForth().AsDuration()))
	if d.GetRequestsPerSecond() > 0 {
		out += fmt.Sprintf(", at %s requests/s", figure(d.GetRequestsPerSecond()))
	}
	return out
}
