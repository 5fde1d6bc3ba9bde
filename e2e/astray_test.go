package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
)

// staticRoutes are routes that somebody wrote into an Envoy's own bootstrap: half of the
// users to each color, whatever Greenlight says.
const staticRoutes = `{"name": "own", "validate_clusters": false, "virtual_hosts": [{"name": "own", "domains": ["*"], "routes": [{
  "match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": [{"name": "tumor/blue", "weight": 50}, {"name": "tumor/green", "weight": 50}]}}}]}]}`

// An Envoy whose users come through a listener beside the one that follows Greenlight has
// ACKed every weight and splits as it likes. The share that green really gets tells: the
// switch is held, and the cause names that node and not the one that follows.
func TestAnEnvoyThatDoesNotFollowIsNamed(t *testing.T) {
	w := newWorld(t, worldOptions{envoys: 1, listener: true, rate: -1}, watched(map[string]string{
		"shift": "{steps: [{weight: 10%, hold: 60s}, 100%], checks: []}",
	}))
	log, err := json.Marshal(documentedLog(t))
	must(t, err)
	bin, err := lab.FindEnvoy()
	must(t, err)
	ports, err := lab.FreePorts(2)
	must(t, err)
	stray, err := lab.StartEnvoy(w.within(patience), lab.EnvoyOptions{
		Bin: bin, Dir: w.dir, Node: "stray-1", Fleet: fleet, XDS: w.server.XDS, Listen: ports[0],
		Edit: func(config map[string]any) {
			giveLog(t, config, log, "greenlight-xds")
			static, _ := config["static_resources"].(map[string]any)
			listeners, _ := static["listeners"].([]any)
			second := reread(t, listeners[0])
			static["listeners"] = []any{second}
			manager := ownManager(t, config)
			delete(manager, "rds")
			manager["routeConfig"] = json.RawMessage(staticRoutes)
			second["name"] = "second"
			second["address"] = map[string]any{"socketAddress": map[string]any{"address": "127.0.0.1", "portValue": ports[1]}}
			static["listeners"] = append(listeners, second)
		},
	})
	must(t, err)
	t.Cleanup(stray.Stop)
	past := "http://" + lab.Loopback(ports[1])
	must(t, stray.AwaitServing(w.within(patience), stray.URL("/v2/models/tumor/ready"), host))
	must(t, stray.AwaitServing(w.within(patience), past+"/v2/models/tumor/ready", host))
	w.load = lab.StartLoad(lab.LoadOptions{
		URLs: []string{w.url(w.envoys[0], inferPath), past + inferPath}, Host: host, Body: knownRequest(t), Rate: 300, Timeout: patience,
	})
	t.Cleanup(func() { w.load.Stop() })
	w.start()
	m := w.awaitPhase(adminv1.Phase_PHASE_HELD)
	cause := m.GetState().GetSwitch().GetCause()
	if !strings.Contains(cause, "not 10%") || !strings.Contains(cause, "edge/stray-1") || strings.Contains(cause, "edge/envoy-1") {
		t.Errorf("cause %q", cause)
	}
	t.Log(cause)
	w.noFailures()
}

// reread is a copy of a part of a configuration.
func reread(t *testing.T, part any) map[string]any {
	text, err := json.Marshal(part)
	must(t, err)
	var out map[string]any
	must(t, json.Unmarshal(text, &out))
	return out
}
