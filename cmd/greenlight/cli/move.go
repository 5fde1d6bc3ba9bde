package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

// order is what all commands that move traffic have in common.
type order struct {
	reason string
	actor  string
	wait   bool
}

func (o *order) flags(cmd *cobra.Command, wait string) {
	f := cmd.Flags()
	f.StringVarP(&o.reason, "reason", "r", "", "why; the history keeps it")
	f.StringVar(&o.actor, "actor", "", "who asks; default GREENLIGHT_ACTOR, else USER@HOST")
	f.BoolVarP(&o.wait, "wait", "w", false, wait)
	noFiles(cmd.RegisterFlagCompletionFunc("reason", cobra.NoFileCompletions))
	noFiles(cmd.RegisterFlagCompletionFunc("actor", cobra.NoFileCompletions))
}

func (o *order) who() string {
	if o.actor != "" {
		return o.actor
	}
	return whoami()
}

// plain is a command with no flags but those of every order.
type plainOrder struct {
	verb, short, long, example string
	wait                       string // what --wait waits for, for its help
	done                       string // what is said once the server took it
	goal                       goal
	send                       func(ctx context.Context, model string, o *order) (*adminv1.ModelStatus, error)
}

func (a *app) plain(p plainOrder) *cobra.Command {
	o := &order{}
	cmd := &cobra.Command{
		Use: p.verb + " MODEL", Short: p.short, Long: p.long, Example: p.example,
		Args: exactlyOne("MODEL"), ValidArgsFunction: a.completeModel,
	}
	o.flags(cmd, p.wait)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		m, err := p.send(cmd.Context(), args[0], o)
		if err != nil {
			return err
		}
		return a.after(cmd, m, o.wait, p.goal, p.done)
	}
	return cmd
}

// after ends a command that the server took: with a word, or by waiting.
func (a *app) after(cmd *cobra.Command, m *adminv1.ModelStatus, wait bool, g goal, done string) error {
	if wait {
		return a.follow(cmd, m, g)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %s (%s, %s)\n", m.GetModel(), done,
		phaseWord(m.GetState().GetPhase()), weightWords(m.GetState().GetWeights()))
	return nil
}

func (a *app) promoteCommand() *cobra.Command {
	now := false
	cmd := a.plain(plainOrder{
		verb: "promote", short: "End the present hold or bake now, or go on from a held switch",
		long: `End the present hold or bake now: the running switch goes on to its next step, or
is done. A switch that Greenlight holds because a person has to decide goes on.

With --now it also goes on outside of its windows and in a freeze, and a switch
that waits for its turn begins.`,
		example: `  greenlight promote fraud --reason "looks good" --wait
  greenlight promote fraud --now --reason "the old one leaks memory"`,
		wait: "show progress until the switch has ended", done: "goes on", goal: succeed,
		send: func(ctx context.Context, model string, o *order) (*adminv1.ModelStatus, error) {
			q := &adminv1.PromoteRequest{Model: model, Actor: o.who(), Reason: o.reason, Now: now}
			r, err := ask(ctx, a, q, adminv1.AdminServiceClient.Promote)
			return r.GetModel(), err
		},
	})
	cmd.Flags().BoolVar(&now, "now", false, "also outside of its windows, and before its turn; needs --reason")
	return cmd
}

func (a *app) pauseCommand() *cobra.Command {
	return a.plain(plainOrder{
		verb: "pause", short: "Stop the clock of the running switch; weights stand",
		long: `Stop the clock of the running switch: no further step is taken, and traffic stays
split as it is, until resume, abort or rollback.`,
		example: "  greenlight pause fraud --reason \"looking at latency\"",
		wait:    "wait until every node runs the weights that stand", done: "is paused", goal: stand,
		send: func(ctx context.Context, model string, o *order) (*adminv1.ModelStatus, error) {
			q := &adminv1.PauseRequest{Model: model, Actor: o.who(), Reason: o.reason}
			r, err := ask(ctx, a, q, adminv1.AdminServiceClient.Pause)
			return r.GetModel(), err
		},
	})
}

func (a *app) resumeCommand() *cobra.Command {
	return a.plain(plainOrder{
		verb: "resume", short: "Go on where pause stopped",
		long:    "Go on where pause stopped, with the time that the phase had left.",
		example: "  greenlight resume fraud --wait",
		wait:    "show progress until the switch has ended", done: "goes on", goal: succeed,
		send: func(ctx context.Context, model string, o *order) (*adminv1.ModelStatus, error) {
			q := &adminv1.ResumeRequest{Model: model, Actor: o.who(), Reason: o.reason}
			r, err := ask(ctx, a, q, adminv1.AdminServiceClient.Resume)
			return r.GetModel(), err
		},
	})
}

func (a *app) abortCommand() *cobra.Command {
	return a.plain(plainOrder{
		verb: "abort", short: "End the running switch; all traffic back where it was",
		long: `End the running switch and send all traffic back to the color that was live when it
began. If no user has met the new color yet, nothing but the switch ends.`,
		example: "  greenlight abort fraud --reason \"wrong build\" --wait",
		wait:    "wait until every node has gone back", done: "ends its switch", goal: goBack,
		send: func(ctx context.Context, model string, o *order) (*adminv1.ModelStatus, error) {
			q := &adminv1.AbortRequest{Model: model, Actor: o.who(), Reason: o.reason}
			r, err := ask(ctx, a, q, adminv1.AdminServiceClient.Abort)
			return r.GetModel(), err
		},
	})
}

func (a *app) rollbackCommand() *cobra.Command {
	force, to := false, ""
	cmd := a.plain(plainOrder{
		verb: "rollback", short: "Send all traffic back, also after the switch succeeded",
		long: `Send all traffic back to the color that was live before the running or the last
switch. That works until the old color was let go. With --force it works even
if the old color is unhealthy, and needs a --reason.

With --to it goes back to what was live before that switch, any that the history
keeps, if its color still runs that version; otherwise it says what is there now.`,
		example: `  greenlight rollback fraud --reason "scores drift" --wait
  greenlight rollback fraud --to 20261101T101500-fraud-00a1 --wait
  greenlight rollback fraud --force --reason "half of blue is better than green"`,
		wait: "wait until every node has gone back", done: "goes back", goal: goBack,
		send: func(ctx context.Context, model string, o *order) (*adminv1.ModelStatus, error) {
			q := &adminv1.RollbackRequest{Model: model, Actor: o.who(), Reason: o.reason, Force: force, BeforeSwitch: to}
			r, err := ask(ctx, a, q, adminv1.AdminServiceClient.Rollback)
			return r.GetModel(), err
		},
	})
	cmd.Flags().BoolVar(&force, "force", false, "go back even to a color that is unhealthy or was let go; needs --reason")
	cmd.Flags().StringVar(&to, "to", "", "go back to before the switch with this `id`")
	noFiles(cmd.RegisterFlagCompletionFunc("to", a.completeSwitch))
	return cmd
}

// waitLimit is how long follow waits: for ever unless --timeout was given.
func (a *app) waitLimit(cmd *cobra.Command) time.Duration {
	if cmd.Flags().Changed("timeout") {
		return a.timeout
	}
	return 0
}
