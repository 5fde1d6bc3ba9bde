package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"greenlight/policy"
	"greenlight/rollout/scenario"
)

func (a *app) policyCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "policy",
		Short: "Check, plan, show and test policy files, and say where policies come from",
		Long: `Check policy files as the server would, tell what they will do before they are in
force, show a model's policy with every default in it, test what policies make of good
and bad versions, replay recorded switches under them, print the JSON Schema, and say
which commits brought the policies in force. Only blame, replay, and plan without
--against, need a server.`,
		Example: `  greenlight policy lint policies/
  greenlight policy plan policies/ --server greenlight.internal:18001
  greenlight policy show fraud policies/
  greenlight policy test tests/
  greenlight policy replay fraud --policy fraud.yaml
  greenlight policy blame fraud
  greenlight policy schema > greenlight.schema.json`,
	}, serverless(lintCommand()), a.planCommand(), serverless(showCommand()), serverless(testCommand()), a.replayCommand(),
		serverless(schemaCommand()), a.blameCommand())
}

func schemaCommand() *cobra.Command {
	tests := false
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of policy files, or of tests of policies",
		Long: `Print the JSON Schema of policy files, for editors that complete and check YAML.
It is made from what the server itself decodes into. With --tests it is that of
the files that 'greenlight policy test' reads.`,
		Example: `  greenlight policy schema > greenlight.schema.json
  greenlight policy schema --tests > greenlight-tests.schema.json
  # first line of a policy: # yaml-language-server: $schema=greenlight.schema.json`,
		Args:              NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema := policy.Schema
			if tests {
				schema = scenario.Schema
			}
			raw, err := schema()
			if err != nil {
				return fmt.Errorf("make schema: %w", err)
			}
			return write(cmd.OutOrStdout(), raw)
		},
	}
	cmd.Flags().BoolVar(&tests, "tests", false, "the schema of tests of policies")
	return cmd
}
