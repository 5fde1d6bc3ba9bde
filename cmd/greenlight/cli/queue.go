package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

func (a *app) queueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "List the switches that wait for their turn, or give one another place",
		Long: `List the switches that wait for their turn: for a window, for models that they
depend on, or for a place in their group, in the order in which they come. 'queue
move' gives one another place; 'abort' ends it; 'promote --now' lets it begin.`,
		Example: `  greenlight queue
  greenlight queue move ranker --first`,
		Args:              subcommand,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.SuggestionsMinimumDistance = 2
	out := listingFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := ask(cmd.Context(), a, &adminv1.ListModelsRequest{}, adminv1.AdminServiceClient.ListModels)
		if err != nil {
			return err
		}
		waiting := waitingFirst(r.GetModels())
		return out.show(cmd.OutOrStdout(), &adminv1.ListModelsResponse{Models: waiting}, func(w io.Writer) error {
			return a.queueTable(w, waiting)
		})
	}
	cmd.AddCommand(a.moveCommand())
	return cmd
}

// waitingFirst is the models whose switch waits, by group and place.
func waitingFirst(all []*adminv1.ModelStatus) []*adminv1.ModelStatus {
	waiting := slices.DeleteFunc(slices.Clone(all), func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetPhase() != adminv1.Phase_PHASE_WAITING
	})
	slices.SortStableFunc(waiting, func(a, b *adminv1.ModelStatus) int {
		return cmp.Or(
			cmp.Compare(a.GetPolicy().GetQueue().GetGroup(), b.GetPolicy().GetQueue().GetGroup()),
			cmp.Compare(a.GetState().GetQueued().GetOrder(), b.GetState().GetQueued().GetOrder()),
		)
	})
	return waiting
}

func (a *app) queueTable(w io.Writer, waiting []*adminv1.ModelStatus) error {
	if len(waiting) == 0 {
		fmt.Fprintln(w, "No switch waits for its turn.")
		return nil
	}
	t := newTable(w, "GROUP", "MODEL", "SWITCH", "TO", "WAITS", "ACTOR", "FOR")
	for _, m := range waiting {
		st := m.GetState()
		sw := st.GetSwitch()
		t.row(m.GetPolicy().GetQueue().GetGroup(), m.GetModel(), sw.GetId(),
			withVersion(colorWord(sw.GetTo()), sw.GetToVersion()), a.age(st.GetSince()), sw.GetActor(), st.GetQueued().GetWhy())
	}
	return t.flush()
}

func (a *app) moveCommand() *cobra.Command {
	var first, last bool
	before := ""
	cmd := a.plain(plainOrder{
		verb: "move", short: "Give a switch that waits another place in its group's queue",
		long: `Give MODEL's switch, which waits for its turn, another place in the queue of its
group: first, last, or before another model's.`,
		example: `  greenlight queue move ranker --first --reason "the launch waits for it"
  greenlight queue move ranker --before embedder`,
		wait: "show progress until the switch has ended", done: "has another place", goal: succeed,
		send: func(ctx context.Context, model string, o *order) (*adminv1.ModelStatus, error) {
			q := &adminv1.RequeueRequest{Model: model, Actor: o.who(), Reason: o.reason, BeforeModel: before, Last: last}
			r, err := ask(ctx, a, q, adminv1.AdminServiceClient.Requeue)
			return r.GetModel(), err
		},
	})
	f := cmd.Flags()
	f.BoolVar(&first, "first", false, "before all others")
	f.BoolVar(&last, "last", false, "behind all others")
	f.StringVar(&before, "before", "", "before the switch of this `model`")
	noFiles(cmd.RegisterFlagCompletionFunc("before", a.completeModel))
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if n := len(slices.DeleteFunc([]bool{first, last, before != ""}, func(set bool) bool { return !set })); n != 1 {
			return usageOf(cmd, errors.New("name the place: one of --first, --last and --before MODEL"))
		}
		return run(cmd, args)
	}
	return cmd
}

func (a *app) approveCommand() *cobra.Command {
	return a.plain(plainOrder{
		verb: "approve", short: "Approve that users meet the new color, or that the old one is let go",
		long: `Give your word for what the policy of MODEL has approved (spec.approve): that users
meet the new color, once it was validated, or that the old one is let go. 'status'
shows what was measured and who is missing. Nobody approves a switch that they
started, or whose commit they wrote.`,
		example: "  greenlight approve fraud --reason \"the curves look good\"",
		wait:    "show progress until the switch has ended", done: "is approved by you", goal: succeed,
		send: func(ctx context.Context, model string, o *order) (*adminv1.ModelStatus, error) {
			q := &adminv1.ApproveRequest{Model: model, Actor: o.who(), Reason: o.reason}
			r, err := ask(ctx, a, q, adminv1.AdminServiceClient.Approve)
			return r.GetModel(), err
		},
	})
}
