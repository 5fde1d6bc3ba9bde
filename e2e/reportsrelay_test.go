package e2e

import (
	"context"
	"encoding/json"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
)

// reportsRelay stands between an Envoy's access log and Greenlight: it hands every
// message on late, or more than once, or not at all.
type reportsRelay struct {
	alsv3.UnimplementedAccessLogServiceServer
	to     alsv3.AccessLogServiceClient
	late   atomic.Int64 // time.Duration
	copies atomic.Int64
}

func startReportsRelay(t *testing.T, greenlight string) (*reportsRelay, net.Addr) {
	conn, err := grpc.NewClient(greenlight, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	r := &reportsRelay{to: alsv3.NewAccessLogServiceClient(conn)}
	r.copies.Store(1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := grpc.NewServer()
	alsv3.RegisterAccessLogServiceServer(s, r)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); conn.Close() })
	return r, l.Addr()
}

// StreamAccessLogs hands one stream on.
func (r *reportsRelay) StreamAccessLogs(in alsv3.AccessLogService_StreamAccessLogsServer) error {
	ctx, cancel := context.WithCancel(in.Context())
	defer cancel()
	out, err := r.to.StreamAccessLogs(ctx)
	if err != nil {
		return err
	}
	type held struct {
		m     *alsv3.StreamAccessLogsMessage
		since time.Time
	}
	queue := make(chan held, 10_000)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case h := <-queue:
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Until(h.since.Add(time.Duration(r.late.Load())))):
				}
				copies := r.copies.Load()
				if h.m.GetIdentifier() != nil { // without it nobody knows who reports
					copies = max(1, copies)
				}
				for range copies {
					_ = out.Send(h.m)
				}
			}
		}
	}()
	for {
		m, err := in.Recv()
		if err != nil {
			return err
		}
		queue <- held{m, time.Now()}
	}
}

// relayedWorld is an Envoy whose reports go through a relay, with load.
func relayedWorld(t *testing.T, more map[string]string) (*world, *reportsRelay) {
	w := newWorld(t, worldOptions{envoys: -1, rate: -1}, watched(more))
	relay, address := startReportsRelay(t, w.server.XDS)
	host1, port, err := net.SplitHostPort(address.String())
	must(t, err)
	number, err := strconv.Atoi(port)
	must(t, err)
	bin, err := lab.FindEnvoy()
	must(t, err)
	ports, err := lab.FreePorts(1)
	must(t, err)
	log, err := json.Marshal(documentedLog(t))
	must(t, err)
	e, err := lab.StartEnvoy(w.within(patience), lab.EnvoyOptions{
		Bin: bin, Dir: w.dir, Node: "relayed-1", Fleet: fleet, XDS: w.server.XDS, Listen: ports[0],
		Edit: func(config map[string]any) {
			giveLog(t, config, log, "reports-relay")
			static := config["static_resources"].(map[string]any)
			static["clusters"] = append(static["clusters"].([]any), map[string]any{
				"name": "reports-relay", "type": "STATIC",
				"typed_extension_protocol_options": map[string]any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": map[string]any{
					"@type":                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
					"explicit_http_config": map[string]any{"http2_protocol_options": map[string]any{}},
				}},
				"load_assignment": map[string]any{"cluster_name": "reports-relay", "endpoints": []any{map[string]any{"lb_endpoints": []any{map[string]any{
					"endpoint": map[string]any{"address": map[string]any{"socket_address": map[string]any{"address": host1, "port_value": number}}},
				}}}}},
			})
		},
	})
	must(t, err)
	t.Cleanup(e.Stop)
	w.envoys = append(w.envoys, e)
	must(t, e.AwaitServing(w.within(patience), w.url(e, "/v2/models/tumor/ready"), host))
	w.usersLoad(200)
	w.await("users' requests", func(m *adminv1.ModelStatus) bool { return m.GetTraffic().GetUsers().GetBlue().GetRequests() > 200 })
	return w, relay
}

// Reports that come seconds late count for the weights by which their requests were
// routed: an equal version passes, only later, and nothing of a step is taken for another.
func TestReportsThatComeLate(t *testing.T) {
	t.Parallel() // it waits most of its time
	w, relay := relayedWorld(t, map[string]string{
		"shift": "{steps: [{weight: 25%, hold: 2s}, {weight: 50%, hold: 2s}, 100%], checks: []}",
		"judge": "{minRequests: 100, maxHold: 60s, otherwise: rollback}",
	})
	relay.late.Store(int64(5 * time.Second))
	id := w.start()
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	began := map[string]time.Time{}
	for _, tr := range sw.GetTransitions() {
		if tr.GetTo() == adminv1.Phase_PHASE_HOLDING {
			began[strconv.Itoa(int(tr.GetWeights().GetGreenPercent()))] = tr.GetAt().AsTime()
		}
	}
	if held := began["50"].Sub(began["25"]); held < 4*time.Second {
		t.Errorf("the step of 25 %% was left after %s, before its first report could have come", held)
	}
	w.load.Stop()
}

// Reports that come twice count once: an equal version is not found to get a share that
// it does not get, and the status says how many came twice.
func TestReportsThatComeTwice(t *testing.T) {
	t.Parallel() // it waits most of its time
	w, relay := relayedWorld(t, map[string]string{"shift": "{steps: [{weight: 50%, hold: 3s}, 100%], checks: []}"})
	relay.copies.Store(2)
	w.await("doubled reports", func(m *adminv1.ModelStatus) bool { return m.GetTraffic().GetDoubled() > 100 })
	id := w.start()
	m := w.await("the rate", func(m *adminv1.ModelStatus) bool { return m.GetState().GetPhase() == adminv1.Phase_PHASE_HOLDING })
	if rate := m.GetTraffic().GetUsers().GetBlue().GetRequestsPerSecond(); rate > 480 {
		t.Errorf("%g requests a second of 400", rate)
	}
	w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.load.Stop()
}

// An Envoy that serves but reports no more is not taken for healthy: the step is held,
// and the status names it; when it reports again, the switch goes on.
func TestAnEnvoyThatStopsReporting(t *testing.T) {
	t.Parallel() // it waits most of its time
	w, relay := relayedWorld(t, map[string]string{
		"shift": "{steps: [{weight: 50%, hold: 6s}, 100%], checks: []}",
		"judge": "{minRequests: 100, maxHold: 90s, otherwise: rollback}",
	})
	w.deployAs("green", models.Equal, "v-quiet", 2)
	id := w.start()
	w.awaitWeight(50)
	relay.copies.Store(0)
	m := w.await("the silent node", func(m *adminv1.ModelStatus) bool {
		return len(m.GetSilentNodes()) == 1 && m.GetState().GetHoldUntil() != nil
	})
	if n := m.GetSilentNodes()[0]; n.GetNode() != "relayed-1" {
		t.Errorf("silent: %v", n)
	}
	relay.copies.Store(1)
	w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.load.Stop()
}
