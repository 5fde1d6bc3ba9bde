package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

func (a *app) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status [MODEL]",
		Short: "Show where every model stands, or one in full",
		Long: `Show where every model stands: what is live, the phase, the share of traffic and
the ready endpoints of both colors, and how many connected nodes run the last
routing. With MODEL, show that model in full: also what its users' requests met
lately, what that says of a running switch, and whether all of them could go back.`,
		Example: `  greenlight status
  greenlight status fraud
  greenlight status -o json | jq '.models[] | select(.state.problem != "") | .model'`,
		Args:              atMostOne,
		ValidArgsFunction: a.completeModel,
	}
	out := listingFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return a.statusOfAll(cmd, out)
		}
		m, err := a.model(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return out.show(cmd.OutOrStdout(), m, func(w io.Writer) error { return a.statusBlock(w, m) })
	}
	return cmd
}

func (a *app) model(ctx context.Context, name string) (*adminv1.ModelStatus, error) {
	r, err := ask(ctx, a, &adminv1.GetModelRequest{Model: name}, adminv1.AdminServiceClient.GetModel)
	return r.GetModel(), err
}

func (a *app) statusOfAll(cmd *cobra.Command, out *format) error {
	r, err := ask(cmd.Context(), a, &adminv1.ListModelsRequest{}, adminv1.AdminServiceClient.ListModels)
	if err != nil {
		return err
	}
	return out.show(cmd.OutOrStdout(), r, func(w io.Writer) error {
		if len(r.GetModels()) == 0 {
			fmt.Fprintln(w, "The server has no models: it reads one policy file for each from its policy folder.")
			return nil
		}
		t := newTable(w, "MODEL", "LIVE", "VERSION", "PHASE", "WEIGHTS", "READY", "NODES", "SINCE", "PROBLEM")
		for _, m := range r.GetModels() {
			a.statusRow(t, m)
		}
		if err := t.flush(); err != nil {
			return err
		}
		a.originLines(w, r.GetPolicies())
		return nil
	})
}

// originLines say which commit is in force, and why it is not the newest.
func (a *app) originLines(w io.Writer, o *adminv1.PolicyOrigin) {
	if c := o.GetCommit(); c != nil {
		fmt.Fprintf(w, "\npolicies: commit %s by %s, %s ago: %s (%s of %s)\n", shortHash(c.GetId()), clean(c.GetAuthor()),
			a.age(c.GetAt()), clean(c.GetSubject()), clean(c.GetRef()), clean(c.GetRepository()))
	}
	if o.GetProblem() != "" {
		fmt.Fprintf(w, "policies: not up to date for %s: %s\n", a.age(o.GetSince()), clean(o.GetProblem()))
	}
}

// statusRow shows weights and ready endpoints as blue/green.
func (a *app) statusRow(t *table, m *adminv1.ModelStatus) {
	st := m.GetState()
	t.row(
		m.GetModel(),
		colorWord(st.GetLive()),
		versionsOf(m.GetEndpoints(), st.GetLive()),
		phaseWord(st.GetPhase()),
		percentWord(st.GetWeights().GetBluePercent())+"/"+percentWord(st.GetWeights().GetGreenPercent()),
		readyCell(m),
		nodesCell(m),
		a.age(st.GetSince()),
		problemOf(m),
	)
}

func readyCell(m *adminv1.ModelStatus) string {
	if !m.GetState().GetEndpointsKnown() {
		return "?"
	}
	return fmt.Sprintf("%d/%d", len(m.GetEndpoints().GetBlue()), len(m.GetEndpoints().GetGreen()))
}

// nodesCell is how many of the connected nodes run the last routing, and how
// many more are not connected and may hold an older one.
func nodesCell(m *adminv1.ModelStatus) string {
	if !m.GetState().GetReportKnown() {
		return "?"
	}
	r := m.GetReport()
	cell := fmt.Sprintf("%d/%d", ackedNow(m), r.GetConnected())
	if n := len(r.GetStale()); n > 0 {
		cell += fmt.Sprintf(" +%d stale", n)
	}
	return cell
}

// problemOf is the loudest of what is wrong with a model.
func problemOf(m *adminv1.ModelStatus) string {
	return cmp.Or(m.GetState().GetProblem(), m.GetPolicyProblem(), hindranceOf(m), m.GetDrift())
}

// hindranceOf is the loudest of what a running switch meets. It goes on by the policy
// that it began with, whatever the file says meanwhile.
func hindranceOf(m *adminv1.ModelStatus) string {
	rejected := ""
	if r := m.GetReport().GetRejected(); len(r) > 0 {
		rejected = fmt.Sprintf("node %s rejected its %s: %s", r[0].GetNode(), r[0].GetType(), r[0].GetReason())
	}
	silent := ""
	if n := m.GetSilentNodes(); len(n) > 0 {
		silent = fmt.Sprintf("node %s %s", n[0].GetNode(), n[0].GetDetail())
	}
	return cmp.Or(m.GetState().GetProblem(), m.GetEndpoints().GetProblem(), rejected, silent, m.GetState().GetQueued().GetWhy())
}
