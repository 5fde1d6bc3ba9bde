package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

// completeWithin bounds the question that a press of the tab key puts to the
// server: a shell that hangs is worse than one that knows no names.
const completeWithin = time.Second

// names is what a completion answers: those that begin with typed, and never
// files. An error completes to nothing, as there is nowhere to show it.
func names(all []cobra.Completion, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	for _, c := range all {
		if strings.HasPrefix(c, typed) {
			out = append(out, c)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completeModel(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := completing(cmd)
	defer cancel()
	r, _ := ask(ctx, a, &adminv1.ListModelsRequest{}, adminv1.AdminServiceClient.ListModels)
	var all []cobra.Completion
	for _, m := range r.GetModels() {
		about := withVersion(colorWord(m.GetState().GetLive()), versionsOf(m.GetEndpoints(), m.GetState().GetLive()))
		all = append(all, cobra.CompletionWithDesc(m.GetModel(), clean(about+", "+phaseWord(m.GetState().GetPhase()))))
	}
	return names(all, typed)
}

func (a *app) completeFleet(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := completing(cmd)
	defer cancel()
	r, _ := ask(ctx, a, &adminv1.ListFleetsRequest{}, adminv1.AdminServiceClient.ListFleets)
	var all []cobra.Completion
	for _, f := range r.GetFleets() {
		all = append(all, cobra.CompletionWithDesc(f.GetName(), plural(len(f.GetNodes()), "node")))
	}
	return names(all, typed)
}

func (a *app) completeSwitch(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := completing(cmd)
	defer cancel()
	r, _ := ask(ctx, a, &adminv1.ListSwitchesRequest{}, adminv1.AdminServiceClient.ListSwitches)
	var all []cobra.Completion
	for _, sw := range r.GetSwitches() {
		all = append(all, cobra.CompletionWithDesc(sw.GetId(), outcomeWord(sw.GetOutcome())))
	}
	return names(all, typed)
}

func completeFolder(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func completing(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	return context.WithTimeout(ctx, completeWithin)
}
