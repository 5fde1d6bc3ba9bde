package e2e

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

// callers call a model over gRPC through an Envoy, each one call after the other,
// until the test ends.
func callers(t *testing.T, address string, n int) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(host))
	must(t, err)
	client := healthv1.NewHealthClient(conn)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		all.Wait()
		conn.Close()
	})
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				_, _ = client.Check(ctx, &healthv1.HealthCheckRequest{})
				select {
				case <-ctx.Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	}
}

// A gRPC call that fails is HTTP 200 all the same: only its gRPC status tells. Users'
// traffic takes such a version back by that alone, whether the server says INTERNAL or
// UNAVAILABLE; what is the client's fault (INVALID_ARGUMENT) does not.
func TestOnlyTheGRPCStatusTells(t *testing.T) {
	t.Parallel() // it waits most of its time
	w := newWorld(t, worldOptions{envoys: -1, listener: true, grpc: true, rate: -1}, watched(map[string]string{
		"route":    "{fleets: [edge], hosts: [tumor.models.internal], protocol: grpc, timeout: 5s, retries: {attempts: 0}}",
		"validate": "[{endpoints: {min: 2}}, {ready: {grpc: true}}]",
	}))
	w.addEnvoy("envoy-1")
	callers(t, lab.Loopback(w.port), 4)
	w.await("calls", func(m *adminv1.ModelStatus) bool { return m.GetTraffic().GetUsers().GetBlue().GetRequests() > 50 })
	for i, mode := range []modelserver.Mode{modelserver.Errors, modelserver.Cut} {
		t.Run(string(mode), func(t *testing.T) {
			w.deployAs("green", models.Equal, "v-"+string(rune('a'+i)), 2)
			id := w.start()
			w.awaitWeight(20)
			w.failing(modelserver.Fault{Mode: mode, Rate: 0.4})
			sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
			if !strings.Contains(sw.GetCause(), "users' traffic: green fails more often than blue") {
				t.Errorf("cause %q", sw.GetCause())
			}
			t.Log(sw.GetCause())
		})
	}
	t.Run("refused", func(t *testing.T) {
		w.deployAs("green", models.Equal, "v-refuses", 2)
		w.writePolicy("tumor.yaml", policyWith("tumor", watched(map[string]string{
			"route":    "{fleets: [edge], hosts: [tumor.models.internal], protocol: grpc, timeout: 5s, retries: {attempts: 0}}",
			"validate": "[{endpoints: {min: 2}}, {ready: {grpc: true}}]",
			"shift":    "{steps: [{weight: 50%, hold: 2s}, 100%], checks: []}",
		})))
		w.await("the shorter steps", func(m *adminv1.ModelStatus) bool {
			return m.GetPolicy().GetShift()[0].GetWeightPercent() == 50
		})
		id := w.start()
		w.awaitWeight(50)
		w.failing(modelserver.Fault{Mode: modelserver.Refuse, Rate: 0.4})
		w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	})
}
