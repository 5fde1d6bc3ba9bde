package cli

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

func (a *app) blameCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "blame MODEL",
		Short: "Say which commits brought the policies that MODEL was routed under",
		Long: `Say where the policy that MODEL is routed under comes from, and those before it:
from which routing on it holds, its file and line, and, where the policies are in
a repository, the commit, its author and what it says. The newest twenty are kept.`,
		Example: `  greenlight policy blame fraud
  greenlight policy blame fraud -o json | jq -r '.policy_uses[-1].source.commit.id'`,
		Args:              exactlyOne("MODEL"),
		ValidArgsFunction: a.completeModel,
	}
	out := listingFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := ask(cmd.Context(), a, &adminv1.GetModelRequest{Model: args[0]}, adminv1.AdminServiceClient.GetModel)
		if err != nil {
			return err
		}
		uses := r.GetModel().GetState().GetPolicyUses()
		return out.show(cmd.OutOrStdout(), &adminv1.State{PolicyUses: uses}, func(w io.Writer) error {
			return blameTable(w, args[0], uses)
		})
	}
	return cmd
}

// blameTable has the newest policy first.
func blameTable(w io.Writer, model string, uses []*adminv1.PolicyUse) error {
	if len(uses) == 0 {
		fmt.Fprintf(w, "%s was not routed yet.\n", model)
		return nil
	}
	t := newTable(w, "ROUTING", "SINCE", "FILE", "COMMIT", "AUTHOR", "SUBJECT", "HASH")
	for _, u := range slices.Backward(uses) {
		s := u.GetSource()
		c := s.GetCommit()
		t.row(fmt.Sprint(u.GetGeneration()), clock(u.GetAt()), fmt.Sprintf("%s:%d", s.GetFile(), s.GetLine()),
			shortHash(c.GetId()), c.GetAuthor(), c.GetSubject(), shortHash(s.GetHash()))
	}
	return t.flush()
}

// shortHash is as much of a hash as people compare.
func shortHash(hash string) string { return hash[:min(len(hash), 10)] }

// sourceWords is "policies/fraud.yaml:1", with the commit where there is one.
func sourceWords(s *adminv1.PolicySource) string {
	text := fmt.Sprintf("%s:%d", s.GetFile(), s.GetLine())
	if c := s.GetCommit(); c != nil {
		text += fmt.Sprintf(", commit %s by %s: %s", shortHash(c.GetId()), c.GetAuthor(), c.GetSubject())
	}
	return text
}
