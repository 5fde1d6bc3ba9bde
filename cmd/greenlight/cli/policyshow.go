package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"greenlight/policy"
)

func showCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show MODEL PATH",
		Short: "Print a model's policy with every default, and where each value comes from",
		Long: `Print the policy of a model in the policy folder PATH with every default written
out: those that are built in, and those of the Defaults documents that it inherits.
Each value says where it comes from: file and line, or default.

The YAML is a policy itself, and in the model's place means the same.

Exit codes: 0 done; 1 the model has no good policy; 2 wrong usage, or no such model.`,
		Example: `  greenlight policy show fraud policies/
  greenlight policy show fraud policies/ -o json | jq '.from["spec.route.timeout"]'`,
		Args: func(_ *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return errors.New("MODEL and PATH are missing")
			case 1:
				return errors.New("PATH is missing")
			case 2:
				return nil
			}
			return fmt.Errorf("unexpected argument %q", args[2])
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
	out := outputFlag(cmd, "yaml", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		effective, err := policy.Show(args[1], args[0])
		switch {
		case errors.Is(err, policy.ErrUnknownModel):
			return WithCode(CodeUsage, fmt.Errorf("in %s %w", args[1], err))
		case err != nil:
			return err
		}
		raw := effective.YAML()
		if out.name == "json" {
			if raw, err = effective.JSON(); err != nil {
				return err
			}
		}
		return write(cmd.OutOrStdout(), raw)
	}
	return cmd
}
