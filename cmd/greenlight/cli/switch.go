package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

// colorFlag is a flag whose value is blue or green.
type colorFlag struct{ color adminv1.Color }

// String, Set and Type implement pflag.Value.
func (f *colorFlag) String() string { return colorWord(f.color) }

// Set takes blue or green.
func (f *colorFlag) Set(s string) error {
	switch s {
	case "blue":
		f.color = adminv1.Color_COLOR_BLUE
	case "green":
		f.color = adminv1.Color_COLOR_GREEN
	default:
		return fmt.Errorf("must be blue or green")
	}
	return nil
}

// Type is what help calls the value.
func (f *colorFlag) Type() string { return "color" }

type switchOrder struct {
	order
	to, expectLive colorFlag
	expectVersion  string
	key            string
	force, again   bool
	override, now  bool
}

func (a *app) switchCommand() *cobra.Command {
	o := &switchOrder{}
	cmd := &cobra.Command{
		Use:   "switch MODEL",
		Short: "Make the idle color live",
		Long: `Make the idle color live, as the model's policy says: it is validated, then
given traffic step by step, then watched. The command returns when the server
has journaled the switch; with --wait it shows progress to the end.

A version that users were taken back from is not tried again by itself: the
switch is refused, unless --again says that it is meant.

Where the policy says what is live (spec.live), a switch to anything else is
refused, unless --override says that it is meant, and --reason why; the status
shows that as drift until they agree.

Where the policy has windows, dependencies or a queue, the switch waits for its
turn ('greenlight queue' shows the order), unless --now says that it can't wait.

Exit codes: 0 accepted (with --wait: succeeded); 1 refused by the server, failed,
rolled back or held (with --wait also: given up waiting, and the switch goes
on); 2 wrong usage; 3 the server can't be reached.`,
		Example: `  greenlight switch fraud
  greenlight switch fraud --to green --wait --timeout 1h
  greenlight switch fraud --expect-live blue --expect-version 2026-10-01 --key "$CI_JOB_ID" --wait
  greenlight switch fraud --again --reason "the features were late, not the model wrong"
  greenlight switch fraud --force --reason "validation data is outdated, see RISK-12"`,
		Args:              exactlyOne("MODEL"),
		ValidArgsFunction: a.completeModel,
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.start(cmd, args[0], o) }
	return cmd
}

func (o *switchOrder) flags(cmd *cobra.Command) {
	o.order.flags(cmd, "show progress until the switch has ended")
	f := cmd.Flags()
	f.Var(&o.to, "to", "blue or green; default whichever is idle")
	f.Var(&o.expectLive, "expect-live", "start only if this color is live")
	f.StringVar(&o.expectVersion, "expect-version", "", "start only if the live color serves this version")
	f.StringVar(&o.key, "key", "", "idempotency key: asking again with it starts nothing new")
	f.BoolVar(&o.force, "force", false, "skip validation; needs --reason")
	f.BoolVar(&o.again, "again", false, "start although the version was taken back before")
	f.BoolVar(&o.override, "override", false, "start although the policy wants something else live; needs --reason")
	f.BoolVar(&o.now, "now", false, "wait for no window, no other model and no queue; needs --reason")
	colors := cobra.FixedCompletions([]string{"blue", "green"}, cobra.ShellCompDirectiveNoFileComp)
	noFiles(cmd.RegisterFlagCompletionFunc("to", colors))
	noFiles(cmd.RegisterFlagCompletionFunc("expect-live", colors))
	noFiles(cmd.RegisterFlagCompletionFunc("expect-version", cobra.NoFileCompletions))
	noFiles(cmd.RegisterFlagCompletionFunc("key", cobra.NoFileCompletions))
}

func (a *app) start(cmd *cobra.Command, model string, o *switchOrder) error {
	r, err := ask(cmd.Context(), a, &adminv1.StartSwitchRequest{
		Model: model, Target: o.to.color, ExpectLive: o.expectLive.color, ExpectVersion: o.expectVersion,
		IdempotencyKey: o.key, Reason: o.reason, Actor: o.who(), Force: o.force, Again: o.again, Override: o.override, Now: o.now,
	}, adminv1.AdminServiceClient.StartSwitch)
	if err != nil {
		return err
	}
	m := r.GetModel()
	if o.wait {
		return a.follow(cmd, m, succeed)
	}
	startedLine(cmd.OutOrStdout(), m)
	return nil
}

// startedLine says what the server did with a StartSwitch: a switch that has
// an outcome was started by an earlier request with the same key.
func startedLine(w io.Writer, m *adminv1.ModelStatus) {
	sw := m.GetState().GetSwitch()
	if sw.GetOutcome() != adminv1.Outcome_OUTCOME_UNSPECIFIED {
		fmt.Fprintf(w, "%s: switch %s of this key has already ended: %s\n", m.GetModel(), sw.GetId(), outcomeWord(sw.GetOutcome()))
		return
	}
	fmt.Fprintf(w, "%s: switch %s from %s to %s started (%s); follow it with 'greenlight status %s'\n",
		m.GetModel(), sw.GetId(), colorWord(sw.GetFrom()), colorWord(sw.GetTo()),
		phaseWord(m.GetState().GetPhase()), m.GetModel())
}
