package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/encoding/protojson"

	"greenlight/policy"
	"greenlight/xds/resource"
)

// EnvoyOptions describe one Envoy of a fleet.
type EnvoyOptions struct {
	Bin   string // path of the program
	Dir   string // where its files and its log go
	Node  string // unique within the fleet
	Fleet string
	XDS   string // host:port of the xDS server
	Delta bool
	// Listen is the port of a listener of its own, which asks for the route
	// configuration called Fleet. 0: the Envoy takes its listeners over xDS.
	Listen int
	// Reports has that listener report users' requests, as docs/telemetry.md says.
	Reports bool
	// Edit, if not nil, changes the bootstrap before it is written.
	Edit func(bootstrap map[string]any)
	Args []string // more arguments for the program
	Env  []string // more variables of its environment
}

// Envoy is a running Envoy.
type Envoy struct {
	Options EnvoyOptions
	Proc    *Proc
	Admin   string // host:port of its admin interface
}

// StartEnvoy starts an Envoy and waits until its admin interface answers; it
// need not have heard from the xDS server by then.
func StartEnvoy(ctx context.Context, opts EnvoyOptions) (*Envoy, error) {
	config, err := opts.bootstrap()
	if err != nil {
		return nil, err
	}
	base := filepath.Join(opts.Dir, opts.Node)
	if err := os.WriteFile(base+".json", config, 0o644); err != nil {
		return nil, fmt.Errorf("write bootstrap of %s: %w", opts.Node, err)
	}
	args := append([]string{
		"-c", base + ".json", "--service-node", opts.Node, "--service-cluster", opts.Fleet,
		"--concurrency", "1", "--use-dynamic-base-id", "--admin-address-path", base + ".admin",
		"--log-level", "warning", "--drain-time-s", "1", "--parent-shutdown-time-s", "2",
	}, opts.Args...)
	_ = os.Remove(base + ".admin")
	proc, err := StartProc(opts.Node, opts.Dir, opts.Bin, opts.Env, args...)
	if err != nil {
		return nil, err
	}
	e := &Envoy{Options: opts, Proc: proc}
	err = Await(ctx, proc, "the admin interface of "+opts.Node, func() bool {
		address, err := os.ReadFile(base + ".admin")
		e.Admin = strings.TrimSpace(string(address))
		return err == nil && e.Admin != ""
	})
	if err != nil {
		proc.Stop()
		return nil, err
	}
	return e, nil
}

// URL is the address of the Envoy's own listener with path after it.
func (e *Envoy) URL(path string) string { return "http://" + Loopback(e.Options.Listen) + path }

// AwaitServing waits until the Envoy answers url with anything but 404 and 503.
func (e *Envoy) AwaitServing(ctx context.Context, url, host string) error {
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	return Await(ctx, e.Proc, e.Options.Node+" to serve "+url, func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return false
		}
		req.Host = host
		resp, err := client.Do(req)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusServiceUnavailable
	})
}

// Stop ends the Envoy.
func (e *Envoy) Stop() { e.Proc.Stop() }

// bootstrap is what `greenlight bootstrap` prints, with the Envoy's own
// listener if it has one.
func (o EnvoyOptions) bootstrap() ([]byte, error) {
	printed, err := resource.Bootstrap(resource.Options{Server: o.XDS, Node: o.Node, Fleet: o.Fleet, Admin: "127.0.0.1:0", Delta: o.Delta})
	if err != nil {
		return nil, err
	}
	var config map[string]any
	if err := yaml.Unmarshal(printed, &config); err != nil {
		return nil, fmt.Errorf("read bootstrap: %w", err)
	}
	if o.Listen != 0 {
		if err := o.addListener(config); err != nil {
			return nil, err
		}
	}
	if o.Edit != nil {
		o.Edit(config)
	}
	return json.MarshalIndent(config, "", "  ")
}

// addListener adds a listener of the Envoy's own and stops it from asking for others.
func (o EnvoyOptions) addListener(config map[string]any) error {
	fleet := &policy.Fleet{
		Name: o.Fleet, Routes: o.Fleet,
		Listener: &policy.Listener{Name: "own", Address: "127.0.0.1", Port: o.Listen},
	}
	if o.Reports {
		fleet.Telemetry = &policy.Telemetry{Sample: policy.Full, Every: time.Second}
	}
	listener, err := protojson.Marshal(resource.Listener(fleet))
	if err != nil {
		return fmt.Errorf("write listener: %w", err)
	}
	var own map[string]any
	if err := json.Unmarshal(listener, &own); err != nil {
		return fmt.Errorf("write listener: %w", err)
	}
	static, ok := config["static_resources"].(map[string]any)
	if !ok {
		return fmt.Errorf("write listener: the bootstrap has no static_resources")
	}
	static["listeners"] = []any{own}
	if dynamic, ok := config["dynamic_resources"].(map[string]any); ok {
		delete(dynamic, "lds_config")
	}
	return nil
}
