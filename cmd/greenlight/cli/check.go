package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
)

// checkOrder is what a run of the checks was asked for.
type checkOrder struct {
	only   []string
	target colorFlag
	html   string
}

func (a *app) checkCommand() *cobra.Command {
	o := &checkOrder{}
	cmd := &cobra.Command{
		Use:   "check MODEL",
		Short: "Measure the idle color without moving traffic",
		Long: `Run the checks of the policy's validation against the idle color, or --target,
and show what they measured. No traffic moves and nothing is kept. Progress goes
to standard error. Ctrl-C ends the run at once.

Exit codes: 0 every check passed (an inconclusive one where the policy says
onInconclusive: pass); 1 one failed, was inconclusive or could not be run;
2 wrong usage; 3 the server can't be reached.`,
		Example: `  greenlight check fraud
  greenlight check fraud --only quality,latency --html report.html
  greenlight check fraud -o json | jq '.stages[].verdicts[] | {check, figures}'`,
		Args:              exactlyOne("MODEL"),
		ValidArgsFunction: a.completeModel,
	}
	out := listingFlag(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&o.only, "only", nil, "run only the checks with these `names`")
	f.Var(&o.target, "target", "measure this color: blue or green; default whichever is idle")
	htmlFlag(cmd, &o.html)
	noFiles(cmd.RegisterFlagCompletionFunc("only", a.completeCheck))
	noFiles(cmd.RegisterFlagCompletionFunc("target", cobra.FixedCompletions([]string{"blue", "green"}, cobra.ShellCompDirectiveNoFileComp)))
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.check(cmd, out, args[0], o) }
	return cmd
}

func (a *app) check(cmd *cobra.Command, out *format, model string, o *checkOrder) error {
	if err := checkHTML(o.html); err != nil {
		return err
	}
	m, err := a.model(cmd.Context(), model)
	if err != nil {
		return err
	}
	r, err := a.runChecks(cmd, model, o)
	if err != nil {
		return err
	}
	if err := showReport(cmd, out, r.GetReport(), r.GetHtml(), o.html); err != nil {
		return err
	}
	if !passed(r.GetReport(), m.GetPolicy()) {
		return WithCode(codeFailed, nil)
	}
	return nil
}

// runChecks shows the progress of a run and answers with its report.
func (a *app) runChecks(cmd *cobra.Command, model string, o *checkOrder) (*adminv1.CheckReport, error) {
	client, hangUp, err := a.dial()
	if err != nil {
		return nil, err
	}
	defer hangUp()
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	if limit := a.waitLimit(cmd); limit > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, limit)
		defer stop()
	}
	stream, err := client.RunChecks(ctx, &adminv1.RunChecksRequest{
		Model: model, Only: o.only, Target: o.target.color, Html: o.html != "",
	})
	if err != nil {
		return nil, a.explain(err)
	}
	bars := newBars(cmd.ErrOrStderr())
	defer bars.end()
	for {
		r, err := stream.Recv()
		switch {
		case err != nil && (errors.Is(ctx.Err(), context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded):
			return nil, fmt.Errorf("gave up after %s; the run has ended", span(a.timeout))
		case errors.Is(err, io.EOF):
			return nil, errors.New("the server ended the run without a report")
		case err != nil:
			return nil, a.explain(err)
		case r.GetReport() != nil:
			return r.GetReport(), nil
		case r.GetProgress() != nil:
			bars.show(r.GetProgress())
		}
	}
}

// passed reports whether every check of r has passed; one that is inconclusive
// has where the policy says so.
func passed(r *adminv1.Assessment, p *adminv1.Policy) bool {
	checks := slices.Concat(p.GetValidate(), p.GetStepChecks().GetChecks(), p.GetBake().GetChecks())
	ran := false
	for _, s := range r.GetStages() {
		for _, v := range s.GetVerdicts() {
			ran = true
			if v.GetResult() == adminv1.Result_RESULT_PASS {
				continue
			}
			i := slices.IndexFunc(checks, func(c *adminv1.Check) bool { return c.GetName() == v.GetCheck() })
			if v.GetResult() != adminv1.Result_RESULT_INCONCLUSIVE || i < 0 ||
				checks[i].GetOnInconclusive() != adminv1.OnInconclusive_ON_INCONCLUSIVE_PASS {
				return false
			}
		}
	}
	return ran
}

// completeCheck completes to the names of the model's checks.
func (a *app) completeCheck(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := completing(cmd)
	defer cancel()
	m, _ := a.model(ctx, args[0])
	var all []cobra.Completion
	for _, c := range m.GetPolicy().GetValidate() {
		all = append(all, c.GetName())
	}
	return names(all, typed)
}
