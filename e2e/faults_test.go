package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
)

// Type URLs as the relay sees them.
const (
	routeType    = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
	endpointType = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
)

// withoutRetries makes an Envoy one that does not know a part of our routes, as
// one of another version or build would.
const withoutRetries = "envoy.retry_host_predicates/envoy.retry_host_predicates.previous_hosts"

// While a node has not got green's endpoints, no weight moves: not on that
// node, not on the others.
func TestSwitchWaitsWhileEndpointsAreWithheld(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{relay: true, delta: delta}, map[string]string{"prepare": "{within: 1m}"})
		// A new set of green endpoints that envoy-2 does not get to know.
		w.relay.withhold("envoy-2", endpointType)
		late := w.lateEnvoy("envoy-4", endpointType)
		m := w.await("cold nodes", func(m *adminv1.ModelStatus) bool { return m.GetReport().GetCold().GetGreen() > 0 })
		id := w.start()
		if n := m.GetReport().GetColdGreenNodes(); len(n) == 0 || n[0].GetNode() != "envoy-4" {
			t.Errorf("cold nodes are %v, want envoy-4", n)
		}
		w.onlyColor("blue", 200)
		if phase := w.status().GetState().GetPhase(); phase != adminv1.Phase_PHASE_PREPARING {
			t.Fatalf("phase %v while envoy-4 is cold, want preparing", phase)
		}
		w.relay.release("envoy-2")
		w.relay.release("envoy-4")
		w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
		w.onlyColor("green", 100)
		must(t, late.AwaitServing(w.within(patience), w.url(late, "/v2/models/tumor/ready"), host))
		w.noFailures()
	})
}

// lateEnvoy adds an Envoy from which some types are withheld from the start.
func (w *world) lateEnvoy(node string, withheld ...string) *lab.Envoy {
	w.t.Helper()
	w.relay.withhold(node, withheld...)
	return w.addEnvoy(node)
}

func TestEnvoyJoinsMidSwitch(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{delta: delta}, map[string]string{
			"shift": "{steps: [{weight: 50%, hold: 10m}, 100%]}", "bake": "{for: 10m}",
		})
		w.start()
		w.awaitPhase(adminv1.Phase_PHASE_HOLDING)
		joined := w.addEnvoy("envoy-4")
		must(t, joined.AwaitServing(w.within(patience), w.url(joined, "/v2/models/tumor/ready"), host))
		own := lab.StartLoad(lab.LoadOptions{URLs: []string{w.url(joined, inferPath)}, Host: host, Body: knownRequest(t), Rate: 100})
		defer own.Stop()
		w.confirmedBy(4)
		w.promote()
		m := w.awaitPhase(adminv1.Phase_PHASE_BAKING)
		if m.GetReport().GetConnected() != 4 || m.GetReport().GetAcked() != 4 {
			t.Errorf("baking with %d of %d nodes confirmed, want 4 of 4", m.GetReport().GetAcked(), m.GetReport().GetConnected())
		}
		w.onlyColor("green", 100)
		if counts := own.Stop(); counts.Unexpected != 0 {
			t.Errorf("%d of %d requests through the Envoy that joined failed: %v", counts.Unexpected, counts.Requests, counts.Failures)
		}
		w.noFailures()
	})
}

// An Envoy that is cut off goes on with the old routing. The switch goes on
// without it, but the old color stays until it is back.
func TestCutOffEnvoyKeepsTheOldColorFromRetiring(t *testing.T) {
	t.Parallel() // it waits most of its time
	each(t, func(t *testing.T, delta bool) {
		var called atomic.Int32
		hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
		defer hook.Close()
		w := newWorld(t, worldOptions{relay: true, delta: delta}, map[string]string{
			"route": "{fleets: [edge], hosts: [tumor.models.internal], prefix: /v2/models/tumor, timeout: 5s}",
			"shift": "{steps: [{weight: 50%, hold: 10m}, 100%]}", "retire": "{after: 100ms, webhook: '" + hook.URL + "'}",
		})
		id := w.start()
		w.awaitPhase(adminv1.Phase_PHASE_HOLDING)
		w.relay.cutOff("envoy-3")
		w.promote()
		w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
		m := w.await("the retirement to be held up", func(m *adminv1.ModelStatus) bool {
			return m.GetState().GetPhase() == adminv1.Phase_PHASE_RETIRING && strings.Contains(m.GetState().GetProblem(), "envoy-3")
		})
		if s := m.GetReport().GetStale(); len(s) != 1 || s[0].GetNode() != "envoy-3" {
			t.Errorf("stale nodes are %v, want envoy-3", s)
		}
		if m.GetReport().GetMaySend().GetBlue() == 0 {
			t.Error("no node may send to blue, but envoy-3 does")
		}
		if called.Load() != 0 {
			t.Fatal("the old color was retired while envoy-3 may still send to it")
		}
		w.relay.mend("envoy-3")
		w.awaitPhase(adminv1.Phase_PHASE_IDLE)
		if called.Load() != 1 {
			t.Errorf("the retire webhook was called %d times, want once", called.Load())
		}
		w.onlyColor("green", 100)
		w.noFailures()
	})
}

// An Envoy without the extension that a resource needs rejects it, as one of
// an older version would.
func TestRejectedRouteStopsTheSwitch(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{relay: true, delta: delta}, map[string]string{
			"route":   "{fleets: [edge], hosts: [tumor.models.internal], prefix: /v2/models/tumor, timeout: 30s, retries: {attempts: 0}}",
			"confirm": "{within: 20s}",
		})
		// envoy-4 knows no previous_hosts predicate; it is fine until the policy asks for retries.
		old := w.addEnvoy("envoy-4", "--disable-extensions", withoutRetries)
		must(t, old.AwaitServing(w.within(patience), w.url(old, "/v2/models/tumor/ready"), host))

		w.writePolicy("tumor.yaml", policyWith("tumor", nil)) // with retries
		m := w.await("the policy to be rejected", func(m *adminv1.ModelStatus) bool {
			return strings.Contains(m.GetPolicyProblem(), "envoy-4")
		})
		if !strings.Contains(m.GetPolicyProblem(), "previous_hosts") {
			t.Errorf("policy problem %q does not give Envoy's reason", m.GetPolicyProblem())
		}
		w.await("the policy before it to be confirmed", func(m *adminv1.ModelStatus) bool {
			return m.GetReport().GetAcked() == 4 && m.GetReport().GetGeneration() == m.GetState().GetGeneration()
		})
		if n := w.relay.nacks("envoy-4"); len(n) != 1 {
			t.Errorf("envoy-4 rejected %d times, want once: %v", len(n), n)
		}
		// The last good policy stands, and switching works.
		w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
		w.onlyColor("green", 100)
		w.noFailures()
	})
}

// A node that rejects in the middle of a switch sends everything back.
func TestNackMidSwitchRollsBack(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{delta: delta}, map[string]string{
			"shift": "{steps: [{weight: 50%, hold: 1m}, 100%]}", "confirm": "{within: 1m}",
		})
		id := w.start()
		w.awaitPhase(adminv1.Phase_PHASE_HOLDING)
		w.addEnvoy("envoy-4", "--disable-extensions", withoutRetries)
		sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
		if !strings.Contains(sw.GetCause(), "envoy-4") || !strings.Contains(sw.GetCause(), "previous_hosts") {
			t.Errorf("cause %q names neither the node nor its reason", sw.GetCause())
		}
		w.onlyColor("blue", 100)
		w.noFailures()
	})
}

// A node that gets something impossible in the middle of a switch rejects it
// once; the others had taken it, and all go back.
func TestImpossibleResourceMidSwitchRollsBack(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{relay: true, delta: delta}, map[string]string{"confirm": "{within: 1m}"})
		w.relay.corrupt("envoy-2", routeType)
		id := w.start()
		sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
		if !strings.Contains(sw.GetCause(), "envoy-2") {
			t.Errorf("cause %q does not name the node", sw.GetCause())
		}
		if n := w.relay.nacks("envoy-2"); len(n) != 1 {
			t.Errorf("envoy-2 rejected %d times, want once: %v", len(n), n)
		}
		w.onlyColor("blue", 100)
		w.relay.mendContent("envoy-2")
		w.noFailures()
	})
}

// A listener that cannot bind is a NACK of the listener; a switch is refused
// while it stands, and Envoy is not asked again and again.
func TestListenerOnATakenPortRefusesTheSwitch(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{envoys: 1, listener: true, relay: true, delta: delta}, nil)
		taken := httptest.NewServer(http.NotFoundHandler())
		defer taken.Close()
		_, port, _ := strings.Cut(strings.TrimPrefix(taken.URL, "http://"), ":")
		w.writePolicy("fleet.yaml", strings.Replace(fleetPolicy(1), "port: 1}", "port: "+port+"}", 1))
		w.await("the listener to be rejected", func(m *adminv1.ModelStatus) bool { return len(m.GetReport().GetRejected()) > 0 })
		sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_REFUSED)
		if !strings.Contains(sw.GetCause(), "envoy-1") || !strings.Contains(sw.GetCause(), "listener") {
			t.Errorf("cause %q names neither the node nor the listener", sw.GetCause())
		}
		w.onlyColor("blue", 100)
		if n := w.relay.nacks("envoy-1"); len(n) != 1 {
			t.Errorf("envoy-1 rejected %d times, want once", len(n))
		}
		w.writePolicy("fleet.yaml", fleetPolicy(w.port))
		w.await("the rejection to end", func(m *adminv1.ModelStatus) bool { return len(m.GetReport().GetRejected()) == 0 })
		w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
		w.onlyColor("green", 100)
		w.noFailures()
	})
}

func TestNoConfirmationInTimeRollsBackOrHolds(t *testing.T) {
	for otherwise, phase := range map[string]adminv1.Phase{
		"rollback": adminv1.Phase_PHASE_ROLLING_BACK, "hold": adminv1.Phase_PHASE_HELD,
	} {
		t.Run(otherwise, func(t *testing.T) {
			w := newWorld(t, worldOptions{relay: true}, map[string]string{"confirm": "{within: 1s, otherwise: " + otherwise + "}"})
			w.relay.withhold("envoy-1", routeType)
			id := w.start()
			m := w.awaitPhase(phase)
			if !strings.Contains(m.GetState().GetProblem()+m.GetState().GetSwitch().GetCause(), "envoy-1") {
				t.Errorf("neither problem %q nor cause %q names envoy-1", m.GetState().GetProblem(), m.GetState().GetSwitch().GetCause())
			}
			w.relay.release("envoy-1")
			if otherwise == "hold" {
				_, err := w.server.Client.Rollback(w.within(patience), &adminv1.RollbackRequest{Model: "tumor", Actor: "operator"})
				must(t, err)
			}
			w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
			w.onlyColor("blue", 100)
			w.noFailures()
		})
	}
}

// All of green's instances vanish from the registry while it bakes.
func TestLostEndpointsRollBack(t *testing.T) {
	w := newWorld(t, worldOptions{consul: true}, map[string]string{"bake": "{for: 1m, every: 30s}"})
	id := w.start()
	w.awaitPhase(adminv1.Phase_PHASE_BAKING)
	for _, i := range w.instances() {
		if i.Meta["color"] == "green" {
			must(t, w.consul.SetStatus(i.ID, "critical"))
		}
	}
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
	if !strings.Contains(sw.GetCause(), "ready") {
		t.Errorf("cause %q does not speak of ready endpoints", sw.GetCause())
	}
	w.onlyColor("blue", 100)
	w.noFailures()
}

func TestRestartOfTheServerUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{delta: delta}, map[string]string{
			"shift": "{steps: [{weight: 50%, hold: 4s}, 100%]}",
		})
		id := w.start()
		w.awaitPhase(adminv1.Phase_PHASE_HOLDING)
		w.server.Kill()
		w.onlyAnswers(200)
		must(t, w.server.Start(w.within(patience)))
		w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
		w.onlyColor("green", 100)
		w.noFailures()
	})
}

// onlyAnswers waits until n more users were answered.
func (w *world) onlyAnswers(n int) {
	w.t.Helper()
	now := time.Now()
	_, err := w.load.Collect(w.within(patience), n, func(a lab.Answer) bool { return a.Sent.After(now) && !a.Failed() })
	must(w.t, err)
}

// A start with broken files, no registry and no network to it sends the last
// good routing from disk.
func TestStartWithNothingButTheLastGood(t *testing.T) {
	w := newWorld(t, worldOptions{}, nil)
	w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.server.Kill()
	w.writePolicy("tumor.yaml", "kind: Model\nspec: {{{")
	must(t, os.Remove(w.registryFile()))
	must(t, w.server.Start(w.within(patience)))
	m := w.await("all nodes on the last good routing", func(m *adminv1.ModelStatus) bool { return m.GetReport().GetAcked() == 3 })
	if m.GetPolicyProblem() == "" || m.GetEndpoints().GetProblem() == "" {
		t.Errorf("policy problem %q, registry problem %q: both must be told", m.GetPolicyProblem(), m.GetEndpoints().GetProblem())
	}
	w.onlyColor("green", 100)
	w.noFailures()
}
