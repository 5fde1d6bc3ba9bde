package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

// each runs a test with both variants of the protocol.
func each(t *testing.T, f func(t *testing.T, delta bool)) {
	t.Run("sotw", func(t *testing.T) { f(t, false) })
	t.Run("delta", func(t *testing.T) { f(t, true) })
}

func TestWorseModelIsRefusedBeforeAnyUserMeetsIt(t *testing.T) {
	w := newWorld(t, worldOptions{green: models.Bad, consul: true}, nil)
	sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_REFUSED)
	if !strings.Contains(sw.GetCause(), "golden") {
		t.Errorf("cause is %q, want it to name the golden check", sw.GetCause())
	}
	var golden *adminv1.Verdict
	for _, v := range sw.GetVerdicts() {
		if v.GetKind() == "golden" {
			golden = v
		}
	}
	if golden == nil || len(golden.GetEvidence()) == 0 {
		t.Fatalf("no golden verdict with evidence in %v", sw.GetVerdicts())
	}
	if e := golden.GetEvidence()[0]; e.GetExpected() == "" || e.GetGot() == "" || e.GetEndpoint() == "" || !strings.Contains(e.GetCase(), models.GoldenFile) {
		t.Errorf("evidence %v does not say what was expected, what came, and from where", e)
	}
	if met := w.noFailures().ByColor["green"]; met != 0 {
		t.Errorf("%d users met a model that did not pass", met)
	}
}

func TestGoodModelIsSwitchedToInSteps(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{consul: true, delta: delta}, map[string]string{
			"shift": "{steps: [{weight: 10%, hold: 1s}, {weight: 50%, hold: 1s}, 100%]}",
			"bake":  "{for: 1s, every: 300ms}",
		})
		sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
		w.onlyColor("green", 100)
		var weights []float64
		for _, tr := range sw.GetTransitions() {
			if g := tr.GetWeights().GetGreenPercent(); len(weights) == 0 || weights[len(weights)-1] != g {
				weights = append(weights, g)
			}
		}
		if want := []float64{0, 10, 50, 100}; !equal(weights, want) {
			t.Errorf("green's weights were %v, want %v", weights, want)
		}
		counts := w.noFailures()
		if counts.ByColor["green"] == 0 || counts.ByColor["blue"] == 0 {
			t.Errorf("answers by color %v; both must have answered", counts.ByColor)
		}
	})
}

func equal(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestFailureInTheBakeGoesBackByItself(t *testing.T) {
	w := newWorld(t, worldOptions{consul: true, rate: -1}, map[string]string{"bake": "{for: 1m, every: 200ms}"})
	w.opts.rate = 200
	failing := func(a lab.Answer) bool {
		return a.Err == nil && a.Status == http.StatusInternalServerError && a.Color == "green"
	}
	var urls []string
	for _, e := range w.envoys {
		urls = append(urls, w.url(e, inferPath))
	}
	w.load = lab.StartLoad(lab.LoadOptions{URLs: urls, Host: host, Body: knownRequest(t), Rate: 200, Expected: failing})
	t.Cleanup(func() { w.load.Stop() })

	id := w.start()
	w.awaitPhase(adminv1.Phase_PHASE_BAKING)
	w.onlyColor("green", 50)
	for _, m := range w.models["green"] {
		must(t, m.Fail(modelserver.Fault{Mode: modelserver.Errors}))
	}
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
	w.onlyColor("blue", 100)
	if !strings.Contains(sw.GetCause(), "golden") {
		t.Errorf("cause is %q, want it to name the check that failed", sw.GetCause())
	}
	w.noFailures()
}

func TestOperatorRollsBackByHand(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{consul: true, delta: delta}, map[string]string{"bake": "{for: 1m}"})
		id := w.start()
		w.awaitPhase(adminv1.Phase_PHASE_BAKING)
		w.onlyColor("green", 50)
		_, err := w.server.Client.Rollback(w.within(patience), &adminv1.RollbackRequest{Model: "tumor", Actor: "operator", Reason: "a customer called"})
		must(t, err)
		sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
		w.onlyColor("blue", 100)
		last := sw.GetTransitions()[len(sw.GetTransitions())-1]
		if !strings.Contains(sw.GetCause()+last.GetReason(), "operator") {
			t.Errorf("neither cause %q nor the last transition %q says who", sw.GetCause(), last.GetReason())
		}
		w.noFailures()
	})
}

func TestRollbackAfterTheSwitchSucceeded(t *testing.T) {
	w := newWorld(t, worldOptions{}, map[string]string{"retire": "{after: 1h}"})
	id := w.start()
	w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.onlyColor("green", 50)
	_, err := w.server.Client.Rollback(w.within(patience), &adminv1.RollbackRequest{Model: "tumor", Actor: "operator"})
	must(t, err)
	w.awaitNewOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
	w.onlyColor("blue", 100)
	w.noFailures()
}

func TestPreviewReachesTheIdleColorAndNeverTheOther(t *testing.T) {
	w := newWorld(t, worldOptions{envoys: 1}, nil)
	ask := func(value string) lab.Answer {
		load := lab.StartLoad(lab.LoadOptions{
			Host: host, Body: knownRequest(t), Header: http.Header{"X-Model-Color": {value}},
		})
		defer load.Stop()
		return load.Ask(w.url(w.envoys[0], inferPath))
	}
	for value, want := range map[string]string{"blue": "blue", "green": "green", "live": "blue", "idle": "green"} {
		if a := ask(value); a.Failed() || a.Color != want {
			t.Errorf("x-model-color: %s was answered by %q with %d, want %q", value, a.Color, a.Status, want)
		}
	}
	if a := ask("purple"); a.Status != http.StatusBadRequest {
		t.Errorf("x-model-color: purple was answered with %d by %q, want 400", a.Status, a.Color)
	}
	// With green gone the preview of green fails; it does not fall back to blue.
	for _, m := range w.models["green"] {
		m.Close()
	}
	if a := ask("green"); !a.Failed() || a.Color == "blue" {
		t.Errorf("with green gone its preview was answered by %q with %d", a.Color, a.Status)
	}
	w.noFailures()
}

func TestListenerOverXDS(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{envoys: 1, listener: true, delta: delta}, nil)
		w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
		w.onlyColor("green", 50)
		w.noFailures()
	})
}

// awaitNewOutcome waits until a switch that had already ended has another outcome.
func (w *world) awaitNewOutcome(id string, want adminv1.Outcome) {
	w.t.Helper()
	w.await("switch "+id+" to become "+want.String(), func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetSwitch().GetId() == id && m.GetState().GetSwitch().GetOutcome() == want
	})
}

func TestConfirmedOnlyWhenTheLastNodeHasAcked(t *testing.T) {
	w := newWorld(t, worldOptions{relay: true}, map[string]string{"confirm": "{within: 1m}", "bake": "{for: 1m}"})
	w.relay.withhold("envoy-2", routeType)
	id := w.start()
	m := w.await("two of three ACKs", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetPhase() == adminv1.Phase_PHASE_CONFIRMING && m.GetReport().GetAcked() == 2
	})
	if p := m.GetReport().GetPending(); len(p) != 1 || p[0].GetNode() != "envoy-2" {
		t.Errorf("pending is %v, want envoy-2", p)
	}
	// It stays so for as long as the last ACK is missing.
	deadline := time.Now().Add(time.Second)
	for time.Now().Before(deadline) {
		if phase := w.status().GetState().GetPhase(); phase != adminv1.Phase_PHASE_CONFIRMING {
			t.Fatalf("phase %v while envoy-2 has not ACKed", phase)
		}
	}
	w.relay.release("envoy-2")
	w.awaitPhase(adminv1.Phase_PHASE_BAKING)
	if got := w.status().GetState().GetSwitch().GetId(); got != id {
		t.Errorf("switch %s bakes, want %s", got, id)
	}
	w.noFailures()
}
