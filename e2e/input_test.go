package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"greenlight/api/adminv1"
)

// Every bad policy gets an error with its file, line and column, and changes
// neither what users get nor the policy in force.
func TestBadPoliciesChangeNoRouting(t *testing.T) {
	w := newWorld(t, worldOptions{}, nil)
	good := policyWith("tumor", nil)
	generation := w.status().GetState().GetGeneration()
	cases := map[string]string{
		"unknown key":      strings.Replace(good, "spec:\n", "spec:\n  vallidate: []\n", 1),
		"doubled key":      strings.Replace(good, "spec:\n", "spec:\n  shift: {steps: [100%]}\n", 1),
		"weight over 100":  policyWith("tumor", map[string]string{"shift": "{steps: [120%, 100%]}"}),
		"missing file":     strings.Replace(good, "tumor.golden.jsonl", "gone.jsonl", 1),
		"path out":         strings.Replace(good, "tumor.golden.jsonl", "../../../../etc/passwd", 1),
		"ten megabytes":    good + strings.Repeat("# padding padding padding padding\n", 300_000),
		"binary junk":      string([]byte{0xff, 0xfe, 0x00, 0x01, 0x02}) + strings.Repeat("\x00\xff", 1000),
		"not yet finished": good[:len(good)/2] + "\n  route: {fleets: [",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			w.writePolicy("tumor.yaml", text)
			m := w.await("the problem to be told", func(m *adminv1.ModelStatus) bool { return m.GetPolicyProblem() != "" })
			if p := m.GetPolicyProblem(); !strings.Contains(p, "tumor.yaml") {
				t.Errorf("problem %q does not name the file", p)
			}
			if m.GetState().GetGeneration() != generation {
				t.Errorf("routing generation changed from %d to %d", generation, m.GetState().GetGeneration())
			}
			w.onlyColor("blue", 50)
			w.writePolicy("tumor.yaml", good)
			w.await("the problem to end", func(m *adminv1.ModelStatus) bool { return m.GetPolicyProblem() == "" })
		})
	}
	w.noFailures()
}

func TestTwoModelsMayNotClaimTheSamePlace(t *testing.T) {
	w := newWorld(t, worldOptions{}, nil)
	w.writePolicy("twin.yaml", policyWith("twin", nil))
	m, err := w.server.AwaitModel(w.within(patience), "twin", "the conflict to be told", func(m *adminv1.ModelStatus) bool {
		return m.GetPolicyProblem() != ""
	})
	must(t, err)
	if p := m.GetPolicyProblem(); !strings.Contains(p, "tumor") || !strings.Contains(p, host) {
		t.Errorf("problem %q names neither the other model nor the host", p)
	}
	w.writePolicy("again.yaml", policyWith("tumor", nil))
	w.await("the duplicate to be told", func(m *adminv1.ModelStatus) bool { return strings.Contains(m.GetPolicyProblem(), "again.yaml") })
	w.onlyColor("blue", 100)
	w.noFailures()
}

// greenlight runs the command line as a user would.
func (w *world) greenlight(args ...string) (code int, out string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleVariable+"=greenlight", "GREENLIGHT_SERVER="+w.server.Admin)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		w.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), both.String()
}

// The command line against a real server: each command, with its exit code.
func TestCommandLine(t *testing.T) {
	w := newWorld(t, worldOptions{}, map[string]string{"bake": "{for: 1m}", "retire": "{after: 1h}"})
	steps := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"status"}, 0, "tumor"},
		{[]string{"status", "tumor", "-o", "json"}, 0, `"model"`},
		{[]string{"status", "tumour"}, 2, "tumor"},
		{[]string{"switch", "tumor", "--expect-live", "green"}, 1, "blue"},
		{[]string{"switch", "tumor", "--to", "blue"}, 2, "blue"},
		{[]string{"switch", "tumor", "--to", "purple"}, 2, "purple"},
		{[]string{"switch", "tumor", "--reason", "test", "--key", "k1"}, 0, "tumor"},
		{[]string{"switch", "tumor"}, 1, "running"},
		{[]string{"pause", "tumor"}, 0, ""},
		{[]string{"resume", "tumor"}, 0, ""},
		{[]string{"promote", "tumor"}, 0, ""},
		{[]string{"abort", "tumor"}, 1, ""},
		{[]string{"rollback", "tumor", "--wait", "--reason", "test"}, 0, ""},
		{[]string{"history", "tumor"}, 0, "rolled"},
		{[]string{"fleet"}, 0, "edge"},
		{[]string{"fleet", "edge"}, 0, "envoy-3"},
		{[]string{"policy", "lint", w.policies()}, 0, ""},
		{[]string{"policy", "schema"}, 0, "$schema"},
		{[]string{"bootstrap", "edge"}, 0, "ads"},
		{[]string{"version"}, 0, "greenlight"},
		{[]string{"fleet", "nowhere"}, 2, "nowhere"},
		{[]string{"swich"}, 2, "switch"},
		{[]string{"status", "--server", "127.0.0.1:1"}, 3, "127.0.0.1:1"},
	}
	baked := false
	for _, s := range steps {
		if s.args[0] == "pause" && !baked {
			w.awaitPhase(adminv1.Phase_PHASE_BAKING)
			baked = true
		}
		code, out := w.greenlight(s.args...)
		if code != s.code || !strings.Contains(out, s.want) {
			t.Errorf("greenlight %s: exit %d, want %d with %q in:\n%s", strings.Join(s.args, " "), code, s.code, s.want, out)
		}
	}
	must(t, os.WriteFile(filepath.Join(w.dir, "bad.yaml"), []byte("kind: Model\nspecc: {}\n"), 0o644))
	if code, out := w.greenlight("policy", "lint", filepath.Join(w.dir, "bad.yaml")); code == 0 || !strings.Contains(out, "bad.yaml:2:1") {
		t.Errorf("lint of a bad file: exit %d:\n%s", code, out)
	}
	w.noFailures()
}
