package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

// pageSize is the most switches that the server gives at once.
const pageSize = 500

func (a *app) historyCommand() *cobra.Command {
	limit, id := 20, ""
	cmd := &cobra.Command{
		Use:   "history [MODEL | SWITCH-ID]",
		Short: "List past and running switches, or tell one's whole story",
		Long: `List past and running switches, newest first: all models', or MODEL's. With a
switch's id, tell its whole story: every change of phase and weight with its
reason, and every check with what it saw.`,
		Example: `  greenlight history
  greenlight history fraud --limit 5
  greenlight history 20261101T101500-fraud-00a1
  greenlight history --switch 20261101T101500-fraud-00a1 -o yaml`,
		Args:              atMostOne,
		ValidArgsFunction: a.completeModel,
	}
	out := listingFlag(cmd)
	cmd.Flags().IntVarP(&limit, "limit", "n", limit, "the most switches to list; 0 for all")
	cmd.Flags().StringVar(&id, "switch", "", "tell the story of the switch with this `id`")
	noFiles(cmd.RegisterFlagCompletionFunc("limit", cobra.NoFileCompletions))
	noFiles(cmd.RegisterFlagCompletionFunc("switch", a.completeSwitch))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case limit < 0:
			return usageOf(cmd, fmt.Errorf("--limit is %d; must be 0 or more", limit))
		case id != "" && len(args) > 0:
			return usageOf(cmd, errors.New("--switch and an argument can't be used together"))
		case id != "":
			return a.story(cmd, out, id)
		case len(args) == 0:
			return a.history(cmd, out, "", limit)
		case switchID.MatchString(args[0]):
			return a.story(cmd, out, args[0])
		default:
			return a.history(cmd, out, args[0], limit)
		}
	}
	return cmd
}

// switchID is how a switch's id begins; no model's name has a capital letter.
var switchID = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}-`)

func (a *app) history(cmd *cobra.Command, out *format, model string, limit int) error {
	list, err := a.switches(cmd.Context(), model, limit)
	if err != nil {
		return err
	}
	return out.show(cmd.OutOrStdout(), list, func(w io.Writer) error {
		if len(list.GetSwitches()) == 0 {
			fmt.Fprintln(w, "There was no switch yet.")
			return nil
		}
		t := newTable(w, "SWITCH", "MODEL", "FROM", "TO", "OUTCOME", "STARTED", "TOOK", "TWICE", "ACTOR", "COMMIT", "CAUSE")
		for _, sw := range list.GetSwitches() {
			t.row(sw.GetId(), sw.GetModel(), withVersion(colorWord(sw.GetFrom()), sw.GetFromVersion()),
				withVersion(colorWord(sw.GetTo()), sw.GetToVersion()), outcomeWord(sw.GetOutcome()),
				clock(sw.GetStarted()), a.took(sw),
				a.twiceWords(sw.GetTwice(), sw.GetPlan().GetCost().GetInstanceHour()), sw.GetActor(),
				shortHash(sw.GetPlan().GetSource().GetCommit().GetId()), brief(sw.GetCause()))
		}
		return t.flush()
	})
}

// longestCause is how much of a cause the list shows; the story has all of it.
const longestCause = 80

func brief(cause string) string {
	if runes := []rune(cause); len(runes) > longestCause {
		return string(runes[:longestCause-1]) + "…"
	}
	return cause
}

// switches reads pages until it has limit switches, or all with limit 0.
func (a *app) switches(ctx context.Context, model string, limit int) (*adminv1.ListSwitchesResponse, error) {
	all := &adminv1.ListSwitchesResponse{}
	for {
		size := pageSize
		if limit > 0 {
			size = min(size, limit-len(all.GetSwitches()))
		}
		q := &adminv1.ListSwitchesRequest{Model: model, PageSize: int32(size), PageToken: all.GetNextPageToken()}
		page, err := ask(ctx, a, q, adminv1.AdminServiceClient.ListSwitches)
		if err != nil {
			return nil, err
		}
		all.Switches = append(all.Switches, page.GetSwitches()...)
		all.NextPageToken = page.GetNextPageToken()
		if all.GetNextPageToken() == "" || len(all.GetSwitches()) == limit {
			return all, nil
		}
	}
}

func (a *app) took(sw *adminv1.Switch) string {
	if sw.GetEnded() == nil {
		return a.age(sw.GetStarted())
	}
	return span(sw.GetEnded().AsTime().Sub(sw.GetStarted().AsTime()))
}

func (a *app) story(cmd *cobra.Command, out *format, id string) error {
	r, err := ask(cmd.Context(), a, &adminv1.GetSwitchRequest{Id: id}, adminv1.AdminServiceClient.GetSwitch)
	if err != nil {
		return err
	}
	return out.show(cmd.OutOrStdout(), r.GetSwitch(), func(w io.Writer) error { return a.storyBlock(w, r.GetSwitch()) })
}

func (a *app) storyBlock(w io.Writer, sw *adminv1.Switch) error {
	b := &block{w: w}
	b.line("switch", "%s", sw.GetId())
	b.line("model", "%s", sw.GetModel())
	b.line("from", "%s", withVersion(colorWord(sw.GetFrom()), sw.GetFromVersion()))
	b.line("to", "%s", withVersion(colorWord(sw.GetTo()), sw.GetToVersion()))
	b.line("outcome", "%s%s, %s", outcomeWord(sw.GetOutcome()), forcedWord(sw), a.took(sw))
	if sw.GetCause() != "" {
		b.line("cause", "%s", sw.GetCause())
	}
	b.line("actor", "%s", sw.GetActor())
	if sw.GetReason() != "" {
		b.line("reason", "%s", sw.GetReason())
	}
	if sw.GetIdempotencyKey() != "" {
		b.line("key", "%s", sw.GetIdempotencyKey())
	}
	if src := sw.GetPlan().GetSource(); src != nil {
		b.line("policy", "%s, hash %s", sourceWords(src), shortHash(src.GetHash()))
	}
	for _, ap := range sw.GetApprovals() {
		b.line("approved", "%s by %s at %s%s", approvedWord(ap.GetBefore()), ap.GetBy(), clock(ap.GetAt()), becauseWord(ap.GetReason()))
	}
	if sw.GetUndoes() != "" {
		b.line("undoes", "%s", sw.GetUndoes())
	}
	if text := a.twiceWords(sw.GetTwice(), sw.GetPlan().GetCost().GetInstanceHour()); text != "" {
		b.line("twice", "%s", text)
	}
	for _, d := range sw.GetDrills() {
		b.line("drills", "%s by %s: %s", clock(d.GetBegan()), d.GetActor(), drillWords(d))
	}
	for _, v := range sw.GetVerdicts() {
		verdictLines(b, v)
	}
	fmt.Fprintln(w)
	t := newTable(w, "AT", "PHASE", "WEIGHTS", "ACTOR", "REASON")
	for _, tr := range sw.GetTransitions() {
		t.row(clock(tr.GetAt()), phaseWord(tr.GetTo()),
			percentWord(tr.GetWeights().GetBluePercent())+"/"+percentWord(tr.GetWeights().GetGreenPercent()),
			tr.GetActor(), tr.GetReason())
	}
	return t.flush()
}

func verdictLines(b *block, v *adminv1.Verdict) {
	b.line("checks", "%s %s (%s): %s", resultWord(v.GetResult()), v.GetCheck(), span(v.GetTook().AsDuration()), v.GetSummary())
	for _, m := range v.GetMeasures() {
		b.line("checks", "  %s", measureWords(m))
	}
	var figures []string
	for _, name := range slices.Sorted(maps.Keys(v.GetFigures())) {
		figures = append(figures, fmt.Sprintf("%s %g", name, v.GetFigures()[name]))
	}
	if len(figures) > 0 && len(v.GetMeasures()) == 0 { // the measures say the same, and more
		b.line("checks", "  %s", strings.Join(figures, ", "))
	}
	for _, e := range v.GetEvidence() {
		b.line("checks", "  %s", evidenceWords(e))
	}
}

// evidenceWords is "where, case: expected X, got Y", as far as it is known.
func evidenceWords(e *adminv1.Evidence) string {
	var where, what []string
	for _, s := range []string{e.GetEndpoint(), e.GetCase()} {
		if s != "" {
			where = append(where, s)
		}
	}
	if e.GetExpected() != "" {
		what = append(what, "expected "+e.GetExpected())
	}
	if e.GetGot() != "" {
		what = append(what, "got "+e.GetGot())
	}
	out := strings.Join(where, ", ")
	if len(what) > 0 {
		out += ": " + strings.Join(what, ", ")
	}
	return out
}
