package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

// documentedLog is the access log that docs/telemetry.md gives to listeners of a
// fleet's own.
func documentedLog(t *testing.T) any {
	text, err := os.ReadFile("../docs/telemetry.md")
	must(t, err)
	_, after, found := strings.Cut(string(text), "```yaml\naccess_log:\n")
	block, _, ended := strings.Cut(after, "```")
	if !found || !ended {
		t.Fatal("docs/telemetry.md has no access log")
	}
	var log struct {
		AccessLog []any `yaml:"access_log"`
	}
	must(t, yaml.Unmarshal([]byte("access_log:\n"+block), &log))
	return log.AccessLog
}

// giveLog puts an access log into the bootstrap's own listener, which reports to cluster.
func giveLog(t *testing.T, config map[string]any, log []byte, cluster string) {
	ownManager(t, config)["accessLog"] = json.RawMessage(bytes.ReplaceAll(log, []byte("greenlight-xds"), []byte(cluster)))
}

// ownManager is the HTTP connection manager of the bootstrap's own listener.
func ownManager(t *testing.T, config map[string]any) map[string]any {
	at := config
	for _, key := range []string{"static_resources", "listeners", "filterChains", "filters", "typedConfig"} {
		switch next := at[key].(type) {
		case map[string]any:
			at = next
		case []any:
			at, _ = next[0].(map[string]any)
		default:
			t.Errorf("the bootstrap has no %s: %v", key, at)
			return map[string]any{}
		}
	}
	return at
}

// An Envoy with a listener of its own, and the access log of the documentation in it,
// reports users' requests by the weights that routed them: a switch is judged by them.
func TestAnOwnListenerReportsToo(t *testing.T) {
	w := newWorld(t, worldOptions{envoys: -1, rate: -1}, watched(nil))
	log, err := json.Marshal(documentedLog(t))
	must(t, err)
	bin, err := lab.FindEnvoy()
	must(t, err)
	ports, err := lab.FreePorts(1)
	must(t, err)
	e, err := lab.StartEnvoy(w.within(patience), lab.EnvoyOptions{
		Bin: bin, Dir: w.dir, Node: "own-1", Fleet: fleet, XDS: w.server.XDS, Listen: ports[0],
		Edit: func(config map[string]any) { giveLog(t, config, log, "greenlight-xds") },
	})
	must(t, err)
	t.Cleanup(e.Stop)
	w.envoys = append(w.envoys, e)
	must(t, e.AwaitServing(w.within(patience), w.url(e, "/v2/models/tumor/ready"), host))
	w.usersLoad(200)
	w.await("users' requests", func(m *adminv1.ModelStatus) bool { return m.GetTraffic().GetUsers().GetBlue().GetRequests() > 100 })

	w.deployAs("green", models.Equal, "v-a", 2)
	id := w.start()
	w.awaitWeight(20)
	w.await("requests of both colors by these weights", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetJudging().GetIdle().GetRequests() > 50 && m.GetTraffic().GetShare().GetGreenPercent() > 5
	})
	w.failing(modelserver.Fault{Mode: modelserver.Errors, Rate: 0.5})
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
	if !strings.Contains(sw.GetCause(), "users' traffic: green fails more often") {
		t.Errorf("cause %q", sw.GetCause())
	}
	w.onlyColor("blue", 50)
}
