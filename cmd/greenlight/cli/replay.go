package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
	"greenlight/rollout/replay"
)

func (a *app) replayCommand() *cobra.Command {
	file, id, verbose := "", "", false
	cmd := &cobra.Command{
		Use:   "replay MODEL",
		Short: "Say what a changed policy would have made of past switches",
		Long: `Replay MODEL's recorded switches under the policy in a file: the same registry,
fleets, verdicts and users, another decision. The server keeps what the newest
switches heard; nothing is changed by a replay. A rolling policy lets its own batches
go, which take as long as the recorded ones did. What can't be known, because the
recording ends or nobody has measured it, is said.

Exit codes: 0 replayed; 1 no switch could be replayed; 2 wrong usage, or the file
has problems; 3 the server can't be reached.`,
		Example: `  greenlight policy replay fraud --policy fraud.yaml
  greenlight policy replay fraud --policy fraud.yaml --switch 20261101T101500-fraud-00a1 --verbose
  greenlight policy replay fraud --policy policies/ -o json | jq '.replays[] | select(.same | not)'`,
		Args:              exactlyOne("MODEL"),
		ValidArgsFunction: a.completeModel,
	}
	out := outputFlag(cmd, "text", "json")
	cmd.Flags().StringVar(&file, "policy", "", "the policy `file` or folder to replay under; required")
	cmd.Flags().StringVar(&id, "switch", "", "replay only the switch with this `id`")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "tell what would have happened, step by step")
	noFiles(cmd.RegisterFlagCompletionFunc("switch", a.completeSwitch))
	noFiles(cmd.RegisterFlagCompletionFunc("policy", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if file == "" {
			return usageOf(cmd, errors.New("--policy is missing: name the file to replay under"))
		}
		m, err := policyFor(cmd, file, args[0])
		if err != nil {
			return err
		}
		recordings, err := a.recordings(cmd.Context(), args[0], id)
		if err != nil {
			return err
		}
		return tellReplays(cmd.OutOrStdout(), out, replayAll(recordings, m), args[0], verbose)
	}
	return cmd
}

// policyFor is the model's policy in a file or folder.
func policyFor(cmd *cobra.Command, path, model string) (*policy.Model, error) {
	r := policy.ReadPath(path)
	set := policy.Merge(policy.Set{}, r, time.Time{})
	if len(set.Problems) > 0 {
		return nil, tellTestProblems(cmd, &format{name: "text"}, set.Problems)
	}
	m := set.Models[model].Model
	if m == nil {
		return nil, WithCode(CodeUsage, fmt.Errorf("%s has no policy of model %q", path, model))
	}
	return m, nil
}

// recordings is what is kept of the model's switches, newest first, or of one of them.
func (a *app) recordings(ctx context.Context, model, id string) ([]record.Recording, error) {
	ids := []string{id}
	if id == "" {
		list, err := a.switches(ctx, model, recordedSwitches)
		if err != nil {
			return nil, err
		}
		ids = nil
		for _, sw := range list.GetSwitches() {
			ids = append(ids, sw.GetId())
		}
	}
	var out []record.Recording
	for _, one := range ids {
		r, err := ask(ctx, a, &adminv1.GetRecordingRequest{SwitchId: one}, adminv1.AdminServiceClient.GetRecording)
		if coded, ok := errors.AsType[*codedError](err); ok && id == "" && coded.reason == api.ReasonNoRecording {
			continue
		}
		if err != nil {
			return nil, err
		}
		recording, err := record.Unmarshal(r.GetRecording())
		if err != nil {
			return nil, fmt.Errorf("switch %s: %w", one, err)
		}
		out = append(out, recording)
	}
	return out, nil
}

// recordedSwitches is as many of a model's newest switches as the server keeps
// recordings of, and some more.
const recordedSwitches = 50

// replayed is one switch's replay; problem is why there is none.
type replayed struct {
	replay.Result
	problem string
}

func replayAll(recordings []record.Recording, m *policy.Model) []replayed {
	var out []replayed
	for _, r := range recordings {
		result, err := replay.Play(r, m)
		if err != nil {
			out = append(out, replayed{replay.Result{Recorded: r.Switch}, err.Error()})
			continue
		}
		out = append(out, replayed{Result: result})
	}
	return out
}

func tellReplays(w io.Writer, out *format, all []replayed, model string, verbose bool) error {
	worked := 0
	for _, r := range all {
		if r.problem == "" {
			worked++
		}
	}
	if out.name == "json" {
		if err := writeReplays(w, all); err != nil {
			return err
		}
	} else {
		for _, r := range all {
			if err := r.tell(w, verbose); err != nil {
				return err
			}
		}
		if len(all) == 0 {
			fmt.Fprintf(w, "nothing is recorded of %s's switches\n", model)
		}
	}
	if worked == 0 {
		return WithCode(codeFailed, nil)
	}
	return nil
}

func (r replayed) tell(w io.Writer, verbose bool) error {
	sw := r.Recorded
	fmt.Fprintf(w, "switch %s to %s, %s\n", sw.ID, withVersion(string(sw.To), sw.ToVersion), sw.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	if r.problem != "" {
		fmt.Fprintf(w, "  %s\n", r.problem)
		return nil
	}
	fmt.Fprintf(w, "  %s\n", clean(r.Verdict()))
	for _, note := range r.Notes {
		fmt.Fprintf(w, "  not known: %s\n", clean(note))
	}
	if !verbose || r.Replayed.Switch == nil {
		return nil
	}
	t := newTable(w, "  AT (UTC)", "PHASE", "BLUE/GREEN", "ACTOR", "REASON")
	for _, tr := range r.Replayed.Switch.Transitions {
		t.row("  "+tr.At.UTC().Format("2006-01-02 15:04:05"), string(tr.To),
			fmt.Sprintf("%s/%s", tr.Weights.Blue, tr.Weights.Green), tr.Actor, tr.Reason)
	}
	return t.flush()
}

// replayJSON is one replay of `policy replay -o json`; its names are part of the
// command's contract.
type replayJSON struct {
	Switch      string               `json:"switch"`
	Verdict     string               `json:"verdict"`
	Same        bool                 `json:"same"`
	Recorded    rollout.Outcome      `json:"recorded"`
	Replayed    rollout.Outcome      `json:"replayed"`
	Notes       []string             `json:"notes"`
	Transitions []rollout.Transition `json:"transitions"`
	Problem     string               `json:"problem,omitempty"`
}

func writeReplays(w io.Writer, all []replayed) error {
	list := []replayJSON{}
	for _, r := range all {
		one := replayJSON{Switch: r.Recorded.ID, Recorded: r.Recorded.Outcome, Notes: append([]string{}, r.Notes...), Transitions: []rollout.Transition{}}
		if one.Problem = r.problem; r.problem == "" {
			one.Verdict, one.Same = r.Verdict(), r.Same()
		}
		if sw := r.Replayed.Switch; sw != nil {
			one.Replayed, one.Transitions = sw.Outcome, sw.Transitions
		}
		list = append(list, one)
	}
	raw, err := json.MarshalIndent(map[string]any{"replays": list}, "", "  ")
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return write(w, append(raw, '\n'))
}
