package e2e

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/modelserver"
)

// twoFleets is a world whose model is routed by two fleets with listeners over xDS; the
// second reports only half of its requests. Load goes through both alike.
func twoFleets(t *testing.T, more map[string]string) (w *world, inner *lab.Envoy) {
	policy := map[string]string{"route": strings.Replace(basePolicy["route"], "[edge]", "[edge, inner]", 1)}
	for key, value := range more {
		policy[key] = value
	}
	w = newWorld(t, worldOptions{envoys: 1, listener: true, rate: -1}, policy)
	ports, err := lab.FreePorts(1)
	must(t, err)
	w.writePolicy("inner.yaml", fmt.Sprintf("apiVersion: greenlight/v1\nkind: Fleet\nmetadata: {name: inner}\n"+
		"spec: {listener: {address: 127.0.0.1, port: %d}, telemetry: {sample: 50%%}}\n", ports[0]))
	bin, err := lab.FindEnvoy()
	must(t, err)
	inner, err = lab.StartEnvoy(w.within(patience), lab.EnvoyOptions{Bin: bin, Dir: w.dir, Node: "inner-1", Fleet: "inner", XDS: w.server.XDS})
	must(t, err)
	t.Cleanup(inner.Stop)
	url := "http://" + lab.Loopback(ports[0])
	must(t, inner.AwaitServing(w.within(patience), url+"/v2/models/tumor/ready", host))
	w.load = lab.StartLoad(lab.LoadOptions{
		URLs: []string{w.url(w.envoys[0], inferPath), url + inferPath}, Host: host, Body: knownRequest(t), Rate: 200, Timeout: time.Minute,
		Expected: func(a lab.Answer) bool { return a.Color == "green" },
	})
	t.Cleanup(func() { w.load.Stop() })
	return w, inner
}

// What two fleets report is one judgement, and a sample is scaled to what it stands for.
func TestTwoFleetsReport(t *testing.T) {
	t.Parallel() // it waits most of its time
	w, _ := twoFleets(t, watched(nil))
	m := w.await("the rate of both fleets", func(m *adminv1.ModelStatus) bool {
		return math.Abs(m.GetTraffic().GetUsers().GetBlue().GetRequestsPerSecond()-200) < 30
	})
	reported := float64(m.GetTraffic().GetUsers().GetBlue().GetRequests())
	seconds := m.GetTraffic().GetUntil().AsTime().Sub(m.GetTraffic().GetSince().AsTime()).Seconds()
	if rate := reported / seconds; rate > 180 {
		t.Errorf("%g reports a second of 200 requests, of which half a fleet's are not reported", rate)
	}
	id := w.start()
	w.awaitWeight(20)
	w.failing(modelserver.Fault{Mode: modelserver.Errors, Rate: 0.5})
	if sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK); !strings.Contains(sw.GetCause(), "users' traffic") {
		t.Errorf("cause %q", sw.GetCause())
	}
	w.onlyColor("blue", 100)
	w.noFailures()
}

// An Envoy of another fleet that dies in the middle of a step reports no more: it is no
// silent one, for its users are gone, too, and the step goes on with the others' word.
func TestAFleetThatEndsHoldsNothingUp(t *testing.T) {
	t.Parallel() // it waits most of its time
	w, inner := twoFleets(t, watched(map[string]string{"shift": "{steps: [{weight: 50%, hold: 8s}, 100%], checks: []}"}))
	w.await("the rate of both fleets", func(m *adminv1.ModelStatus) bool {
		return m.GetTraffic().GetUsers().GetBlue().GetRequestsPerSecond() > 150
	})
	id := w.start()
	w.awaitWeight(50)
	w.load.Stop() // its clients go with it
	inner.Stop()
	w.opts.rate = 200
	w.startLoad()
	w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.noFailures()
}
