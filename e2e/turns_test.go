package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
)

// Users meet the new color when the persons have approved it who have to, over a kill
// in between, and no step is taken in a freeze; going back waits for neither.
func TestApprovalsAndFreezesUnderLoad(t *testing.T) {
	t.Parallel()
	groups := filepath.Join(t.TempDir(), "groups.yaml")
	must(t, os.WriteFile(groups, []byte("risk: [bob, eve]\n"), 0o600))
	day := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }
	frozen := "{zone: UTC, freeze: [{from: " + day(-1) + ", to: " + day(1) + ", reason: the launch}]}"
	plan := map[string]string{
		"approve": "{before: shift, by: [risk], count: 2, within: 1h}",
		"shift":   "{steps: [{weight: 50%, hold: 500ms}, 100%]}",
	}
	w := newWorld(t, worldOptions{env: []string{"GREENLIGHT_GROUPS=" + groups}}, plan)
	approve := func(who string) error {
		_, err := w.server.Client.Approve(w.within(patience), &adminv1.ApproveRequest{Model: "tumor", Actor: who, Reason: "seen"})
		return err
	}
	id := w.start()
	w.awaitPhase(adminv1.Phase_PHASE_APPROVING)
	for who, why := range map[string]string{"e2e": "started switch", "mallory": "may not approve it"} {
		if err := approve(who); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), why) {
			t.Errorf("%s approves: %v", who, err)
		}
	}
	must(t, approve("bob"))
	w.server.Kill()
	must(t, w.server.Start(w.within(patience)))
	m := w.awaitPhase(adminv1.Phase_PHASE_APPROVING)
	if n := len(m.GetState().GetSwitch().GetApprovals()); n != 1 {
		t.Errorf("%d approvals are left after the kill", n)
	}
	w.onlyColor("blue", 50)

	// A freeze begins: with all words given, no weight moves.
	frozenPlan := map[string]string{"calendar": frozen}
	for key, value := range plan {
		frozenPlan[key] = value
	}
	w.writePolicy("tumor.yaml", policyWith("tumor", frozenPlan))
	w.await("the freeze", func(m *adminv1.ModelStatus) bool { return m.GetPolicy().GetCalendar() != nil })
	must(t, approve("eve"))
	m = w.await("the wait for the end of the freeze", func(m *adminv1.ModelStatus) bool {
		return strings.Contains(m.GetState().GetQueued().GetWhy(), "the launch")
	})
	if m.GetState().GetQueued().GetOpens() == nil {
		t.Errorf("it is not told when the freeze ends: %v", m.GetState().GetQueued())
	}
	w.onlyColor("blue", 50)
	w.writePolicy("tumor.yaml", policyWith("tumor", plan))
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	if len(sw.GetApprovals()) != 2 {
		t.Errorf("approvals %v", sw.GetApprovals())
	}
	w.onlyColor("green", 50)

	// In a freeze a switch waits, and all users can go back all the same.
	w.writePolicy("tumor.yaml", policyWith("tumor", map[string]string{"calendar": frozen}))
	w.await("the freeze", func(m *adminv1.ModelStatus) bool { return m.GetPolicy().GetCalendar() != nil })
	_, err := w.server.Client.Rollback(w.within(patience), &adminv1.RollbackRequest{Model: "tumor", Actor: "e2e"})
	must(t, err)
	w.await("blue", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetSwitch().GetOutcome() == adminv1.Outcome_OUTCOME_ROLLED_BACK
	})
	w.onlyColor("blue", 50)
	_, err = w.server.Client.StartSwitch(w.within(patience), &adminv1.StartSwitchRequest{Model: "tumor", Actor: "e2e", Again: true})
	must(t, err)
	w.awaitPhase(adminv1.Phase_PHASE_WAITING)
	_, err = w.server.Client.Promote(w.within(patience), &adminv1.PromoteRequest{Model: "tumor", Actor: "e2e", Now: true, Reason: "blue leaks"})
	must(t, err)
	m = w.await("green", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetSwitch().GetOutcome() == adminv1.Outcome_OUTCOME_SUCCEEDED
	})
	if !m.GetState().GetSwitch().GetNow() {
		t.Error("the history does not say that it could not wait")
	}
	w.noFailures()
}
