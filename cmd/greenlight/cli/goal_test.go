package cli

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/api/adminv1"
)

func model(phase adminv1.Phase, outcome adminv1.Outcome) *adminv1.ModelStatus {
	return &adminv1.ModelStatus{
		Model:  "fraud",
		Policy: &adminv1.Policy{},
		State: &adminv1.State{
			Phase: phase, ReportKnown: true, Generation: 7,
			Switch: &adminv1.Switch{Id: "s1", Outcome: outcome, From: adminv1.Color_COLOR_BLUE, To: adminv1.Color_COLOR_GREEN},
		},
		Report: &adminv1.Report{Generation: 7, Settled: true, Connected: 3, Acked: 3},
	}
}

func TestJudge(t *testing.T) {
	const running = adminv1.Outcome_OUTCOME_UNSPECIFIED
	removed := model(adminv1.Phase_PHASE_IDLE, running)
	removed.Policy = nil
	goingBackLater := model(adminv1.Phase_PHASE_HELD, running)
	goingBackLater.State.Back = "green fails"
	behind := model(adminv1.Phase_PHASE_PAUSED, running)
	behind.Report.Acked = 2
	older := model(adminv1.Phase_PHASE_PAUSED, running)
	older.Report.Generation = 6
	rejecting := model(adminv1.Phase_PHASE_PAUSED, running)
	rejecting.Report.Rejected = []*adminv1.Rejection{{Node: "n", Type: "route", Reason: "no"}}

	tests := []struct {
		name string
		goal goal
		m    *adminv1.ModelStatus
		want string // "wait", or "ok: " or "no: " and part of the text
	}{
		{"baking", succeed, model(adminv1.Phase_PHASE_BAKING, running), "wait"},
		{"paused by someone", succeed, model(adminv1.Phase_PHASE_PAUSED, running), "wait"},
		{"going back", succeed, model(adminv1.Phase_PHASE_ROLLING_BACK, running), "wait"},
		{"going back after success", goBack, model(adminv1.Phase_PHASE_ROLLING_BACK, adminv1.Outcome_OUTCOME_SUCCEEDED), "wait"},
		{"succeeded", succeed, model(adminv1.Phase_PHASE_RETIRING, adminv1.Outcome_OUTCOME_SUCCEEDED), "ok: succeeded"},
		{"succeeded and retired", succeed, model(adminv1.Phase_PHASE_IDLE, adminv1.Outcome_OUTCOME_SUCCEEDED), "ok: succeeded"},
		{"rolled back", succeed, model(adminv1.Phase_PHASE_IDLE, adminv1.Outcome_OUTCOME_ROLLED_BACK), "no: blue is live"},
		{"refused", succeed, model(adminv1.Phase_PHASE_IDLE, adminv1.Outcome_OUTCOME_REFUSED), "no: no user met green"},
		{"aborted", succeed, model(adminv1.Phase_PHASE_IDLE, adminv1.Outcome_OUTCOME_ABORTED), "no: no user met green"},
		{"rolled back as asked", goBack, model(adminv1.Phase_PHASE_IDLE, adminv1.Outcome_OUTCOME_ROLLED_BACK), "ok: blue is live"},
		{"aborted as asked", goBack, model(adminv1.Phase_PHASE_IDLE, adminv1.Outcome_OUTCOME_ABORTED), "ok: aborted"},
		{"succeeded after all", goBack, model(adminv1.Phase_PHASE_RETIRING, adminv1.Outcome_OUTCOME_SUCCEEDED), "no: succeeded"},
		{"held", succeed, model(adminv1.Phase_PHASE_HELD, running), "no: needs a person"},
		{"held, will go back", goBack, goingBackLater, "wait"},
		{"held, was to succeed", succeed, goingBackLater, "no: needs a person"},
		{"policy removed", succeed, removed, "no: nobody drives"},
		{"paused", stand, model(adminv1.Phase_PHASE_PAUSED, running), "ok: is paused"},
		{"paused, a node is behind", stand, behind, "wait"},
		{"paused, report of an older routing", stand, older, "wait"},
		{"paused, a node rejects", stand, rejecting, "no: node n rejected its route: no"},
		{"resumed meanwhile", stand, model(adminv1.Phase_PHASE_BAKING, running), "wait"},
		{"ended meanwhile", stand, model(adminv1.Phase_PHASE_RETIRING, adminv1.Outcome_OUTCOME_SUCCEEDED), "no: succeeded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "wait"
			if v := tt.goal.judge(tt.m); v != nil {
				got = map[bool]string{true: "ok: ", false: "no: "}[v.ok] + v.text
			}
			head, part, _ := strings.Cut(tt.want, ": ")
			if !strings.HasPrefix(got, head) || !strings.Contains(got, part) {
				t.Errorf("judge = %q, want %q", got, tt.want)
			}
		})
	}
}

// Exit code 0 is never given for anything but the goal, and every switch that
// has ended ends the waiting.
func TestOnlyTheGoalIsSuccess(t *testing.T) {
	good := map[goal][]adminv1.Outcome{
		succeed: {adminv1.Outcome_OUTCOME_SUCCEEDED},
		goBack:  {adminv1.Outcome_OUTCOME_ROLLED_BACK, adminv1.Outcome_OUTCOME_ABORTED, adminv1.Outcome_OUTCOME_REFUSED},
	}
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom([]goal{succeed, goBack}).Draw(t, "goal")
		phase := adminv1.Phase(rapid.Int32Range(1, 10).Draw(t, "phase"))
		outcome := adminv1.Outcome(rapid.Int32Range(0, 4).Draw(t, "outcome"))
		v := g.judge(model(phase, outcome))
		ended := !running(phase) && outcome != adminv1.Outcome_OUTCOME_UNSPECIFIED
		wanted := false
		for _, o := range good[g] {
			wanted = wanted || o == outcome
		}
		if ended && v == nil {
			t.Fatal("waits for a switch that has ended")
		}
		if v != nil && v.ok && (!ended || !wanted) {
			t.Fatalf("success: %s", v.text)
		}
	})
}
