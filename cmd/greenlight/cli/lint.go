package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"greenlight/policy"
)

func lintCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint PATH...",
		Short: "Check policy files and folders, and report every problem at once",
		Long: `Check policy files, and all policy files in folders, as the server would. Every
problem is reported with file, line, column and rule. Errors keep a policy out of
force. Warnings do not: they are of what is valid and hardly meant, like a gate that
nothing can break. A file that is named by itself inherits from the Defaults of its
own folder, and from no other.

Exit codes: 0 no error; 1 there are errors, or with --strict warnings; 2 wrong usage.`,
		Example: `  greenlight policy lint policies/
  greenlight policy lint --strict policies/
  greenlight policy lint fraud.yaml -o json | jq '.problems[].rule'
  greenlight policy lint policies/ -o sarif > greenlight.sarif
  greenlight policy lint policies/ -o github`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("PATH is missing")
			}
			return nil
		},
	}
	out := outputFlag(cmd, "text", "json", "sarif", "github")
	strict := false
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 1 if there are warnings, too")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r := lintResultOf(policy.Lint(args))
		if err := r.print(cmd.OutOrStdout(), out); err != nil {
			return err
		}
		if r.Errors > 0 || strict && r.Warnings > 0 {
			return WithCode(codeFailed, nil)
		}
		return nil
	}
	return cmd
}

// print writes the result in one of the formats.
func (r lintResult) print(w io.Writer, out *format) error {
	if out.name == "text" {
		r.text(w)
		return nil
	}
	if out.name == "json" {
		raw, err := indented(r)
		if err != nil {
			return err
		}
		return write(w, raw)
	}
	here, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("tell where files are: %w", err)
	}
	if out.name == "github" {
		return write(w, githubCommands(r.Problems, here))
	}
	raw, err := indented(sarifOf(r.Problems, policy.Rules(), here, builtVersion()))
	if err != nil {
		return err
	}
	return write(w, raw)
}

// text prints every problem with its line, and how many there are.
func (r lintResult) text(w io.Writer) {
	sources := map[string][]byte{}
	for _, p := range r.Problems {
		source, read := sources[p.File]
		if !read && p.Line > 0 {
			source, _ = os.ReadFile(p.File) // without it, the problem is shown without its line
			sources[p.File] = source
		}
		fmt.Fprintln(w, p.Render(source))
	}
	fmt.Fprintln(w, r.summary())
}

// summary counts errors as problems, for that is what they are.
func (r lintResult) summary() string {
	text := "no problem"
	if r.Errors > 0 {
		text = plural(r.Errors, "problem")
	}
	if r.Warnings > 0 {
		text += ", " + plural(r.Warnings, "warning")
	}
	return text
}

// relativeTo is the path of file as seen from dir, with slashes: what other tools
// find in a checkout. A file that can't be reached from there keeps its path.
func relativeTo(dir, file string) string {
	full := file
	if !filepath.IsAbs(file) {
		full = filepath.Join(dir, file)
	}
	relative, err := filepath.Rel(dir, full)
	if err != nil {
		relative = file
	}
	return filepath.ToSlash(relative)
}
