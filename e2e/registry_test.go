package e2e

import (
	"strings"
	"testing"

	"greenlight/api/adminv1"
)

// Consul is killed under load and comes back with an empty catalog: routing
// stands, the status says so, and switching works again once it is refilled.
func TestConsulKilledEmptiedAndRefilled(t *testing.T) {
	w := newWorld(t, worldOptions{consul: true}, map[string]string{"bake": "{for: 10m, every: 500ms}"})
	w.start()
	w.awaitPhase(adminv1.Phase_PHASE_BAKING)

	w.consul.Kill()
	w.await("the outage to be told", registryProblem(true))
	w.onlyColor("green", 100)
	w.stillBaking()

	must(t, w.consul.Start(w.within(patience)))
	m := w.await("the emptied catalog to be told", func(m *adminv1.ModelStatus) bool {
		return strings.Contains(m.GetEndpoints().GetProblem(), "no ready instance")
	})
	if m.GetEndpoints().GetSince() == nil {
		t.Error("the status does not say since when")
	}
	w.onlyColor("green", 100)
	w.stillBaking()

	// As after an agent's restart: registered again, but critical at first.
	for _, i := range w.instances() {
		i.Status = "critical"
		must(t, w.consul.Register(i))
	}
	w.onlyColor("green", 50)
	w.stillBaking()
	for _, i := range w.instances() {
		must(t, w.consul.SetStatus(i.ID, "passing"))
	}
	w.await("the registry to be trusted again", registryProblem(false))
	w.onlyColor("green", 100)
	w.stillBaking()
	w.noFailures()
}

func registryProblem(want bool) func(*adminv1.ModelStatus) bool {
	return func(m *adminv1.ModelStatus) bool { return (m.GetEndpoints().GetProblem() != "") == want }
}

func (w *world) stillBaking() {
	w.t.Helper()
	if s := w.status().GetState(); s.GetPhase() != adminv1.Phase_PHASE_BAKING {
		w.t.Fatalf("phase %v (%s, %s), want baking", s.GetPhase(), s.GetProblem(), s.GetSwitch().GetCause())
	}
}

// An instance that leaves and comes back is taken out of and put into the
// clusters, and nobody notices.
func TestInstancesComeAndGoUnderLoad(t *testing.T) {
	w := newWorld(t, worldOptions{consul: true}, nil)
	first := w.instances()[0]
	for range 5 {
		must(t, w.consul.Deregister(first.ID))
		w.await("one blue endpoint", blueEndpoints(1))
		w.onlyColor("blue", 50)
		must(t, w.consul.Register(first))
		w.await("two blue endpoints", blueEndpoints(2))
		w.onlyColor("blue", 50)
	}
	w.noFailures()
}

func blueEndpoints(n int) func(*adminv1.ModelStatus) bool {
	return func(m *adminv1.ModelStatus) bool { return len(m.GetEndpoints().GetBlue()) == n }
}
