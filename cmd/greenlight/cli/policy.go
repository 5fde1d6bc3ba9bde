package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"greenlight/policy"
)

func (a *app) policyCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "policy",
		Short: "Check policy files, plan their changes, and show policies and where they come from",
		Long: `Check policy files as the server would, tell what they will do before they are in
force, show a model's policy with every default in it, print the JSON Schema, and say
which commits brought the policies in force. Only blame, and plan without --against,
need a server.`,
		Example: `  greenlight policy lint policies/
  greenlight policy plan policies/ --server greenlight.internal:18001
  greenlight policy show fraud policies/
  greenlight policy blame fraud
  greenlight policy schema > greenlight.schema.json`,
	}, lintCommand(), a.planCommand(), showCommand(), schemaCommand(), a.blameCommand())
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of policy files",
		Long: `Print the JSON Schema of policy files, for editors that complete and check YAML.
It is made from what the server itself decodes into.`,
		Example: `  greenlight policy schema > greenlight.schema.json
  # first line of a policy: # yaml-language-server: $schema=greenlight.schema.json`,
		Args:              none,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, err := policy.Schema()
			if err != nil {
				return fmt.Errorf("make schema: %w", err)
			}
			return write(cmd.OutOrStdout(), raw)
		},
	}
}
