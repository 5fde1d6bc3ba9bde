package e2e

import (
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

// watched is a policy whose steps users' own traffic judges.
func watched(more map[string]string) map[string]string {
	out := map[string]string{
		"validate": "[{endpoints: {min: 2}}]",
		"shift":    "{steps: [{weight: 20%, hold: 60s}, 100%], checks: []}",
		"judge":    "{minRequests: 100, maxHold: 30s, otherwise: rollback}",
		"bake":     "{for: 1s, checks: []}",
	}
	for key, value := range more {
		out[key] = value
	}
	return out
}

// failing lets green misbehave for all of its users from now on.
func (w *world) failing(f modelserver.Fault, servers ...*modelserver.Server) {
	w.t.Helper()
	if len(servers) == 0 {
		servers = w.models["green"]
	}
	for _, m := range servers {
		must(w.t, m.Fail(f))
	}
}

// judged is the verdict on users' traffic.
func judged(sw *adminv1.Switch) *adminv1.Verdict {
	for _, v := range sw.GetVerdicts() {
		if v.GetKind() == "judge" {
			return v
		}
	}
	return nil
}

// A version that does its users worse, in whatever way, is taken back by what
// they meet, without a check or a metrics server.
func TestUsersTrafficTakesBackWhatIsWorse(t *testing.T) {
	w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: -1}, watched(nil))
	versions := []string{"a", "b", "c", "d", "e"}
	for i, c := range []struct {
		name  string
		fault modelserver.Fault
		one   bool // only one of green's instances
		words []string
	}{
		{"errors", modelserver.Fault{Mode: modelserver.Errors, Rate: 0.3}, false, []string{"fails more often"}},
		{"latency", modelserver.Fault{Mode: modelserver.Slow, Rate: 1, Delay: 60 * time.Millisecond}, false, []string{"slower"}},
		{"one endpoint", modelserver.Fault{Mode: modelserver.Errors}, true, []string{"fails more often", "most of it at 127.0.0.1"}},
		{"some users", modelserver.Fault{Mode: modelserver.Errors, Users: someUsers(20)}, false, []string{"fails more often"}},
		{"broken answers", modelserver.Fault{Mode: modelserver.Cut, Rate: 0.3}, false, []string{"fails more often"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.deployAs("green", models.Equal, "v-"+versions[i], 2)
			w.usersLoad(100)
			id := w.start()
			w.awaitWeight(20)
			if c.one {
				w.failing(c.fault, w.models["green"][0])
			} else {
				w.failing(c.fault)
			}
			sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
			for _, word := range append(c.words, "users' traffic") {
				if !strings.Contains(sw.GetCause(), word) {
					t.Errorf("cause %q says %q nowhere", sw.GetCause(), word)
				}
			}
			if v := judged(sw); v == nil || v.GetResult() != adminv1.Result_RESULT_FAIL || len(v.GetFigures()) == 0 {
				t.Errorf("verdict %v", v)
			}
			t.Log(sw.GetCause())
			w.onlyColor("blue", 50)
			w.load.Stop()
		})
	}
}

// An equal version passes its steps and its bake under the judgement's eyes.
func TestUsersTrafficLetsAnEqualVersionPass(t *testing.T) {
	w := newWorld(t, worldOptions{envoys: 1, listener: true}, watched(map[string]string{
		"shift": "{steps: [{weight: 25%, hold: 2s}, {weight: 50%, hold: 2s}, 100%], checks: []}",
		"bake":  "{for: 2s, checks: []}",
	}))
	sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
	if v := judged(sw); v == nil || v.GetResult() != adminv1.Result_RESULT_PASS {
		t.Errorf("verdict %v", v)
	}
	for _, tr := range sw.GetTransitions() {
		t.Log(tr.GetReason())
	}
	w.noFailures()
}

func someUsers(n int) []string {
	var out []string
	for i := range n {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

// deployAs is deploy with a version of its own in the registry, and waits until
// Greenlight knows of it.
func (w *world) deployAs(color, version, called string, n int) {
	w.t.Helper()
	w.called[color] = called
	w.deploy(color, version, n)
	w.await("version "+called, func(m *adminv1.ModelStatus) bool {
		ready := m.GetEndpoints().GetGreen()
		if color == "blue" {
			ready = m.GetEndpoints().GetBlue()
		}
		return len(ready) == n && !slices.ContainsFunc(ready, func(e *adminv1.Endpoint) bool { return e.GetVersion() != called })
	})
}

// usersLoad sends the requests of so many users.
func (w *world) usersLoad(users int) {
	w.t.Helper()
	w.load = lab.StartLoad(lab.LoadOptions{
		URLs: []string{w.url(w.envoys[0], inferPath)}, Host: host, Body: knownRequest(w.t), Rate: 400, Timeout: time.Minute, Users: users,
		Expected: func(lab.Answer) bool { return true },
	})
	w.t.Cleanup(func() { w.load.Stop() })
}

// awaitWeight waits until green's weight is confirmed.
func (w *world) awaitWeight(percent float64) {
	w.t.Helper()
	w.await("green's weight", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetPhase() == adminv1.Phase_PHASE_HOLDING && m.GetState().GetWeights().GetGreenPercent() == percent
	})
}

// Data that says too little holds a step, and then does what the policy says.
func TestThinTraffic(t *testing.T) {
	t.Parallel() // it waits most of its time
	thin := func(otherwise string) map[string]string {
		return watched(map[string]string{
			"shift": "{steps: [{weight: 20%, hold: 500ms}, 100%], checks: []}",
			"judge": "{minRequests: 100, maxHold: 2s, otherwise: " + otherwise + "}",
		})
	}
	t.Run("none, rollback", func(t *testing.T) {
		w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: -1}, thin("rollback"))
		sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_ROLLED_BACK)
		if !strings.Contains(sw.GetCause(), "too little") || !strings.Contains(sw.GetCause(), "0 of the 100 requests") {
			t.Errorf("cause %q", sw.GetCause())
		}
	})
	t.Run("little, hold", func(t *testing.T) {
		w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: 10}, thin("hold"))
		w.start()
		m := w.awaitPhase(adminv1.Phase_PHASE_HELD)
		if !strings.Contains(m.GetState().GetProblem(), "too little") || m.GetState().GetWeights().GetGreenPercent() != 20 {
			t.Errorf("held with %q at %v", m.GetState().GetProblem(), m.GetState().GetWeights())
		}
		w.noFailures()
	})
	t.Run("stops, promote", func(t *testing.T) {
		w := newWorld(t, worldOptions{envoys: 1, listener: true}, thin("promote"))
		id := w.start()
		w.awaitWeight(20)
		w.load.SetRate(0)
		sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
		if v := judged(sw); v == nil || v.GetResult() != adminv1.Result_RESULT_INCONCLUSIVE {
			t.Errorf("verdict %v", v)
		}
		w.noFailures()
	})
}

// An Envoy that says nothing is not taken for a healthy one.
func TestSilenceIsNotHealth(t *testing.T) {
	t.Parallel() // it waits most of its time
	w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: 400}, watched(map[string]string{
		"shift": "{steps: [{weight: 50%, hold: 10s}, 100%], checks: []}",
		"judge": "{minRequests: 50, maxHold: 2s, otherwise: hold}",
	}))
	id := w.start()
	w.await("enough requests", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetWeights().GetGreenPercent() == 50 && m.GetState().GetJudging().GetIdle().GetRequests() > 100
	})
	w.envoys[0].Proc.Signal(syscall.SIGSTOP)
	t.Cleanup(func() { w.envoys[0].Proc.Signal(syscall.SIGCONT) })
	m := w.awaitPhase(adminv1.Phase_PHASE_HELD)
	for _, word := range []string{"is silent", "edge/envoy-1"} {
		if !strings.Contains(m.GetState().GetProblem(), word) {
			t.Errorf("problem %q says %q nowhere", m.GetState().GetProblem(), word)
		}
	}
	if m.GetState().GetSwitch().GetId() != id || m.GetState().GetWeights().GetGreenPercent() != 50 {
		t.Errorf("held at %v", m.GetState().GetWeights())
	}
}

// A server that is killed in the middle of a step goes on with what it knew, and
// does not call unwatched time watched.
func TestRestartInTheMiddleOfAWatchedStep(t *testing.T) {
	w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: 400}, watched(map[string]string{
		"shift": "{steps: [{weight: 50%, hold: 8s}, 100%], checks: []}",
	}))
	id := w.start()
	before := w.await("requests of the step", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetWeights().GetGreenPercent() == 50 && m.GetState().GetJudging().GetIdle().GetRequests() > 100
	})
	w.server.Kill()
	away := 3 * time.Second
	time.Sleep(away) // nobody watches
	must(t, w.server.Start(w.within(patience)))
	after := w.await("the step again", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetPhase() == adminv1.Phase_PHASE_HOLDING && m.GetState().GetReportKnown()
	})
	was, is := before.GetState(), after.GetState()
	if is.GetJudging().GetIdle().GetRequests() < was.GetJudging().GetIdle().GetRequests() {
		t.Errorf("counted %d before and %d after", was.GetJudging().GetIdle().GetRequests(), is.GetJudging().GetIdle().GetRequests())
	}
	if gained := is.GetDeadline().AsTime().Sub(was.GetDeadline().AsTime()); gained < away {
		t.Errorf("the hold ends %v later after %v without a watch", gained, away)
	}
	w.failing(modelserver.Fault{Mode: modelserver.Errors, Rate: 0.5})
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
	if !strings.Contains(sw.GetCause(), "users' traffic") {
		t.Errorf("cause %q", sw.GetCause())
	}
}

// A shadow meets copies of users' requests before any user meets the new color.
func TestShadow(t *testing.T) {
	t.Parallel() // it waits most of its time
	shadow := func(more string) map[string]string {
		return watched(map[string]string{"shadow": "{percent: 50%, for: 2s}", "shift": "{steps: [100%]}", "judge": "{minRequests: 50, maxHold: 10s, otherwise: rollback" + more + "}"})
	}
	t.Run("good", func(t *testing.T) {
		w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: 400}, shadow(""))
		sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
		seen := ""
		for _, tr := range sw.GetTransitions() {
			seen += tr.GetReason() + "\n"
		}
		if !strings.Contains(seen, "mirrored for 2s") || !strings.Contains(seen, "50% of users' requests mirrored to green") {
			t.Errorf("story:\n%s", seen)
		}
		w.noFailures()
	})
	t.Run("bad", func(t *testing.T) {
		w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: 400}, shadow(""))
		w.failing(modelserver.Fault{Mode: modelserver.Errors, Rate: 0.5})
		sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_REFUSED)
		if !strings.Contains(sw.GetCause(), "mirrored traffic") {
			t.Errorf("cause %q", sw.GetCause())
		}
		t.Log(sw.GetCause())
		if met := w.noFailures().ByColor["green"]; met != 0 {
			t.Errorf("%d users met green", met)
		}
	})
	t.Run("harms the live color", func(t *testing.T) {
		rules := shadow("")
		rules["shadow"] = "{percent: 50%, for: 10m}"
		w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: 400}, rules)
		w.await("a record of blue", func(m *adminv1.ModelStatus) bool {
			return m.GetTraffic().GetUsers().GetBlue().GetRequests() > 2000
		})
		id := w.start()
		w.awaitPhase(adminv1.Phase_PHASE_SHADOWING)
		for _, m := range w.models["blue"] {
			must(t, m.Fail(modelserver.Fault{Mode: modelserver.Slow, Delay: 200 * time.Millisecond}))
		}
		// What may be an incident of moments is not taken for harm: that takes most of a minute.
		ended, err := w.server.AwaitModel(w.within(3*patience), "tumor", "the end of the shadow", func(m *adminv1.ModelStatus) bool {
			return m.GetState().GetSwitch().GetOutcome() != adminv1.Outcome_OUTCOME_UNSPECIFIED
		})
		must(t, err)
		sw := ended.GetState().GetSwitch()
		if sw.GetId() != id || sw.GetOutcome() != adminv1.Outcome_OUTCOME_REFUSED || !strings.Contains(sw.GetCause(), "harm") {
			t.Errorf("switch %s: %v, cause %q", sw.GetId(), sw.GetOutcome(), sw.GetCause())
		}
		if m := w.status().GetState().GetMirror(); m.GetPercent() != 0 {
			t.Errorf("still mirrors %v", m)
		}
	})
}
