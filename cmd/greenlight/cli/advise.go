package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

func (a *app) adviseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "advise MODEL",
		Short: "Say which shape of switch suits a model, with the figures",
		Long: `Compare an instant, a canary and a rolling switch for a model: what running it
twice would take and cost, how many of users' requests a broken version would
answer, and how long the way back would be. It goes by the model's instances, its
measured rate and warm-up, and by 'cost' in its policy, and says what it does not
know.`,
		Example: `  greenlight advise fraud
  greenlight advise fraud -o json`,
		Args:              exactlyOne("MODEL"),
		ValidArgsFunction: a.completeModel,
	}
	out := listingFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := ask(cmd.Context(), a, &adminv1.AdviseRequest{Model: args[0]}, adminv1.AdminServiceClient.Advise)
		if err != nil {
			return err
		}
		return out.show(cmd.OutOrStdout(), r, func(w io.Writer) error { return adviceBlock(w, r) })
	}
	return cmd
}

func adviceBlock(w io.Writer, r *adminv1.AdviseResponse) error {
	b := &block{w: w}
	b.line("advice", "%s", r.GetWhy())
	basis := r.GetBasis()
	b.line("goes by", "%s", basisWords(basis))
	if len(basis.GetUnknown()) > 0 {
		b.line("not known", "%s", strings.Join(basis.GetUnknown(), "; "))
	}
	fmt.Fprintln(w)
	t := newTable(w, "SHAPE", "EXTRA INSTANCE-HOURS", "EXTRA COST", "TAKES", "BROKEN ANSWERS", "WAY BACK", "NOTE")
	for _, o := range r.GetOptions() {
		note := o.GetNote()
		if !o.GetPossible() {
			note = "not possible: " + note
		}
		t.row(word(o.GetShape().String(), "SHAPE_"), hoursWord(o.GetExtraHours()), moneyWord(o.GetExtraCost(), basis.GetCurrency()),
			span(o.GetTakes().AsDuration()), exposedWord(o, basis), wayBackWord(o), note)
	}
	return t.flush()
}

func basisWords(b *adminv1.AdviceBasis) string {
	out := plural(b.GetInstances(), "instance")
	if b.GetBusiestPerSecond() > 0 {
		out += fmt.Sprintf(", %s requests/s (%s at the busiest of a week)", figure(b.GetRequestsPerSecond()), figure(b.GetBusiestPerSecond()))
	}
	if b.GetCarriedPerSecond() > 0 {
		out += fmt.Sprintf(", up to %s/s each", figure(b.GetCarriedPerSecond()))
	}
	if b.GetWarmUp() != nil {
		out += fmt.Sprintf(", %s of warm-up", span(b.GetWarmUp().AsDuration()))
	}
	if b.GetInstanceHour() > 0 {
		out += fmt.Sprintf(", %s an instance-hour", moneyWord(b.GetInstanceHour(), b.GetCurrency()))
	}
	return out
}

// exposedWord is how many requests a broken version answers, where the rate is known.
func exposedWord(o *adminv1.AdviceOption, b *adminv1.AdviceBasis) string {
	if b.GetBusiestPerSecond() == 0 {
		return ""
	}
	return figure(o.GetExposedRequests())
}

// wayBackWord is how long all users take to be back, where that is known.
func wayBackWord(o *adminv1.AdviceOption) string {
	if o.GetWayBack() == nil {
		return ""
	}
	return span(o.GetWayBack().AsDuration())
}

// hoursWord is a number of instance-hours.
func hoursWord(h float64) string { return figure(h) }

// moneyWord is "12.50 EUR"; empty without a currency.
func moneyWord(sum float64, currency string) string {
	if currency == "" {
		return ""
	}
	return fmt.Sprintf("%.2f %s", sum, currency)
}

// twiceWords is what keeping a second color has taken up to now; empty if nothing.
func (a *app) twiceWords(w *adminv1.Twice, price float64) string {
	hours, cost := w.GetHours(), w.GetCost()
	if w.GetSince() != nil {
		since := max(0, a.now().Sub(w.GetSince().AsTime())).Hours() * float64(w.GetInstances())
		hours += since
		cost += since * price
	}
	if hours < float64(time.Second)/float64(time.Hour) {
		return ""
	}
	out := hoursWord(hours) + " instance-hours"
	if w.GetCurrency() != "" {
		out += ", " + moneyWord(cost, w.GetCurrency())
	}
	return out
}
