package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
	"greenlight/cmd/greenlight/plan"
	"greenlight/policy"
)

// The exit codes of plan, as those of `terraform plan -detailed-exitcode`: 2 says that
// something changes. So wrong usage has the code that sysexits.h has for it.
const (
	codeChange    = 2
	codePlanUsage = 64
)

func (a *app) planCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan PATH",
		Short: "Tell what the policies in a folder will do before they are in force",
		Long: `Tell what the policies in a folder will do: which keys change and what that means,
which resources each fleet is sent, who else is touched, and which switches start or
go back. The folder is read as the server reads it, and compared with what the server
at --server (or GREENLIGHT_SERVER) has in force, or with another folder, such as a
checkout of the branch that the change is for. Nothing is changed.

Exit codes: 0 nothing changes; 1 the policies are broken, or the plan can't be made;
2 something changes; 3 the server can't be reached; 64 wrong usage.`,
		Example: `  greenlight policy plan policies/ --server greenlight.internal:18001
  greenlight policy plan policies/ --against ../main/policies
  greenlight policy plan policies/ --against ../main/policies -o markdown > comment.md
  greenlight policy plan policies/ -o json | jq '.models[] | {model, change, switch}'`,
		Args: exactlyOne("PATH"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		Annotations: map[string]string{usageExit: strconv.Itoa(codePlanUsage)},
	}
	out, color := outputFlag(cmd, "text", "json", "markdown"), paintFlag(cmd)
	q := &planQuestion{app: a}
	cmd.Flags().StringVar(&q.against, "against", "", "compare with the policies in this `folder`, and ask no server")
	cmd.Flags().BoolVar(&q.allowRemoval, "allow-removal", false, "with --against: plan for a server that runs with --allow-removal")
	noFiles(cmd.RegisterFlagCompletionFunc("against", completeFolder))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := q.ask(cmd, args[0])
		if err != nil {
			return err
		}
		raw, err := planAs(out.name, p, color.colors(cmd.OutOrStdout()))
		if err != nil {
			return err
		}
		if err := write(cmd.OutOrStdout(), raw); err != nil {
			return err
		}
		switch {
		case len(p.Problems) > 0:
			return WithCode(codeFailed, nil)
		case p.Changed:
			return WithCode(codeChange, nil)
		}
		return nil
	}
	return cmd
}

// planQuestion is what a plan is asked with.
type planQuestion struct {
	app          *app
	against      string
	allowRemoval bool
}

func (q *planQuestion) ask(cmd *cobra.Command, path string) (plan.Plan, error) {
	asked := cmd.Flags().Changed("server")
	switch {
	case asked && q.against != "":
		return plan.Plan{}, usageOf(cmd, errors.New("--server and --against exclude each other"))
	case q.against == "" && q.allowRemoval:
		return plan.Plan{}, usageOf(cmd, errors.New("--allow-removal goes with --against: a server says itself what it allows"))
	case q.against == "" && !asked && os.Getenv("GREENLIGHT_SERVER") == "":
		return plan.Plan{}, usageOf(cmd, errors.New("name what to compare with: --server HOST:PORT, or --against FOLDER"))
	}
	for _, folder := range []string{path, q.against} {
		if info, err := os.Stat(folder); folder != "" && err == nil && !info.IsDir() {
			return plan.Plan{}, usageOf(cmd, fmt.Errorf("%s is a file; name the folder, as the server reads it", folder))
		}
	}
	if q.against != "" {
		old := policy.Read(q.against)
		if old.Err != nil {
			return plan.Plan{}, old.Err
		}
		return plan.Make(plan.Against(old, q.allowRemoval, q.app.now()), policy.Read(path)), nil
	}
	b, err := q.inForce(cmd)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Make(b, policy.Read(path)), nil
}

// inForce asks the server. An address that can't be one is wrong usage here, too.
func (q *planQuestion) inForce(cmd *cobra.Command) (plan.Basis, error) {
	if err := checkServer(q.app.server); err != nil {
		return plan.Basis{}, &codedError{code: usageCode(cmd), err: err}
	}
	r, err := ask(cmd.Context(), q.app, &adminv1.ListPoliciesRequest{}, adminv1.AdminServiceClient.ListPolicies)
	if err != nil {
		return plan.Basis{}, err
	}
	return plan.InForce("the server at "+q.app.server, r)
}

func planAs(format string, p plan.Plan, color bool) ([]byte, error) {
	source := func(file string) []byte {
		text, _ := os.ReadFile(file) // without it, a problem is shown without its line
		return text
	}
	switch format {
	case "json":
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(p); err != nil {
			return nil, fmt.Errorf("write JSON: %w", err)
		}
		return out.Bytes(), nil
	case "markdown":
		return p.Markdown(source), nil
	default:
		return p.Text(color, source), nil
	}
}
