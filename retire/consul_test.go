package retire

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"greenlight/examples/lab"
	"greenlight/policy"
	"greenlight/rollout"
)

// catalog is a real Consul: a server, and an agent on another node that owns its
// own services, each at an address of its own with the same HTTP port.
type catalog struct {
	t             *testing.T
	port          int
	server, agent *api.Client
}

const serverAddress, agentAddress = "127.0.0.2", "127.0.0.3"

func startCatalog(t *testing.T) *catalog {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a real Consul; run without -short")
	}
	bin, err := lab.FindConsul()
	if err != nil {
		t.Fatal(err)
	}
	ports, err := lab.FreePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	c := &catalog{t: t, port: ports[0]}
	start := func(name, address string, more map[string]any) *api.Client {
		dir := t.TempDir()
		config := map[string]any{
			"node_name": name, "bind_addr": address, "client_addr": address, "data_dir": filepath.Join(dir, "data"),
			"log_level": "err", "disable_update_check": true, "performance": map[string]any{"raft_multiplier": 1},
			"ports": map[string]int{"http": ports[0], "server": ports[1], "serf_lan": ports[2], "serf_wan": -1, "dns": -1, "grpc": -1, "grpc_tls": -1},
		}
		for k, v := range more {
			config[k] = v
		}
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "consul.json")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		proc, err := lab.StartProc(name, dir, bin, nil, "agent", "-config-file", file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proc.Stop)
		client, err := api.NewClient(&api.Config{Address: net.JoinHostPort(address, strconv.Itoa(ports[0]))})
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	c.server = start("server", serverAddress, map[string]any{"server": true, "bootstrap_expect": 1})
	c.agent = start("node", agentAddress, map[string]any{"retry_join": []string{net.JoinHostPort(serverAddress, strconv.Itoa(ports[2]))}, "retry_interval": "1s"})
	c.await("two nodes", func() bool {
		nodes, _, err := c.server.Catalog().Nodes(nil)
		return err == nil && len(nodes) == 2
	})
	return c
}

func (c *catalog) await(what string, holds func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			c.t.Fatalf("no %s within a minute", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// status is the worst check of each instance of fraud, and the notes of its maintenance.
func (c *catalog) status() (status, notes map[string]string) {
	c.t.Helper()
	entries, _, err := c.server.Health().Service("fraud", "", false, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	status, notes = map[string]string{}, map[string]string{}
	for _, e := range entries {
		status[e.Service.ID] = e.Checks.AggregatedStatus()
		for _, check := range e.Checks {
			if strings.HasPrefix(check.CheckID, "_service_maintenance:") {
				notes[e.Service.ID] = check.Notes
			}
		}
	}
	return status, notes
}

func (c *catalog) retirer() *Retirer {
	return New(Options{Consul: func() (*api.Client, string, error) { return c.server, "", nil }})
}

func (c *catalog) wish(ids ...string) rollout.LetGo {
	w := rollout.LetGo{
		Key: "s1", SwitchID: "s1", Color: policy.Blue, Discovery: policy.Discovery{Service: "fraud", ColorMeta: "color"},
		How: policy.Retire{Consul: &policy.ConsulRetire{Scheme: "http", Port: c.port}},
	}
	for _, id := range ids {
		w.Instances = append(w.Instances, rollout.Endpoint{ID: id})
	}
	return w
}

// Instances of two agents and of a node without one go into maintenance and come back,
// each by whoever owns it; what is not asked for is left alone.
func TestConsulMaintenance(t *testing.T) {
	c := startCatalog(t)
	register := func(client *api.Client, id string) {
		if err := client.Agent().ServiceRegister(&api.AgentServiceRegistration{ID: id, Name: "fraud", Port: 8080, Meta: map[string]string{"color": "blue"}}); err != nil {
			t.Fatal(err)
		}
	}
	register(c.server, "b1")
	register(c.agent, "b2")
	register(c.agent, "b3")
	if _, err := c.server.Catalog().Register(&api.CatalogRegistration{
		Node: "outside", Address: "127.0.0.4", NodeMeta: map[string]string{"external-node": "true"},
		Service: &api.AgentService{ID: "b4", Service: "fraud", Port: 8080, Meta: map[string]string{"color": "blue"}},
	}, nil); err != nil {
		t.Fatal(err)
	}
	c.await("four instances", func() bool { s, _ := c.status(); return len(s) == 4 })

	let := func(w rollout.LetGo) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		for range 2 { // the same again is harmless
			if err := c.retirer().LetGo(ctx, "fraud", w); err != nil {
				t.Fatal(err)
			}
		}
	}
	let(c.wish("b1", "b2", "b4", "b9@gone"))
	c.await("maintenance", func() bool {
		s, notes := c.status()
		return s["b1"] == api.HealthMaint && s["b2"] == api.HealthMaint && s["b4"] == api.HealthMaint && s["b3"] == "passing" && len(notes) == 3
	})
	if _, notes := c.status(); notes["b2"] != "Greenlight: switch s1 of fraud let it go" {
		t.Errorf("notes %q", notes)
	}
	back := c.wish("b1", "b2", "b4")
	back.Key, back.Restore = "s1-restore-1", true
	let(back)
	c.await("the return", func() bool {
		s, notes := c.status()
		return len(notes) == 0 && s["b1"] == "passing" && s["b2"] == "passing" && s["b4"] != api.HealthMaint
	})
}

// What could not be done is named, instance by instance, with where was asked.
func TestConsulMaintenanceThatFails(t *testing.T) {
	c := startCatalog(t)
	for _, id := range []string{"b1", "b2"} {
		if err := c.agent.Agent().ServiceRegister(&api.AgentServiceRegistration{ID: id, Name: "fraud", Port: 8080}); err != nil {
			t.Fatal(err)
		}
	}
	c.await("two instances", func() bool { s, _ := c.status(); return len(s) == 2 })
	w := c.wish("b1", "b2")
	free, err := lab.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	w.How.Consul.Port = free[0] // nobody listens there
	err = c.retirer().LetGo(t.Context(), "fraud", w)
	for _, says := range []string{"maintenance mode of b1", "maintenance mode of b2", "node node at http://127.0.0.3:" + strconv.Itoa(free[0]), "retire.consul.port"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}
