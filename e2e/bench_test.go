package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	consul "github.com/hashicorp/consul/api"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
)

// The figures of `make bench`. Each is measured beside its floor in the same
// run, on the same Envoy, and printed with the goal.

const rounds = 200

// figure prints a distribution beside its floor.
func figure(b *testing.B, what string, got, floor []time.Duration, floorName string, p50, p99 time.Duration) {
	b.Helper()
	slices.Sort(got)
	slices.Sort(floor)
	verdict := func(have, goal time.Duration) string {
		switch {
		case goal == 0:
			return ""
		case have <= goal:
			return fmt.Sprintf(" (goal %v: reached)", goal)
		default:
			return fmt.Sprintf(" (goal %v: MISSED)", goal)
		}
	}
	fmt.Printf("\n%s, %d times:\n  p50 %v%s, p99 %v%s\n  floor, %s: p50 %v, p99 %v; ratio of p50 %.1f\n",
		what, len(got), at(got, 0.5), verdict(at(got, 0.5), p50), at(got, 0.99), verdict(at(got, 0.99), p99),
		floorName, at(floor, 0.5), at(floor, 0.99), float64(at(got, 0.5))/float64(at(floor, 0.5)))
	b.ReportMetric(float64(at(got, 0.5))/1e6, "p50-ms")
	b.ReportMetric(float64(at(got, 0.99))/1e6, "p99-ms")
	b.ReportMetric(float64(at(floor, 0.5))/1e6, "floor-p50-ms")
	b.ReportMetric(0, "ns/op")
}

func at(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))].Round(10 * time.Microsecond)
}

// BenchmarkFigureSwitch is the time from the admin call being sent to the first
// answer of the new color that a user gets, under 500 requests a second.
func BenchmarkFigureSwitch(b *testing.B) {
	w := newBenchWorld(b)
	var got, floor []time.Duration
	for i := range rounds {
		color := []string{"green", "blue"}[i%2]
		got = append(got, w.firstAnswer(w.load, color, func() { w.start() }))
		w.await("the switch's end", func(m *adminv1.ModelStatus) bool { return m.GetState().GetPhase() == adminv1.Phase_PHASE_IDLE })
		floor = append(floor, w.firstAnswer(w.fileLoad, color, func() { w.writeRoute(color) }))
	}
	w.fileLoad.Stop()
	w.noFailures()
	figure(b, "A switch on one Envoy, admin call to first answer of the new color", got, floor,
		"the same Envoy with a file-based RDS (atomic rename, watched folder)", 10*time.Millisecond, 0)
}

// benchWorld has one Envoy with a second listener whose routes come from a file.
type benchWorld struct {
	*world
	fileLoad *lab.Load
	routes   string
}

func newBenchWorld(b *testing.B) *benchWorld {
	w := &benchWorld{world: newWorld(b, worldOptions{envoys: -1}, map[string]string{"validate": "[{endpoints: {min: 2}}]"})}
	w.routes = filepath.Join(w.dir, "rds", "routes.json")
	must(b, os.Mkdir(filepath.Dir(w.routes), 0o755))
	w.writeRoute("blue")
	ports, err := lab.FreePorts(2)
	must(b, err)
	bin, err := lab.FindEnvoy()
	must(b, err)
	e, err := lab.StartEnvoy(w.within(patience), lab.EnvoyOptions{
		Bin: bin, Dir: w.dir, Node: "envoy-1", Fleet: fleet, XDS: w.server.XDS, Listen: ports[0],
		Edit: func(bootstrap map[string]any) {
			addFileListener(b, bootstrap, ports[1], filepath.Dir(w.routes), w.routes)
		},
	})
	must(b, err)
	b.Cleanup(e.Stop)
	w.envoys = append(w.envoys, e)
	fileURL := "http://" + lab.Loopback(ports[1])
	must(b, e.AwaitServing(w.within(patience), e.URL("/v2/models/tumor/ready"), host))
	must(b, e.AwaitServing(w.within(patience), fileURL+"/v2/models/tumor/ready", host))
	w.opts.rate = 500
	w.startLoad()
	w.fileLoad = lab.StartLoad(lab.LoadOptions{URLs: []string{fileURL + inferPath}, Host: host, Body: knownRequest(b), Rate: 500})
	return w
}

// addFileListener copies the Envoy's own listener to another port and gives the
// copy a route configuration that is watched in a folder.
func addFileListener(b *testing.B, bootstrap map[string]any, port int, folder, file string) {
	b.Helper()
	static := bootstrap["static_resources"].(map[string]any)
	own, err := json.Marshal(static["listeners"].([]any)[0])
	must(b, err)
	var second map[string]any
	must(b, json.Unmarshal(own, &second))
	second["name"] = "file"
	replaceKey(second, "portValue", port)
	replaceKey(second, "rds", map[string]any{
		"route_config_name": "file",
		"config_source": map[string]any{"path_config_source": map[string]any{
			"path": file, "watched_directory": map[string]any{"path": folder},
		}},
	})
	static["listeners"] = append(static["listeners"].([]any), second)
}

// replaceKey replaces the value of every key of that name, at any depth.
func replaceKey(node any, key string, value any) {
	switch node := node.(type) {
	case map[string]any:
		for k, v := range node {
			if k == key {
				node[k] = value
			} else {
				replaceKey(v, key, value)
			}
		}
	case []any:
		for _, v := range node {
			replaceKey(v, key, value)
		}
	}
}

// writeRoute points the file's route at a color.
func (w *benchWorld) writeRoute(color string) {
	w.t.Helper()
	text := fmt.Sprintf(`{"version_info": "%d", "resources": [{
		"@type": "%s", "name": "file",
		"virtual_hosts": [{"name": "tumor", "domains": ["*"], "routes": [{
			"match": {"prefix": "/"},
			"route": {"weighted_clusters": {"clusters": [{"name": "tumor/%s", "weight": 1}]}, "timeout": "5s"}}]}]}]}`,
		time.Now().UnixNano(), routeType, color)
	must(w.t, os.WriteFile(w.routes+".next", []byte(text), 0o644))
	must(w.t, os.Rename(w.routes+".next", w.routes))
}

// firstAnswer is the time from now until a user who asks after now has color's answer.
func (w *benchWorld) firstAnswer(load *lab.Load, color string, act func()) time.Duration {
	w.t.Helper()
	began := time.Now()
	arrived := make(chan time.Duration, 1)
	go func() {
		_, err := load.Next(w.within(patience), func(a lab.Answer) bool { return a.Color == color && a.Status == http.StatusOK })
		if err == nil {
			arrived <- time.Since(began)
		}
		close(arrived)
	}()
	act()
	took, ok := <-arrived
	if !ok {
		w.t.Fatalf("no answer of %s", color)
	}
	return took
}

// BenchmarkFigureDiscovery is the time from a change being sent to Consul to
// the Envoy's ACK of the endpoints that follow from it.
func BenchmarkFigureDiscovery(b *testing.B) {
	w := newWorld(b, worldOptions{envoys: 1, consul: true, relay: true, rate: -1}, nil)
	instances := w.instances()
	last := instances[len(instances)-1]
	var got, floor []time.Duration
	for i := range rounds {
		change := func() { must(b, w.consul.Register(last)) }
		if i%2 == 0 {
			change = func() { must(b, w.consul.Deregister(last.ID)) }
		}
		returned := w.blockingQuery()
		before := w.relay.acks("envoy-1", endpointType)
		began := time.Now()
		change()
		floor = append(floor, (<-returned).Sub(began))
		acked := w.relay.awaitAck(w.within(patience), "envoy-1", endpointType, before)
		if acked.IsZero() {
			b.Fatal("the Envoy did not ACK")
		}
		got = append(got, acked.Sub(began))
	}
	figure(b, "A change in Consul, sent, to the Envoy's ACK", got, floor,
		"the same change to a bare blocking query's answer", 20*time.Millisecond, 100*time.Millisecond)
}

// blockingQuery asks Consul as its own client does and tells when it has the answer
// that follows the present one.
func (w *world) blockingQuery() <-chan time.Time {
	w.t.Helper()
	_, meta, err := w.consul.Client.Health().Service("tumor", "", false, nil)
	must(w.t, err)
	returned := make(chan time.Time, 1)
	asked := make(chan struct{})
	go func() {
		close(asked)
		ctx, cancel := context.WithTimeout(w.ctx, patience)
		defer cancel()
		opts := (&consul.QueryOptions{WaitIndex: meta.LastIndex}).WithContext(ctx)
		_, _, _ = w.consul.Client.Health().Service("tumor", "", false, opts)
		returned <- time.Now()
	}()
	<-asked
	return returned
}
