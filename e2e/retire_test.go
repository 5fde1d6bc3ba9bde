package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"

	"greenlight/api/adminv1"
)

// The old color ends in Consul's maintenance mode, nobody notices, and the next switch
// can go back to it once somebody has taken it out again.
func TestOldColorIsLetGoInConsul(t *testing.T) {
	spec := map[string]string{
		"route": "{fleets: [edge], hosts: [tumor.models.internal], prefix: /v2/models/tumor, timeout: 2s}",
	}
	w := newWorld(t, worldOptions{consul: true}, spec)
	_, port, err := net.SplitHostPort(w.consul.Address)
	must(t, err)
	spec["retire"] = "{after: 100ms, consul: {port: " + port + "}}"
	w.writePolicy("tumor.yaml", policyWith("tumor", spec))
	w.await("the policy", func(m *adminv1.ModelStatus) bool {
		return fmt.Sprint(m.GetPolicy().GetRetire().GetConsul().GetPort()) == port
	})

	id := w.start()
	w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.awaitPhase(adminv1.Phase_PHASE_IDLE)
	w.await("no blue endpoint", blueEndpoints(0)) // an agent tells the catalog a moment later
	entries, _, err := w.consul.Client.Health().Service("tumor", "", false, nil)
	must(t, err)
	if len(entries) != 4 {
		t.Errorf("%d instances are registered, want 4", len(entries))
	}
	for _, e := range entries {
		want := api.HealthPassing
		if e.Service.Meta["color"] == "blue" {
			want = api.HealthMaint
		}
		if got := e.Checks.AggregatedStatus(); got != want {
			t.Errorf("%s is %s, want %s", e.Service.ID, got, want)
		}
		for _, c := range e.Checks {
			if c.Status == api.HealthCritical && !strings.Contains(c.Notes, "switch "+id+" of tumor") {
				t.Errorf("%s is in maintenance for %q, which does not name the switch", e.Service.ID, c.Notes)
			}
		}
	}
	if p := w.status().GetEndpoints().GetProblem(); p != "" {
		t.Errorf("the registry is not trusted: %s", p)
	}
	w.onlyColor("green", 100)

	for _, i := range w.instances() {
		must(t, w.consul.Client.Agent().DisableServiceMaintenance(i.ID))
	}
	w.await("two blue endpoints", blueEndpoints(2))
	w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.onlyColor("blue", 100)
	w.noFailures()
}
