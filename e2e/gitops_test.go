package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/api/adminv1"
)

// live is a policy in which color should be live, with a warm old color.
func live(color string) map[string]string {
	return map[string]string{"live": color, "bake": "{for: 0s}", "retire": "{off: true}"}
}

// A merged commit is a switch and a reverted one goes back, under load, over a broken
// commit, over a repository that is away while the server is killed, and over a person
// who goes another way; nobody's request fails.
func TestAMergedCommitIsASwitch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{git: true}, live("blue"))
	isLive := func(color adminv1.Color) func(*adminv1.ModelStatus) bool {
		return func(m *adminv1.ModelStatus) bool {
			return m.GetState().GetLive() == color && m.GetState().GetPhase() == adminv1.Phase_PHASE_IDLE
		}
	}
	blue, green := isLive(adminv1.Color_COLOR_BLUE), isLive(adminv1.Color_COLOR_GREEN)

	w.writePolicy("tumor.yaml", policyWith("tumor", live("green")))
	merged := w.repo.push("tumor: green takes over")
	w.repo.hook()
	m := w.await("green", green)
	sw := m.GetState().GetSwitch()
	if sw.GetActor() != "policy" || sw.GetOutcome() != adminv1.Outcome_OUTCOME_SUCCEEDED || len(sw.GetVerdicts()) == 0 {
		t.Errorf("switch by %s, %v, %d verdicts", sw.GetActor(), sw.GetOutcome(), len(sw.GetVerdicts()))
	}
	if c := sw.GetPlan().GetSource().GetCommit(); c.GetId() != merged || c.GetAuthor() != "Ann <ann@example.org>" || c.GetSubject() != "tumor: green takes over" {
		t.Errorf("the switch came from %v", c)
	}
	if file := sw.GetPlan().GetSource().GetFile(); file != "tumor.yaml" {
		t.Errorf("the policy is named %q", file)
	}
	w.onlyColor("green", 50)

	// A commit of which one file is broken changes nothing, the good file included.
	w.writePolicy("tumor.yaml", policyWith("tumor", live("blue")))
	w.writePolicy("other.yaml", "kind: Model\n")
	w.repo.push("half a thought")
	w.repo.hook()
	m = w.await("the broken commit", func(m *adminv1.ModelStatus) bool { return m.GetPolicyProblem() != "" })
	if !strings.Contains(m.GetPolicyProblem(), "is not taken: other.yaml") || !green(m) {
		t.Errorf("%s: %v", m.GetPolicyProblem(), m.GetState())
	}
	w.onlyColor("green", 50)
	must(t, os.Remove(filepath.Join(w.policies(), "other.yaml")))
	w.writePolicy("tumor.yaml", policyWith("tumor", live("green")))
	w.repo.push("the other half")
	w.repo.hook()
	w.await("the mended commit", func(m *adminv1.ModelStatus) bool { return m.GetPolicyProblem() == "" && green(m) })

	// The repository is away while the server is killed: the last commit stands.
	w.repo.away()
	w.server.Kill()
	must(t, w.server.Start(w.within(patience)))
	m = w.await("green after the restart", func(m *adminv1.ModelStatus) bool {
		r := m.GetReport()
		return green(m) && r.GetConnected() == 3 && r.GetAcked() == 3
	})
	if c := m.GetPolicy().GetSource().GetCommit(); c.GetId() != merged {
		t.Errorf("after the restart the policy is of %v, want %s", c, merged)
	}
	w.onlyColor("green", 50)

	// A revert goes back in one publish, without checks.
	w.repo.serve()
	before := w.status().GetState().GetGeneration()
	w.repo.revert(merged)
	w.repo.hook()
	m = w.await("blue", blue)
	last := m.GetState().GetSwitch()
	if last.GetId() != sw.GetId() || last.GetOutcome() != adminv1.Outcome_OUTCOME_ROLLED_BACK || !strings.Contains(last.GetCause(), "rolled back by policy: tumor.yaml:1@") {
		t.Errorf("the revert: switch %s, %v: %s", last.GetId(), last.GetOutcome(), last.GetCause())
	}
	if published := m.GetState().GetGeneration() - before; published > 2 {
		t.Errorf("the revert took %d routings", published)
	}
	w.onlyColor("blue", 50)

	// The API does not decide, unless it is told to; then that is drift.
	_, err := w.server.Client.StartSwitch(w.within(patience), &adminv1.StartSwitchRequest{Model: "tumor", Actor: "e2e", Again: true})
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "says what is live: blue") {
		t.Errorf("a switch that the policy does not want: %v", err)
	}
	_, err = w.server.Client.StartSwitch(w.within(patience), &adminv1.StartSwitchRequest{Model: "tumor", Actor: "e2e", Again: true, Override: true, Reason: "blue leaks"})
	must(t, err)
	m = w.await("green by override", green)
	if !strings.Contains(m.GetDrift(), "wants blue live, but overridden by e2e: blue leaks") {
		t.Errorf("drift %q", m.GetDrift())
	}
	w.writePolicy("tumor.yaml", policyWith("tumor", live("green")))
	agreed := w.repo.push("agreed: green")
	w.repo.hook()
	m = w.await("agreement", func(m *adminv1.ModelStatus) bool { return m.GetDrift() == "" && green(m) })
	uses := m.GetState().GetPolicyUses()
	if c := uses[len(uses)-1].GetSource().GetCommit(); c.GetId() != agreed {
		t.Errorf("the last routing came from %v, want %s", c, agreed)
	}
	w.noFailures()
}
