package e2e

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/xds"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/modelserver"
	"greenlight/xds/resource"
)

var grpcSwitch = map[string]string{
	"route":    "{fleets: [edge], hosts: [tumor.models.internal], protocol: grpc, timeout: 5s}",
	"validate": "[{endpoints: {min: 2}}, {ready: {grpc: true}}]",
}

// grpcWorld is a world whose fleet is n grpc-go clients that resolve
// xds:///tumor themselves, with no Envoy between them and the model.
type grpcWorld struct {
	*world
	clients []*grpcClient
}

func newGRPCWorld(t *testing.T, n int, replace map[string]string) *grpcWorld {
	t.Helper()
	all := map[string]string{}
	for _, m := range []map[string]string{grpcSwitch, replace} {
		for k, v := range m {
			all[k] = v
		}
	}
	w := &grpcWorld{world: newWorld(t, worldOptions{envoys: -1, relay: true, grpc: true}, all)}
	for i := range n {
		w.join(fmt.Sprintf("client-%d", i+1))
	}
	return w
}

// join adds a client that calls all the time.
func (w *grpcWorld) join(node string) *grpcClient {
	w.t.Helper()
	c := startGRPCClient(w.t, w.relay.address, node)
	w.clients = append(w.clients, c)
	return c
}

// everyClient waits until each client's calls are answered by color.
func (w *grpcWorld) everyClient(color string) {
	w.t.Helper()
	for _, c := range w.clients {
		must(w.t, c.onlyColor(w.within(patience), color, 20))
	}
}

func (w *grpcWorld) noFailedCalls() {
	w.t.Helper()
	for _, c := range w.clients {
		calls, failures := c.stop()
		if calls == 0 || len(failures) > 0 {
			w.t.Errorf("%s: %d of %d calls failed: %v", c.node, len(failures), calls, failures[:min(len(failures), 5)])
		}
		w.t.Logf("%s: %d calls, %d failed", c.node, calls, len(failures))
	}
}

// grpcClient calls Health/Check through its own xDS client, one call after the other.
type grpcClient struct {
	node   string
	conn   *grpc.ClientConn
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	calls    int
	failures []error
	colors   []string      // of every call so far
	more     chan struct{} // closed and replaced after every call
}

func startGRPCClient(t testing.TB, server, node string) *grpcClient {
	t.Helper()
	bootstrap, err := resource.GRPCBootstrap(resource.Options{Server: server, Node: node, Fleet: fleet})
	must(t, err)
	builder, err := xds.NewXDSResolverWithConfigForTesting(bootstrap)
	must(t, err)
	conn, err := grpc.NewClient("xds:///tumor", grpc.WithResolvers(builder), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	c := &grpcClient{node: node, conn: conn, cancel: cancel, done: make(chan struct{}), more: make(chan struct{})}
	go c.run(ctx)
	t.Cleanup(func() { c.stop() })
	return c
}

func (c *grpcClient) run(ctx context.Context) {
	defer close(c.done)
	health := healthv1.NewHealthClient(c.conn)
	for ctx.Err() == nil {
		var header metadata.MD
		call, cancel := context.WithTimeout(ctx, 20*time.Second)
		_, err := health.Check(call, &healthv1.HealthCheckRequest{Service: "tumor"}, grpc.Header(&header), grpc.WaitForReady(true))
		cancel()
		if ctx.Err() != nil {
			return
		}
		c.mu.Lock()
		c.calls++
		if err != nil {
			c.failures = append(c.failures, err)
		}
		c.colors = append(c.colors, strings.Join(header.Get(modelserver.ColorHeader), ","))
		close(c.more)
		c.more = make(chan struct{})
		c.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (c *grpcClient) stop() (int, []error) {
	c.cancel()
	<-c.done
	c.conn.Close()
	return c.calls, c.failures
}

// onlyColor waits until n calls one after the other were answered by color; the one under
// way does not count. Those before them may have been answered otherwise: gRPC ACKs what it
// is sent a moment before it calls by it.
func (c *grpcClient) onlyColor(ctx context.Context, color string, n int) error {
	c.mu.Lock()
	from := len(c.colors) + 1
	c.mu.Unlock()
	for {
		c.mu.Lock()
		seen, more := c.colors, c.more
		c.mu.Unlock()
		for i := from; i < len(seen); i++ {
			if seen[i] != color {
				from = i + 1
			}
		}
		if len(seen) >= from+n {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fmt.Errorf("%s: calls are not answered by %q alone but by %q: %w", c.node, color, seen[max(0, len(seen)-n):], ctx.Err())
		}
	}
}

// grpcInstance is an instance by its gRPC port.
func grpcInstance(i lab.Instance, m *modelserver.Server) (lab.Instance, error) {
	address, port, err := net.SplitHostPort(m.GRPCAddr())
	if err != nil {
		return i, err
	}
	i.Address = address
	i.Port, err = strconv.Atoi(port)
	return i, err
}

func TestGRPCThousandSwitches(t *testing.T) {
	w := newGRPCWorld(t, 3, plainSwitch)
	w.everyClient("blue")
	w.turns(1000)
	w.everyClient("blue")
	w.noFailedCalls()
}

func TestGRPCSplitsByWeight(t *testing.T) {
	w := newGRPCWorld(t, 1, map[string]string{"shift": "{steps: [{weight: 25%, hold: 1m}, 100%]}"})
	w.everyClient("blue")
	w.start()
	w.awaitPhase(adminv1.Phase_PHASE_HOLDING)
	c := w.clients[0]
	const n = 2000
	c.mu.Lock()
	from := len(c.colors)
	c.mu.Unlock()
	green := 0
	for seen := 0; seen < n; {
		c.mu.Lock()
		now, more := c.colors[from:], c.more
		c.mu.Unlock()
		seen, green = len(now), 0
		for _, color := range now {
			if color == "green" {
				green++
			}
		}
		if seen < n {
			<-more
		}
	}
	// Five standard deviations of a binomial share of 25 % over n calls.
	if share := float64(green) / n; share < 0.20 || share > 0.30 {
		t.Errorf("green got %.1f %% of %d calls, want 25 %%", share*100, n)
	}
	w.noFailedCalls()
}

func TestGRPCSwitchWaitsWhileEndpointsAreWithheld(t *testing.T) {
	w := newGRPCWorld(t, 2, map[string]string{"prepare": "{within: 1m}"})
	w.everyClient("blue")
	w.relay.withhold("client-3", endpointType)
	late := startGRPCClient(t, w.relay.address, "client-3")
	w.await("a cold client", func(m *adminv1.ModelStatus) bool { return m.GetReport().GetCold().GetGreen() > 0 })
	id := w.start()
	w.everyClient("blue")
	if phase := w.status().GetState().GetPhase(); phase != adminv1.Phase_PHASE_PREPARING {
		t.Fatalf("phase %v while client-3 is cold, want preparing", phase)
	}
	w.relay.release("client-3")
	w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.clients = append(w.clients, late)
	w.everyClient("green")
	w.noFailedCalls()
}

func TestGRPCClientJoinsMidSwitch(t *testing.T) {
	w := newGRPCWorld(t, 2, map[string]string{"shift": "{steps: [{weight: 50%, hold: 10m}, 100%]}", "bake": "{for: 10m}"})
	w.everyClient("blue")
	w.start()
	w.awaitPhase(adminv1.Phase_PHASE_HOLDING)
	w.join("client-3")
	w.confirmedBy(3)
	w.promote()
	m := w.awaitPhase(adminv1.Phase_PHASE_BAKING)
	if m.GetReport().GetConnected() != 3 || m.GetReport().GetAcked() != 3 {
		t.Errorf("baking with %d of %d clients confirmed, want 3 of 3", m.GetReport().GetAcked(), m.GetReport().GetConnected())
	}
	w.everyClient("green")
	w.noFailedCalls()
}

func TestGRPCClientCutOffKeepsTheOldColorFromRetiring(t *testing.T) {
	t.Parallel() // it waits most of its time
	w := newGRPCWorld(t, 2, map[string]string{
		"shift": "{steps: [{weight: 50%, hold: 10m}, 100%]}", "retire": "{after: 100ms}",
	})
	w.everyClient("blue")
	id := w.start()
	w.awaitPhase(adminv1.Phase_PHASE_HOLDING)
	w.relay.cutOff("client-2")
	w.promote()
	w.awaitOutcome(id, adminv1.Outcome_OUTCOME_SUCCEEDED)
	w.await("the retirement to be held up", func(m *adminv1.ModelStatus) bool {
		return m.GetState().GetPhase() == adminv1.Phase_PHASE_RETIRING && strings.Contains(m.GetState().GetProblem(), "client-2")
	})
	w.relay.mend("client-2")
	w.awaitPhase(adminv1.Phase_PHASE_IDLE)
	w.everyClient("green")
	w.noFailedCalls()
}

func TestGRPCClientThatRejectsStopsTheSwitch(t *testing.T) {
	w := newGRPCWorld(t, 2, map[string]string{"confirm": "{within: 20s}"})
	w.everyClient("blue")
	w.relay.corrupt("client-2", routeType)
	id := w.start()
	sw := w.awaitOutcome(id, adminv1.Outcome_OUTCOME_ROLLED_BACK)
	if !strings.Contains(sw.GetCause(), "client-2") {
		t.Errorf("cause %q does not name the client", sw.GetCause())
	}
	if n := w.relay.nacks("client-2"); len(n) != 1 {
		t.Errorf("client-2 rejected %d times, want once: %v", len(n), n)
	}
	w.relay.mendContent("client-2")
	w.everyClient("blue")
	w.noFailedCalls()
}
