package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
	"greenlight/examples/models"
	"greenlight/examples/modelserver"
)

const (
	fleet      = "edge"
	envoys     = 3
	perColor   = 2 // instances of each color
	rate       = 200
	host       = "tumor.models.internal"
	inferPath  = "/v2/models/tumor/infer"
	heard      = 200 // users' requests that the story begins with: green is compared with them
	setupLimit = time.Minute
)

// policyText is the demo's policy: strict about answers, short in its bake so
// that the story is.
var policyText = fmt.Sprintf(`apiVersion: greenlight/v1
kind: Model
metadata: {name: %[1]s, owners: [demo]}
spec:
  discovery:
    service: %[1]s
    color: {meta: color}
    version: {meta: version}
  route:
    fleets: [%[2]s]
    hosts: [%[3]s]
    prefix: /v2/models/%[1]s
    timeout: 5s
  validate:
    - endpoints: {min: 2}
    - ready: {path: /v2/models/%[1]s/ready}
    - golden: {file: %[4]s, protocol: open-inference, tolerance: %[5]v}
  shift: {steps: [{weight: 10%%, hold: 1s}, {weight: 50%%, hold: 1s}, 100%%]}
  bake: {for: 1m}
`, models.Name, fleet, host, models.GoldenFile, models.Tolerance)

// stage is everything that the demo starts.
type stage struct {
	dir    string
	envoys []*lab.Envoy
	server *lab.Server
	consul *lab.Consul // nil with a file registry
	load   *lab.Load

	models   map[string][]*modelserver.Server // by color
	versions map[string]string                // by color

	mu sync.Mutex
	// failing is set while the story makes the green model fail; guarded by mu.
	failing bool
}

// setStage starts everything and waits until users are served. What was
// started is in the stage even if there is an error.
func setStage(ctx context.Context, t *teller, dir, registry string) (*stage, error) {
	ctx, cancel := context.WithTimeout(ctx, setupLimit)
	defer cancel()
	s := &stage{dir: dir, models: map[string][]*modelserver.Server{}, versions: map[string]string{}}

	envoyBin, err := lab.FindEnvoy()
	if err != nil {
		return s, err
	}
	flag, err := s.startRegistry(ctx, t, registry)
	if err != nil {
		return s, err
	}
	if err := s.deploy("blue", models.Good); err != nil {
		return s, err
	}
	if err := s.startServer(ctx, flag); err != nil {
		return s, err
	}
	if err := s.startEnvoys(ctx, envoyBin); err != nil {
		return s, err
	}
	t.sayf("%d Envoys in fleet %q, %d instances of %s %s (blue, live), Greenlight on %s, registry: %s",
		envoys, fleet, perColor, models.Name, models.Good, s.server.Admin, s.registryName())
	if err := s.startLoad(t); err != nil {
		return s, err
	}
	_, err = s.server.AwaitModel(ctx, models.Name, "reports of users' requests", func(m *adminv1.ModelStatus) bool {
		return m.GetTraffic().GetUsers().GetBlue().GetRequests() >= heard
	})
	if err == nil {
		t.sayf("every Envoy reports them to Greenlight, which compares green with blue by them")
	}
	return s, err
}

// startRegistry picks the registry and gives the server's --registry flag.
func (s *stage) startRegistry(ctx context.Context, t *teller, registry string) (string, error) {
	bin, err := findConsul(registry)
	switch {
	case err != nil:
		return "", err
	case bin == "":
		return "file:" + s.registryFile(), nil
	}
	began := time.Now()
	s.consul, err = lab.StartConsul(ctx, bin, s.dir)
	if err == nil {
		t.sayf("Consul elected itself after %.1f s", time.Since(began).Seconds())
	}
	return "consul", err
}

// findConsul answers where Consul is, or "" if the registry is to be a file.
func findConsul(registry string) (string, error) {
	switch registry {
	case "file":
		return "", nil
	case "auto":
		bin, _ := lab.FindConsul() // without one a file serves
		return bin, nil
	default:
		return lab.FindConsul()
	}
}

func (s *stage) registryFile() string { return filepath.Join(s.dir, "registry.json") }

func (s *stage) registryName() string {
	if s.consul != nil {
		return "Consul on " + s.consul.Address
	}
	return "file"
}

// deploy replaces color's instances by those of a version and tells the registry.
func (s *stage) deploy(color, version string) error {
	old := s.models[color]
	s.models[color], s.versions[color] = nil, version
	for range perColor {
		m, err := modelserver.Start(context.Background(), modelserver.Options{Version: version, Color: color})
		if err != nil {
			return fmt.Errorf("start %s %s: %w", models.Name, version, err)
		}
		s.models[color] = append(s.models[color], m)
	}
	if err := s.register(color); err != nil {
		return err
	}
	for _, m := range old {
		_ = m.Close() // a user whose request that cut off is counted by the load
	}
	return nil
}

// register tells the registry of color's instances.
func (s *stage) register(color string) error {
	if s.consul == nil {
		return s.writeRegistry()
	}
	for i, m := range s.models[color] {
		if err := s.consul.Register(s.instance(color, i, m)); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) writeRegistry() error {
	var all []lab.Instance
	for _, color := range []string{"blue", "green"} {
		for i, m := range s.models[color] {
			all = append(all, s.instance(color, i, m))
		}
	}
	return lab.WriteRegistry(s.registryFile(), all)
}

func (s *stage) instance(color string, i int, m *modelserver.Server) lab.Instance {
	address, port, _ := net.SplitHostPort(m.Addr())
	number, _ := strconv.Atoi(port)
	return lab.Instance{
		ID: fmt.Sprintf("%s-%s-%d", models.Name, color, i+1), Name: models.Name,
		Address: address, Port: number,
		Meta: map[string]string{"color": color, "version": s.versions[color]},
	}
}

// startServer writes the policy and starts this very program as the server.
func (s *stage) startServer(ctx context.Context, registry string) error {
	policies := filepath.Join(s.dir, "policies")
	if err := os.MkdirAll(policies, 0o755); err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	for name, text := range map[string][]byte{"tumor.yaml": []byte(policyText), models.GoldenFile: models.Golden()} {
		if err := os.WriteFile(filepath.Join(policies, name), text, 0o644); err != nil {
			return fmt.Errorf("write policy: %w", err)
		}
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	opts := lab.ServerOptions{Bin: program, Dir: s.dir, Policies: policies, Registry: registry}
	if s.consul != nil {
		opts.Env = []string{"CONSUL_HTTP_ADDR=" + s.consul.Address}
	}
	s.server, err = lab.StartServer(ctx, opts)
	return err
}

// startEnvoys starts the fleet; each Envoy has a listener of its own, on a port of its
// own, and reports users' requests.
func (s *stage) startEnvoys(ctx context.Context, bin string) error {
	ports, err := lab.FreePorts(envoys)
	if err != nil {
		return err
	}
	for i, port := range ports {
		e, err := lab.StartEnvoy(ctx, lab.EnvoyOptions{
			Bin: bin, Dir: s.dir, Node: fmt.Sprintf("envoy-%d", i+1), Fleet: fleet, XDS: s.server.XDS, Listen: port, Reports: true,
		})
		if err != nil {
			return err
		}
		s.envoys = append(s.envoys, e)
	}
	for _, e := range s.envoys {
		if err := e.AwaitServing(ctx, e.URL("/v2/models/tumor/ready"), host); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) startLoad(t *teller) error {
	first, _, found := bytes.Cut(models.Golden(), []byte("\n"))
	if !found {
		return errors.New("the golden file has no case to send")
	}
	var known struct{ Request json.RawMessage }
	if err := json.Unmarshal(first, &known); err != nil {
		return fmt.Errorf("read golden case: %w", err)
	}
	var urls []string
	for _, e := range s.envoys {
		urls = append(urls, e.URL(inferPath))
	}
	s.load = lab.StartLoad(lab.LoadOptions{URLs: urls, Host: host, Body: known.Request, Rate: rate, Expected: s.expected})
	t.sayf("users send %d requests a second through all of them", rate)
	return nil
}

// expected tells a failure that the story wants: an error of the green model's
// own, while it is made to fail.
func (s *stage) expected(a lab.Answer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failing && a.Err == nil && a.Status == http.StatusInternalServerError && a.Color == "green"
}

// fail makes all of green's instances misbehave, or heals them.
func (s *stage) fail(mode modelserver.Mode) error {
	if mode != modelserver.None {
		s.mu.Lock()
		s.failing = true
		s.mu.Unlock()
	}
	for _, m := range s.models["green"] {
		if err := m.Fail(modelserver.Fault{Mode: mode}); err != nil {
			return err
		}
	}
	return nil
}

// linger leaves the stage up until the user has seen enough.
func (s *stage) linger(ctx context.Context, t *teller) {
	t.title("Everything is left running; interrupt with Ctrl-C. To try:")
	fmt.Fprintf(t.out, "  export GREENLIGHT_SERVER=%s\n", s.server.Admin)
	fmt.Fprintf(t.out, "  bin/greenlight status tumor\n  bin/greenlight switch tumor --again --wait --reason \"my own\"\n  bin/greenlight rollback tumor --wait\n  bin/greenlight fleet edge\n")
	for _, e := range s.envoys {
		fmt.Fprintf(t.out, "  curl -s -H 'host: %s' %s    # through %s; add -H 'x-model-color: idle' for a preview; admin: http://%s\n",
			host, e.URL("/v2/models/tumor"), e.Options.Node, e.Admin)
	}
	fmt.Fprintf(t.out, "  curl -s http://%s/metrics\n  files and logs: %s\n", s.server.HTTP, s.dir)
	<-ctx.Done()
}

// clear ends everything that was started. Envoys go first, so that nobody's
// request finds its server gone.
func (s *stage) clear() {
	if s.load != nil {
		s.load.Stop()
	}
	for _, e := range s.envoys {
		e.Stop()
	}
	if s.server != nil {
		s.server.Stop()
	}
	if s.consul != nil {
		s.consul.Stop()
	}
	for _, servers := range s.models {
		for _, m := range servers {
			_ = m.Close() // nobody asks it any more
		}
	}
}
