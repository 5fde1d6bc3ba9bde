package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"greenlight/examples/lab"
	"greenlight/policy"
	"greenlight/rollout"
)

// agent is a real Consul, a server of one, that keeps its state in a folder so
// that it can be killed and started again.
type agent struct {
	t      testing.TB
	binary string
	dir    string
	addr   string
	client *api.Client
	cmd    *exec.Cmd
}

// startConsul starts a Consul on free ports. Without a binary the test is
// skipped, except under CI.
func startConsul(t testing.TB) *agent {
	t.Helper()
	a := &agent{t: t, binary: consulBinary(), dir: t.TempDir()}
	if a.binary == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no consul in $CONSUL, the PATH or .tools: it must not be skipped under CI")
		}
		t.Skip("no consul in $CONSUL, the PATH or .tools")
	}
	ports := freePorts(t, 4)
	a.addr = fmt.Sprintf("127.0.0.1:%d", ports[0])
	config, err := json.Marshal(map[string]any{
		"server": true, "bootstrap_expect": 1, "node_name": "n1",
		"bind_addr": "127.0.0.1", "data_dir": filepath.Join(a.dir, "data"), "log_level": "err",
		"disable_update_check": true, "enable_debug": false, "performance": map[string]any{"raft_multiplier": 1},
		"ports": map[string]int{
			"http": ports[0], "server": ports[1], "serf_lan": ports[2], "serf_wan": -1,
			"dns": -1, "grpc": -1, "grpc_tls": -1, "https": -1,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(a.dir, "consul.json"), string(config))
	conf := api.DefaultConfig()
	conf.Address, conf.Token = a.addr, ""
	if a.client, err = api.NewClient(conf); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.kill()
		conf.Transport.CloseIdleConnections()
	})
	a.start()
	return a
}

func consulBinary() string {
	if path, err := lab.FindConsul(); err == nil {
		return path
	}
	return ""
}

// freePorts finds ports that nobody listens on, all different.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports, err := lab.FreePorts(n)
	if err != nil {
		t.Fatal(err)
	}
	return ports
}

// start runs the agent and waits until it has a leader and knows its own node.
func (a *agent) start() {
	a.t.Helper()
	a.cmd = exec.Command(a.binary, "agent", "-config-file", filepath.Join(a.dir, "consul.json"))
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.await("a leader", func() bool {
		nodes, _, err := a.client.Health().Node("n1", nil)
		return err == nil && len(nodes) > 0
	})
}

// kill is kill -9.
func (a *agent) kill() {
	if a.cmd != nil {
		a.cmd.Process.Kill()
		a.cmd.Wait()
		a.cmd = nil
	}
}

func (a *agent) await(what string, ok func() bool) {
	a.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			a.t.Fatalf("consul never had %s", what)
		}
	}
}

// register adds or changes an instance; change may add checks and more.
func (a *agent) register(id, color string, change ...func(*api.AgentServiceRegistration)) {
	a.t.Helper()
	r := &api.AgentServiceRegistration{
		ID: id, Name: "fraud", Address: "10.0.0.1", Port: 8080,
		Meta: map[string]string{"color": color, "version": "7"},
	}
	for _, c := range change {
		c(r)
	}
	a.do(a.client.Agent().ServiceRegister(r))
}

func (a *agent) do(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func ttl(r *api.AgentServiceRegistration) {
	r.Check = &api.AgentServiceCheck{CheckID: r.ID + "-ttl", TTL: "10m", Status: api.HealthPassing}
}

func TestRealConsul(t *testing.T) {
	a := startConsul(t)
	out := watchConsul(t, Options{Address: a.addr, Settle: 500 * time.Millisecond}, byMeta, nil)
	out.until(t, "the empty catalog", has(0, 0))
	warned := byMeta
	warned.Warning = true
	lenient := watchConsul(t, Options{Address: a.addr, Settle: 500 * time.Millisecond}, warned, nil)

	a.register("blue-1", "blue", ttl)
	a.register("blue-2", "blue", ttl, func(r *api.AgentServiceRegistration) {
		r.Weights = &api.AgentWeights{Passing: 7, Warning: 3}
	})
	set := out.until(t, "both blues", has(2, 0))
	want := rollout.Endpoint{ID: "blue-2", Address: "10.0.0.1", Port: 8080, Weight: 7, Version: "7"}
	if set.Blue[1] != want {
		t.Errorf("placed %+v, want %+v", set.Blue[1], want)
	}
	a.register("green-1", "green", ttl)
	out.until(t, "the green", has(2, 1))

	t.Run("a check that warns", func(t *testing.T) {
		a.do(a.client.Agent().UpdateTTL("blue-2-ttl", "slow", api.HealthWarning))
		set := out.until(t, "the warning", has(1, 1))
		if set.Unready[policy.Blue] != 1 {
			t.Errorf("unready %v", set.Unready)
		}
		lenient.until(t, "the warning weight", func(s rollout.EndpointSet) bool { return has(2, 1)(s) && s.Blue[1].Weight == 3 })
		a.do(a.client.Agent().UpdateTTL("blue-2-ttl", "", api.HealthPassing))
		out.until(t, "the end of the warning", has(2, 1))
	})
	t.Run("a check that fails", func(t *testing.T) {
		a.do(a.client.Agent().UpdateTTL("green-1-ttl", "", api.HealthCritical))
		set := out.until(t, "the lost green", has(2, 0))
		if set.Unready[policy.Green] != 1 {
			t.Errorf("unready %v", set.Unready)
		}
		a.do(a.client.Agent().UpdateTTL("green-1-ttl", "", api.HealthPassing))
		out.until(t, "the green", has(2, 1))
	})
	t.Run("maintenance", func(t *testing.T) {
		a.do(a.client.Agent().EnableServiceMaintenance("blue-1", "new disk"))
		out.until(t, "maintenance of blue-1", has(1, 1))
		a.do(a.client.Agent().DisableServiceMaintenance("blue-1"))
		out.until(t, "blue-1", has(2, 1))
		a.do(a.client.Agent().EnableNodeMaintenance("new floor"))
		out.until(t, "an emptied catalog", stands(2, 1))
		a.do(a.client.Agent().DisableNodeMaintenance())
		out.until(t, "all of it", has(2, 1))
	})
	t.Run("deregister", func(t *testing.T) {
		a.do(a.client.Agent().ServiceDeregister("blue-2"))
		out.until(t, "one blue less", has(1, 1))
		a.do(a.client.Agent().ServiceDeregister("green-1"))
		out.until(t, "no green", has(1, 0))
		a.do(a.client.Agent().ServiceDeregister("blue-1"))
		out.until(t, "an emptied catalog", stands(1, 0))
	})
}

func TestRealConsulTwoServices(t *testing.T) {
	a := startConsul(t)
	named := func(name string) func(*api.AgentServiceRegistration) {
		return func(r *api.AgentServiceRegistration) { r.Name, r.Meta = name, nil }
	}
	a.register("1", "", named("fraud-blue"))
	a.register("2", "", named("fraud-green"), func(r *api.AgentServiceRegistration) { r.Address = "" })
	d := policy.Discovery{Services: map[policy.Color]string{policy.Blue: "fraud-blue", policy.Green: "fraud-green"}, VersionMeta: "version"}
	out := watchConsul(t, Options{Address: a.addr}, d, nil)
	set := out.until(t, "both", has(1, 1))
	if out.count() != 1 || set.Green[0].Address != "127.0.0.1" {
		t.Errorf("emitted %+v; want one set with the node's address for green", out.all())
	}
}

func TestRealConsulUnknownDatacenter(t *testing.T) {
	a := startConsul(t)
	last := some(1, 0)
	out := watchConsul(t, Options{Address: a.addr, Datacenter: "mars"}, byMeta, &last)
	set := out.until(t, "the problem", stands(1, 0))
	if set.Problem != "consul: Unexpected response code: 500 (No path to datacenter)" {
		t.Errorf("problem %q", set.Problem)
	}
}

// TestRealConsulKilled kills the agent and starts it again while all instances
// go on serving: no color may fall below half of what it had at any time,
// although the agent's HTTP checks turn critical.
func TestRealConsulKilled(t *testing.T) {
	var healthy atomic.Bool
	healthy.Store(true)
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !healthy.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(model.Close)
	checked := func(r *api.AgentServiceRegistration) {
		r.Check = &api.AgentServiceCheck{HTTP: model.URL, Interval: "200ms", Status: api.HealthPassing}
	}
	a := startConsul(t)
	for i := range 3 {
		a.register(fmt.Sprintf("blue-%d", i), "blue", checked)
		a.register(fmt.Sprintf("green-%d", i), "green", checked)
	}
	out := watchConsul(t, Options{Address: a.addr}, byMeta, nil)
	out.until(t, "all", has(3, 3))
	from := out.count()

	a.kill()
	out.until(t, "the outage", stands(3, 3))
	healthy.Store(false) // so that the checks are critical for sure
	a.start()
	// Consul's first words may still be what it knew before it was killed.
	out.until(t, "critical checks", func(s rollout.EndpointSet) bool { return strings.Contains(s.Problem, "no ready instance") })
	healthy.Store(true)
	out.until(t, "all again", has(3, 3))
	for _, s := range out.all()[from:] {
		if 2*len(s.Blue) < 3 || 2*len(s.Green) < 3 {
			t.Errorf("endpoints were lost: %+v", s)
		}
	}
}

// BenchmarkConsulChangeToEmit measures from the write to a real Consul, begun,
// to the emitted set. Half of it is the write itself.
func BenchmarkConsulChangeToEmit(b *testing.B) {
	a := startConsul(b)
	out := watchConsul(b, Options{Address: a.addr}, byMeta, nil)
	a.register("blue-1", "blue")
	out.until(b, "the first", has(1, 0))
	var took, after []time.Duration
	n := 0
	for b.Loop() {
		n++
		began := time.Now()
		a.register("blue-1", "blue", func(r *api.AgentServiceRegistration) { r.Port = 1000 + n%1000 })
		wrote := time.Now()
		out.until(b, "the change", func(s rollout.EndpointSet) bool { return s.Blue[0].Port == 1000+n%1000 })
		took, after = append(took, time.Since(began)), append(after, time.Since(wrote))
		// Not faster than the pace of queries, which is another subject.
		time.Sleep(time.Second / paceSecond)
	}
	for name, all := range map[string][]time.Duration{"": took, "-after-write": after} {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms"+name)
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms"+name)
	}
}
