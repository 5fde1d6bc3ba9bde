package e2e

import (
	"testing"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
)

// An Envoy may ask for clusters and routes over services of their own instead
// of over ADS; only the endpoints of our clusters come over ADS always. Its
// streams are one node: a switch is confirmed by it once.
func TestEnvoyOnSeparateServices(t *testing.T) {
	each(t, func(t *testing.T, delta bool) {
		w := newWorld(t, worldOptions{envoys: -1, delta: delta}, nil)
		apiType := "GRPC"
		if delta {
			apiType = "DELTA_GRPC"
		}
		own := map[string]any{
			"resource_api_version": "V3",
			"api_config_source": map[string]any{
				"api_type": apiType, "transport_api_version": "V3",
				"grpc_services": []any{map[string]any{"envoy_grpc": map[string]any{"cluster_name": "greenlight-xds"}}},
			},
		}
		bin, err := lab.FindEnvoy()
		must(t, err)
		ports, err := lab.FreePorts(1)
		must(t, err)
		e, err := lab.StartEnvoy(w.within(patience), lab.EnvoyOptions{
			Bin: bin, Dir: w.dir, Node: "envoy-1", Fleet: fleet, XDS: w.server.XDS, Delta: delta, Listen: ports[0],
			Edit: func(bootstrap map[string]any) {
				bootstrap["dynamic_resources"].(map[string]any)["cds_config"] = own
				replaceKey(bootstrap["static_resources"], "configSource", own)
			},
		})
		must(t, err)
		t.Cleanup(e.Stop)
		w.envoys = append(w.envoys, e)
		must(t, e.AwaitServing(w.within(patience), e.URL("/v2/models/tumor/ready"), host))
		w.opts.rate = 200
		w.startLoad()
		sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
		w.onlyColor("green", 100)
		if r := w.status().GetReport(); r.GetConnected() != 1 || r.GetAcked() != 1 {
			t.Errorf("switch %s was confirmed by %d of %d nodes, want 1 of 1", sw.GetId(), r.GetAcked(), r.GetConnected())
		}
		w.noFailures()
	})
}
