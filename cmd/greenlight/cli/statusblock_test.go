package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/api"
	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

// noon is when the statuses below are looked at.
var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// tally is n requests in ten seconds of which failed failed; they took 8 to 40 ms,
// times slow.
func tally(n, failed int, slow float64) rollout.Tally {
	var r judge.Recorder
	for i := range n {
		r.Add((0.008 + 0.032*float64(i)/float64(n)) * slow)
	}
	return rollout.Tally{Requests: n, Scaled: float64(n), Errors: failed, Latency: r.Sketch()}
}

// lately is the ten seconds before noon.
func lately(w rollout.Weights, blue, green rollout.Tally) rollout.Window {
	return rollout.Window{
		Begin: noon.Add(-10 * time.Second), End: noon,
		Users: []rollout.Routed{{Weights: w, Colors: rollout.ByColor[rollout.Tally]{Blue: blue, Green: green}}},
	}
}

// inSwitch is a model in the middle of a switch from blue to green.
func inSwitch(p rollout.Phase, w rollout.Weights) rollout.Status {
	endpoints := func(prefix, version string) (out []rollout.Endpoint) {
		for _, n := range []string{"1", "2", "3"} {
			out = append(out, rollout.Endpoint{ID: prefix + n, Address: "10.0.0." + n, Port: 8080, Weight: 1, Version: version})
		}
		return out
	}
	plan := policy.Model{Name: "fraud", Source: policy.Source{File: "policies/fraud.yaml", Line: 1},
		Judge: policy.Judge{Asked: true, MinRequests: 1000, MaxHold: 30 * time.Minute},
		Shift: []policy.Step{{Weight: 500, Hold: 10 * time.Minute}, {Weight: 2500, Hold: 10 * time.Minute}, {Weight: policy.Full}}}
	return rollout.Status{
		Policy: &plan,
		State: rollout.State{
			Model: "fraud", Phase: p, Live: policy.Blue, Weights: w, Generation: 7, Since: noon.Add(-4 * time.Minute),
			Deadline: noon.Add(6 * time.Minute),
			Facts:    rollout.Facts{EndpointsKnown: true, ReportKnown: true},
			Switch: &rollout.Switch{
				ID: "20261101T114500-fraud-00a1", Model: "fraud", From: policy.Blue, To: policy.Green,
				FromVersion: "2026-10-01", ToVersion: "2026-11-01", Actor: "ann", Started: noon.Add(-15 * time.Minute), Plan: plan,
			},
		},
		Endpoints: rollout.EndpointSet{Blue: endpoints("b", "2026-10-01"), Green: endpoints("g", "2026-11-01")},
		Report:    rollout.Report{Generation: 7, Settled: true, Connected: 3, Acked: 3},
	}
}

// blocks are statuses in which users' requests have a word, by the file with what is shown.
func blocks() map[string]rollout.Status {
	at5, at25 := rollout.Split(policy.Green, 500), rollout.Split(policy.Green, 2500)
	holding := inSwitch(rollout.Holding, at25)
	holding.State.StepIndex = 1
	holding.Traffic.Recent = []rollout.Window{lately(at25, tally(3744, 4, 1), tally(1256, 1, 1.02))}
	preview := tally(20, 0, 1)
	preview.Rejected = 5
	holding.Traffic.Recent[0].Preview.Green = preview
	holding.State.Judging = rollout.Judging{
		Since: noon.Add(-4 * time.Minute), Last: noon,
		Live: rollout.Answered{Requests: 89_900, Errors: 93, Scaled: 89_900}, Idle: rollout.Answered{Requests: 30_060, Errors: 30, Scaled: 30_060},
	}
	holding.Judgement = "no worse so far: green failed 0.0998% of 30060 requests against 0.103% of 89900 of blue, " +
		"p99 40.3ms against 39.6ms (evidence 0.31 to 1, 400 to 1 is enough)"
	holding.Return = rollout.Readiness{Asked: true, Ready: true, Color: policy.Blue, Endpoints: 3, Rate: 500, Carried: 182.4}
	holding.State.Switch.Verdicts = []rollout.Verdict{{
		Check: rollout.JudgementCheck, Kind: "judge", Result: rollout.Pass, At: noon.Add(-5 * time.Minute),
		Summary: "green is no worse than blue for its users: 0.1% of 3000 requests failed against 0.12% of 28000 of blue",
	}}

	thin := inSwitch(rollout.Holding, at5)
	thin.Traffic.Recent = []rollout.Window{lately(at5, tally(20, 0, 1), rollout.Tally{})}
	thin.Traffic.Recent[0].Late, thin.Traffic.Recent[0].Doubled = 3, 1
	thin.State.Deadline, thin.State.HoldUntil = time.Time{}, noon.Add(20*time.Minute)
	thin.State.Problem = "held on for users' traffic: green was seen to answer 0 of the 1000 requests that a judgement needs"
	thin.Judgement = "nothing yet: green was seen to answer no request"
	thin.Silent = []rollout.NodeRef{{Fleet: "edge", Node: "edge-2", Detail: "sent 4.2 requests a second and has reported nothing since 2026-11-01T11:59:48Z"}}
	thin.Return = rollout.Readiness{
		Asked: true, Short: true, Color: policy.Blue, Endpoints: 1, Rate: 2, Carried: 1.4, Why: "blue has 1 ready endpoint and needs 2",
	}
	thin.Endpoints.Blue, thin.Endpoints.Unready = thin.Endpoints.Blue[:1], map[policy.Color]int{policy.Blue: 2}

	all := rollout.AllOn(policy.Blue)
	shadow := inSwitch(rollout.Shadowing, all)
	shadow.State.Mirror = rollout.Mirror{To: policy.Green, Percent: 1000}
	shadow.Traffic.Recent = []rollout.Window{lately(all, tally(5000, 5, 1), rollout.Tally{})}
	shadow.Traffic.Recent[0].Shadow.Green = tally(502, 11, 1.4)
	shadow.Traffic.Recent[0].Shadow.Green.Gone = 1
	shadow.State.Judging = rollout.Judging{Since: noon.Add(-time.Minute), Last: noon,
		Live: rollout.Answered{Requests: 30_000, Errors: 31}, Idle: rollout.Answered{Requests: 3_004, Errors: 65}}
	shadow.Judgement = "not decided yet: green failed 2.16% of 3004 mirrored requests against 0.103% of 30000 of blue (evidence 96 to 1, 1000 to 1 is enough)"
	shadow.Return = rollout.Readiness{Asked: true, Ready: true, Color: policy.Blue, Endpoints: 3}

	unheard := inSwitch(rollout.Baking, rollout.AllOn(policy.Green))
	unheard.State.Live = policy.Green
	unheard.State.Judging.Since = noon.Add(-4 * time.Minute)
	unheard.State.Judging.Waived = "users' traffic says too little, also after 30m more, and the policy says to promote"
	unheard.Judgement = thin.Judgement
	unmet := rollout.Status{State: rollout.State{Model: "fraud", Phase: rollout.Idle}, Policy: holding.Policy}
	return map[string]rollout.Status{"holding": holding, "thin": thin, "shadowing": shadow, "unheard": unheard, "unmet": unmet}
}

// The golden files are what people read; -update writes them anew.
func TestStatusBlock(t *testing.T) {
	zone := time.Local
	time.Local = time.UTC
	defer func() { time.Local = zone }()
	for name, st := range blocks() {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			a := &app{now: func() time.Time { return noon.Add(time.Second) }}
			if err := a.statusBlock(&got, api.ModelStatus(st)); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "status", name+".txt")
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got:\n%swant:\n%s", got.String(), want)
			}
		})
	}
}

// What the manual shows is what the command prints.
func TestStatusInTheManual(t *testing.T) {
	manual, err := os.ReadFile("../../../docs/traffic.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"holding", "thin"} {
		block, err := os.ReadFile(filepath.Join("testdata", "status", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(manual), string(block)) {
			t.Errorf("docs/traffic.md does not show testdata/status/%s.txt", name)
		}
	}
}
