package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

const (
	fleet     = "edge"
	host      = "tumor.models.internal"
	inferPath = "/v2/models/tumor/infer"
	patience  = 60 * time.Second // for anything that is waited for
)

// worldOptions choose what a test needs; the zero value is three Envoys with
// their own listeners, state-of-the-world, a file registry, and no relay.
type worldOptions struct {
	envoys   int // default 3; -1 for none
	delta    bool
	consul   bool
	relay    bool
	grpc     bool // instances are registered by their gRPC ports
	listener bool // the (single) Envoy takes its listener over xDS
	rate     int  // load through all Envoys; default 200 a second; -1 for none
	env      []string
	envoyEnv []string
	green    string // version of green; default models.Equal
	git      bool   // the policies are in a git repository
}

// world is everything around one test. All of it ends with the test.
type world struct {
	t      testing.TB
	ctx    context.Context
	opts   worldOptions
	dir    string
	server *lab.Server
	consul *lab.Consul
	relay  *relay
	envoys []*lab.Envoy
	load   *lab.Load
	models map[string][]*modelserver.Server // by color
	// versions is what each color was deployed with.
	versions map[string]string
	// called is what a color's instances say that their version is, if not that.
	called map[string]string
	extra  []lab.Instance // of other models
	repo   *repository    // of the policies, with worldOptions.git
	port   int            // of the listener that comes over xDS
}

// basePolicy is switched at once, without a bake, unless a test says otherwise.
// Its timeout leaves a machine that is busy with other tests time to answer.
var basePolicy = map[string]string{
	"discovery": "{service: tumor, color: {meta: color}, version: {meta: version}}",
	"route":     "{fleets: [edge], hosts: [tumor.models.internal], prefix: /v2/models/tumor, timeout: 30s}",
	"validate":  "[{endpoints: {min: 2}}, {ready: {path: /v2/models/tumor/ready}}, {golden: {file: tumor.golden.jsonl, protocol: open-inference, tolerance: 0.05}}]",
	"shift":     "{steps: [100%]}",
	"confirm":   "{within: 10s, otherwise: rollback}",
	"bake":      "{for: 0s}",
	"retire":    "{off: true}",
}

// policyWith is a whole policy file: basePolicy with some spec keys replaced
// ("" takes a key out).
func policyWith(name string, replace map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: greenlight/v1\nkind: Model\nmetadata: {name: %s}\nspec:\n", name)
	keys := []string{"discovery", "route", "validate", "prepare", "shift", "confirm", "bake", "rollback", "retire", "initialLive", "live", "judge", "shadow", "dependsOn", "queue", "approve", "calendar"}
	for _, key := range keys {
		value, replaced := replace[key]
		if !replaced {
			value = basePolicy[key]
		}
		if value != "" {
			fmt.Fprintf(&b, "  %s: %s\n", key, value)
		}
	}
	return b.String()
}

// newWorld starts everything, with blue serving models.Good and green
// opts.green, and waits until users are served by blue.
func newWorld(t testing.TB, opts worldOptions, replace map[string]string) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("needs real Envoys; run without -short")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	w := &world{t: t, ctx: ctx, opts: opts, dir: t.TempDir(), models: map[string][]*modelserver.Server{}, versions: map[string]string{}, called: map[string]string{}}
	t.Cleanup(func() { w.logsIfFailed(); cancel() })
	if w.opts.envoys == 0 {
		w.opts.envoys = 3
	}
	if w.opts.rate == 0 {
		w.opts.rate = 200
	}
	if w.opts.green == "" {
		w.opts.green = models.Equal
	}
	if opts.consul {
		w.startConsul()
	}
	w.deploy("blue", models.Good, 2)
	w.deploy("green", w.opts.green, 2)
	w.writePolicy("tumor.yaml", policyWith("tumor", replace))
	must(t, os.WriteFile(filepath.Join(w.policies(), models.GoldenFile), models.Golden(), 0o644))
	if opts.listener {
		ports, err := lab.FreePorts(1)
		must(t, err)
		w.port = ports[0]
		w.writePolicy("fleet.yaml", fleetPolicy(w.port))
	}
	if opts.git {
		w.repo = newRepository(w)
	}
	w.startServer()
	if opts.relay {
		w.relay = startRelay(t, w.server.XDS)
	}
	for i := range w.opts.envoys {
		w.addEnvoy(fmt.Sprintf("envoy-%d", i+1))
	}
	for _, e := range w.envoys {
		must(t, e.AwaitServing(w.within(patience), w.url(e, "/v2/models/tumor/ready"), host))
	}
	if w.opts.envoys > 0 && w.opts.rate > 0 {
		w.startLoad()
	}
	return w
}

func fleetPolicy(port int) string {
	return fmt.Sprintf("apiVersion: greenlight/v1\nkind: Fleet\nmetadata: {name: edge}\nspec: {listener: {address: 127.0.0.1, port: %d}}\n", port)
}

func (w *world) policies() string { return filepath.Join(w.dir, "policies") }

// writePolicy replaces a policy file whole.
func (w *world) writePolicy(name, text string) {
	w.t.Helper()
	must(w.t, os.MkdirAll(w.policies(), 0o755))
	path := filepath.Join(w.policies(), name)
	must(w.t, os.WriteFile(path+".next", []byte(text), 0o644))
	must(w.t, os.Rename(path+".next", path))
}

func (w *world) startConsul() {
	w.t.Helper()
	bin, err := lab.FindConsul()
	must(w.t, err)
	w.consul, err = lab.StartConsul(w.within(patience), bin, w.dir)
	must(w.t, err)
	w.t.Cleanup(w.consul.Stop)
}

// startServer starts this test binary as the greenlight server.
func (w *world) startServer() {
	w.t.Helper()
	opts := lab.ServerOptions{
		Bin: os.Args[0], Dir: w.dir, Policies: w.policies(), Registry: "file:" + w.registryFile(),
		Env: append([]string{roleVariable + "=greenlight"}, w.opts.env...),
	}
	if w.repo != nil {
		opts.Policies = ""
		opts.Env = append(opts.Env, w.repo.env()...)
	}
	if w.consul != nil {
		opts.Registry = "consul"
		opts.Env = append(opts.Env, "CONSUL_HTTP_ADDR="+w.consul.Address)
	}
	var err error
	w.server, err = lab.StartServer(w.within(patience), opts)
	must(w.t, err)
	w.t.Cleanup(w.server.Stop)
}

func (w *world) registryFile() string { return filepath.Join(w.dir, "registry.json") }

// deploy replaces color's instances by n of a version and tells the registry.
func (w *world) deploy(color, version string, n int) {
	w.t.Helper()
	old := w.models[color]
	w.models[color], w.versions[color] = nil, version
	for range n {
		m, err := modelserver.Start(context.Background(), modelserver.Options{Version: version, Color: color, GRPCAddr: "127.0.0.1:0"})
		must(w.t, err)
		w.t.Cleanup(func() { m.Close() })
		w.models[color] = append(w.models[color], m)
	}
	w.register()
	for _, m := range old {
		m.Close()
	}
}

// register tells the registry of all instances.
func (w *world) register() {
	w.t.Helper()
	instances := append(w.instances(), w.extra...)
	if w.consul == nil {
		must(w.t, lab.WriteRegistry(w.registryFile(), instances))
		return
	}
	for _, i := range instances {
		must(w.t, w.consul.Register(i))
	}
}

func (w *world) instances() []lab.Instance {
	var out []lab.Instance
	for _, color := range []string{"blue", "green"} {
		for i, m := range w.models[color] {
			address, port, err := net.SplitHostPort(m.Addr())
			must(w.t, err)
			number, err := strconv.Atoi(port)
			must(w.t, err)
			instance := lab.Instance{
				ID: fmt.Sprintf("tumor-%s-%d", color, i+1), Name: "tumor", Address: address, Port: number,
				Meta: map[string]string{"color": color, "version": cmp.Or(w.called[color], w.versions[color])},
			}
			if w.opts.grpc {
				instance, err = grpcInstance(instance, m)
				must(w.t, err)
			}
			out = append(out, instance)
		}
	}
	return out
}

// addEnvoy starts one more Envoy of the fleet; it need not be serving yet.
func (w *world) addEnvoy(node string, args ...string) *lab.Envoy {
	w.t.Helper()
	bin, err := lab.FindEnvoy()
	must(w.t, err)
	opts := lab.EnvoyOptions{Bin: bin, Dir: w.dir, Node: node, Fleet: fleet, XDS: w.server.XDS, Delta: w.opts.delta, Args: args, Env: w.opts.envoyEnv}
	if w.relay != nil {
		opts.XDS = w.relay.address
	}
	if !w.opts.listener {
		ports, err := lab.FreePorts(1)
		must(w.t, err)
		opts.Listen = ports[0]
	}
	e, err := lab.StartEnvoy(w.within(patience), opts)
	must(w.t, err)
	w.t.Cleanup(e.Stop)
	w.envoys = append(w.envoys, e)
	return e
}

func (w *world) url(e *lab.Envoy, path string) string {
	if w.opts.listener {
		return "http://" + lab.Loopback(w.port) + path
	}
	return e.URL(path)
}

// startLoad sends known requests through all Envoys that there are now. No
// failure is expected of it; noFailures says so at the end.
func (w *world) startLoad() {
	w.t.Helper()
	var urls []string
	for _, e := range w.envoys {
		urls = append(urls, w.url(e, inferPath))
	}
	w.load = lab.StartLoad(lab.LoadOptions{URLs: urls, Host: host, Body: knownRequest(w.t), Rate: w.opts.rate, Timeout: time.Minute})
	w.t.Cleanup(func() { w.load.Stop() })
}

func knownRequest(t testing.TB) []byte {
	first, _, _ := bytes.Cut(models.Golden(), []byte("\n"))
	var known struct{ Request json.RawMessage }
	must(t, json.Unmarshal(first, &known))
	return known.Request
}

// noFailures ends the load and fails the test if any user's request failed.
func (w *world) noFailures() lab.Counts {
	w.t.Helper()
	counts := w.load.Stop()
	for _, f := range counts.Failures {
		w.t.Errorf("failed request: %s at %s: status %d, color %q, error %v", f.URL, f.Sent.Format(time.StampMicro), f.Status, f.Color, f.Err)
	}
	if counts.Unexpected > 0 || counts.Requests == 0 {
		w.t.Errorf("%d of %d requests failed", counts.Unexpected, counts.Requests)
	}
	w.t.Logf("%d requests, %d failed, by color %v", counts.Requests, counts.Unexpected, counts.ByColor)
	return counts
}

// start starts a switch and gives its id.
func (w *world) start() string {
	w.t.Helper()
	resp, err := w.server.Client.StartSwitch(w.within(patience), &adminv1.StartSwitchRequest{Model: "tumor", Actor: "e2e"})
	must(w.t, err)
	return resp.GetSwitchId()
}

// confirmedBy waits until so many nodes are connected, all have ACKed, and green is warm on
// each: one that serves may not have said so yet.
func (w *world) confirmedBy(nodes int32) {
	w.t.Helper()
	w.await(fmt.Sprint(nodes, " confirmations"), func(m *adminv1.ModelStatus) bool {
		r := m.GetReport()
		return r.GetConnected() == nodes && r.GetAcked() == nodes && r.GetCold().GetGreen() == 0
	})
}

// promote ends the hold of the present step.
func (w *world) promote() {
	w.t.Helper()
	_, err := w.server.Client.Promote(w.within(patience), &adminv1.PromoteRequest{Model: "tumor", Actor: "e2e"})
	must(w.t, err)
}

// await waits until the model's status meets the condition.
func (w *world) await(what string, condition func(*adminv1.ModelStatus) bool) *adminv1.ModelStatus {
	w.t.Helper()
	m, err := w.server.AwaitModel(w.within(patience), "tumor", what, condition)
	must(w.t, err)
	return m
}

// awaitOutcome waits for the end of a switch.
func (w *world) awaitOutcome(id string, want adminv1.Outcome) *adminv1.Switch {
	w.t.Helper()
	m := w.await("the end of switch "+id, func(m *adminv1.ModelStatus) bool {
		sw := m.GetState().GetSwitch()
		return sw.GetId() == id && sw.GetOutcome() != adminv1.Outcome_OUTCOME_UNSPECIFIED
	})
	sw := m.GetState().GetSwitch()
	if sw.GetOutcome() != want {
		w.t.Fatalf("switch %s ended as %v (%s), want %v", id, sw.GetOutcome(), sw.GetCause(), want)
	}
	return sw
}

func (w *world) awaitPhase(phase adminv1.Phase) *adminv1.ModelStatus {
	w.t.Helper()
	return w.await(phase.String(), func(m *adminv1.ModelStatus) bool { return m.GetState().GetPhase() == phase })
}

func (w *world) status() *adminv1.ModelStatus {
	w.t.Helper()
	resp, err := w.server.Client.GetModel(w.within(patience), &adminv1.GetModelRequest{Model: "tumor"})
	must(w.t, err)
	return resp.GetModel()
}

// onlyColor shows by n users' answers that everybody who asks now gets color.
func (w *world) onlyColor(color string, n int) {
	w.t.Helper()
	now := time.Now()
	answers, err := w.load.Collect(w.within(patience), n, func(a lab.Answer) bool { return a.Sent.After(now) })
	must(w.t, err)
	for _, a := range answers {
		if a.Color != color {
			w.t.Fatalf("a user who asked after this point was answered by %q, want %q", a.Color, color)
		}
	}
}

func (w *world) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(w.ctx, d)
	w.t.Cleanup(cancel)
	return ctx
}

// logsIfFailed prints the end of every program's log of a failed test.
func (w *world) logsIfFailed() {
	if !w.t.Failed() {
		return
	}
	if w.server != nil && w.server.Proc != nil {
		w.t.Logf("greenlight's last words:\n%s", w.server.Proc.Tail())
	}
	for _, e := range w.envoys {
		w.t.Logf("%s's last words:\n%s", e.Options.Node, e.Proc.Tail())
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
