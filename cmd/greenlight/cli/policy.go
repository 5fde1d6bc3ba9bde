package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"greenlight/policy"
	"greenlight/rollout/scenario"
)

func (a *app) policyCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "policy",
		Short: "Check and test policy files, print their schema, and say where policies come from",
		Long: `Check policy files as the server would, test what they make of good and bad
versions, print their JSON Schema, and say which commits brought the policies in
force. Only blame needs a server.`,
		Example: `  greenlight policy lint policies/
  greenlight policy test tests/
  greenlight policy blame fraud
  greenlight policy schema > greenlight.schema.json`,
	}, lintCommand(), testCommand(), schemaCommand(), a.blameCommand())
}

func lintCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint PATH...",
		Short: "Check policy files and folders, and report every problem at once",
		Long: `Check policy files, and all policy files in folders, as the server would. Every
problem is reported with file, line, column and the rule that it breaks.

Exit codes: 0 no problem; 1 there are problems; 2 wrong usage.`,
		Example: `  greenlight policy lint policies/
  greenlight policy lint fraud.yaml -o json | jq '.problems[].rule'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("PATH is missing")
			}
			return nil
		},
	}
	out := outputFlag(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		problems := policy.Lint(args)
		if err := printProblems(cmd.OutOrStdout(), out, problems); err != nil {
			return err
		}
		if len(problems) > 0 {
			return WithCode(codeFailed, nil)
		}
		return nil
	}
	return cmd
}

// lintResult is what `policy lint -o json` prints.
type lintResult struct {
	Problems []policy.Problem `json:"problems"`
}

func printProblems(w io.Writer, out *format, problems []policy.Problem) error {
	if out.name == "json" {
		raw, err := json.MarshalIndent(lintResult{append([]policy.Problem{}, problems...)}, "", "  ")
		if err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		return write(w, append(raw, '\n'))
	}
	if len(problems) == 0 {
		fmt.Fprintln(w, "no problem")
		return nil
	}
	sources := map[string][]byte{}
	for _, p := range problems {
		source, read := sources[p.File]
		if !read && p.Line > 0 {
			source, _ = os.ReadFile(p.File) // without it, the problem is shown without its line
			sources[p.File] = source
		}
		fmt.Fprintln(w, p.Render(source))
	}
	fmt.Fprintln(w, plural(len(problems), "problem"))
	return nil
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
		Args:              none,
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
