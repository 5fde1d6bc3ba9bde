package e2e

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
	"greenlight/examples/models"
)

// A drill goes back and forth on three Envoys under load without a failed request,
// and says how long it took; a kill in the middle of one loses nothing.
func TestDrillUnderLoad(t *testing.T) {
	w := newWorld(t, worldOptions{}, nil)
	w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
	drill := func() {
		t.Helper()
		_, err := w.server.Client.Drill(w.within(patience), &adminv1.DrillRequest{Model: "tumor", Actor: "e2e", AnyRate: true})
		must(t, err)
	}
	over := func(n int) *adminv1.Drill {
		t.Helper()
		m := w.await("the end of the drill", func(m *adminv1.ModelStatus) bool {
			d := m.GetState().GetSwitch().GetDrills()
			return len(d) == n && d[n-1].GetEnded() != nil && m.GetState().GetPhase() == adminv1.Phase_PHASE_IDLE
		})
		return m.GetState().GetSwitch().GetDrills()[n-1]
	}
	drill()
	d := over(1)
	if d.GetProblem() != "" || d.GetBack().AsDuration() <= 0 || d.GetForth().AsDuration() <= 0 {
		t.Errorf("drill %v", d)
	}
	t.Logf("back in %s, forward again in %s", d.GetBack().AsDuration(), d.GetForth().AsDuration())
	w.onlyColor("green", 50)

	drill()
	w.server.Kill()
	must(t, w.server.Start(w.within(patience)))
	d = over(2)
	if d.GetProblem() != "" {
		t.Errorf("drill over a kill: %v", d)
	}
	w.onlyColor("green", 50)
	sw := w.status().GetState().GetSwitch()
	if sw.GetOutcome() != adminv1.Outcome_OUTCOME_SUCCEEDED {
		t.Errorf("outcome %v", sw.GetOutcome())
	}
	w.noFailures()
}

// A version that was taken back takes a word to be tried again; what was live before any
// kept switch can be live again, and when it is gone, that is said.
func TestBackToBeforeAnEarlierSwitch(t *testing.T) {
	w := newWorld(t, worldOptions{}, nil)
	first := w.start()
	w.awaitOutcome(first, adminv1.Outcome_OUTCOME_SUCCEEDED)
	back := func(to string) (*adminv1.RollbackResponse, error) {
		return w.server.Client.Rollback(w.within(patience), &adminv1.RollbackRequest{Model: "tumor", Actor: "e2e", BeforeSwitch: to})
	}
	// A switch to a blue that fails its validation: blue with its first version still stands.
	w.writePolicy("tumor.yaml", policyWith("tumor", map[string]string{"validate": "[{endpoints: {min: 3}}]", "prepare": "{within: 100ms}"}))
	w.await("the policy", func(m *adminv1.ModelStatus) bool { return len(m.GetPolicy().GetValidate()) == 1 })
	w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_REFUSED)
	w.writePolicy("tumor.yaml", policyWith("tumor", nil))
	w.await("the policy", func(m *adminv1.ModelStatus) bool { return len(m.GetPolicy().GetValidate()) == 3 })
	_, err := back(first)
	must(t, err)
	m := w.await("blue", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetLive() == adminv1.Color_COLOR_BLUE && m.GetState().GetPhase() == adminv1.Phase_PHASE_IDLE
	})
	if sw := m.GetState().GetSwitch(); sw.GetUndoes() != first || sw.GetOutcome() != adminv1.Outcome_OUTCOME_SUCCEEDED {
		t.Errorf("switch %v", sw)
	}
	w.onlyColor("blue", 50)

	// Green's version was taken back by that.
	_, err = w.server.Client.StartSwitch(w.within(patience), &adminv1.StartSwitchRequest{Model: "tumor", Actor: "e2e"})
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(status.Convert(err).Message(), "was taken back") {
		t.Errorf("tried again: %v", err)
	}
	_, err = w.server.Client.StartSwitch(w.within(patience), &adminv1.StartSwitchRequest{Model: "tumor", Actor: "e2e", Again: true})
	must(t, err)
	w.await("green", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetSwitch().GetAgain() && m.GetState().GetSwitch().GetOutcome() == adminv1.Outcome_OUTCOME_SUCCEEDED
	})

	// Blue is deployed anew: what was live before the first switch is gone.
	w.deployAs("blue", models.Good, "2026-12-01", 2)
	_, err = back(first)
	if message := status.Convert(err).Message(); !strings.Contains(message, "blue no longer serves 2026-10-01, it serves 2026-12-01") {
		t.Errorf("back to what is gone: %v", err)
	}
	if _, err = back("nothing"); status.Code(err) != codes.NotFound {
		t.Errorf("back to no switch: %v", err)
	}
	w.noFailures()
}
