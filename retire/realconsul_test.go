package retire

import (
	"encoding/json"
	"maps"
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
	// run starts the agent, for the first time or again.
	run  func() *lab.Proc
	proc *lab.Proc
}

const serverAddress, agentAddress = "127.0.0.2", "127.0.0.3"

// root may do everything in a Consul with ACLs.
const root = "5f5e7d0b-2a3b-4c43-9f0f-1f6d2f7a1c11"

// withACLs denies what no token allows.
var withACLs = map[string]any{"acl": map[string]any{
	"enabled": true, "default_policy": "deny", "tokens": map[string]string{"initial_management": root, "agent": root},
}}

func startCatalog(t *testing.T, more map[string]any) *catalog {
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
	node := func(name, address string, config map[string]any) (*api.Client, func() *lab.Proc) {
		dir := t.TempDir()
		maps.Copy(config, map[string]any{
			"node_name": name, "bind_addr": address, "client_addr": address, "data_dir": filepath.Join(dir, "data"),
			"log_level": "err", "disable_update_check": true, "performance": map[string]any{"raft_multiplier": 1},
			"ports": map[string]int{"http": ports[0], "server": ports[1], "serf_lan": ports[2], "serf_wan": -1, "dns": -1, "grpc": -1, "grpc_tls": -1},
		})
		maps.Copy(config, more)
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "consul.json")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return c.client(address, root), func() *lab.Proc {
			proc, err := lab.StartProc(name, dir, bin, nil, "agent", "-config-file", file)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(proc.Stop)
			return proc
		}
	}
	var run func() *lab.Proc
	c.server, run = node("server", serverAddress, map[string]any{"server": true, "bootstrap_expect": 1})
	run()
	c.agent, c.run = node("node", agentAddress, map[string]any{
		"retry_join": []string{net.JoinHostPort(serverAddress, strconv.Itoa(ports[2]))}, "retry_interval": "1s",
	})
	c.proc = c.run()
	c.await("two nodes", func() bool {
		nodes, _, err := c.server.Catalog().Nodes(nil)
		return err == nil && len(nodes) == 2
	})
	return c
}

func (c *catalog) client(address, token string) *api.Client {
	c.t.Helper()
	client, err := api.NewClient(&api.Config{Address: net.JoinHostPort(address, strconv.Itoa(c.port)), Token: token})
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

func (c *catalog) do(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
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

// register adds instances of service fraud to an agent, on ports from 8080.
func (c *catalog) register(client *api.Client, ids ...string) {
	c.t.Helper()
	for i, id := range ids {
		c.do(client.Agent().ServiceRegister(&api.AgentServiceRegistration{ID: id, Name: "fraud", Port: 8080 + i}))
	}
}

// registerOutside adds an instance on a node that has no agent.
func (c *catalog) registerOutside(id string) {
	c.t.Helper()
	_, err := c.server.Catalog().Register(&api.CatalogRegistration{
		Node: "outside", Address: "127.0.0.4", NodeMeta: map[string]string{"external-node": "true"},
		Service: &api.AgentService{ID: id, Service: "fraud", Port: 8080},
	}, nil)
	c.do(err)
}

// states are what the catalog says of each instance of fraud, by id@node: its worst
// check, and the notes of its maintenance.
func (c *catalog) states() (status, notes map[string]string) {
	c.t.Helper()
	entries, _, err := c.server.Health().Service("fraud", "", false, nil)
	c.do(err)
	status, notes = map[string]string{}, map[string]string{}
	for _, e := range entries {
		name := e.Service.ID + "@" + e.Node.Node
		status[name] = e.Checks.AggregatedStatus()
		for _, check := range e.Checks {
			if strings.HasPrefix(check.CheckID, maintenance) {
				notes[name] = check.Notes
			}
		}
	}
	return status, notes
}

// maintenanceAt is the reason for an instance's maintenance as the agent of node "node"
// knows it, before it has told the catalog; empty when there is none.
func (c *catalog) maintenanceAt(id string) string {
	c.t.Helper()
	checks, err := c.agent.Agent().Checks()
	c.do(err)
	if check := checks[maintenance+id]; check != nil {
		return check.Notes
	}
	return ""
}

// maintained waits until exactly these instances, as id@node, are in maintenance.
func (c *catalog) maintained(names ...string) {
	c.t.Helper()
	var last map[string]string
	c.await("maintenance of exactly "+strings.Join(names, ", "), func() bool {
		_, last = c.states()
		if len(last) != len(names) {
			return false
		}
		for _, name := range names {
			if _, ok := last[name]; !ok {
				return false
			}
		}
		return true
	})
}

// retirer looks instances up with a token.
func (c *catalog) retirer(token string) *Retirer {
	return New(Options{
		Consul: func() (*api.Client, string, error) { return c.client(serverAddress, token), token, nil },
		Secret: func(s policy.Secret) (string, error) { return s.Env, nil },
	})
}

func (c *catalog) wish(ids ...string) rollout.LetGo {
	w := rollout.LetGo{
		Key: "s1", SwitchID: "s1", Color: policy.Blue, Discovery: policy.Discovery{Service: "fraud", ColorMeta: "color", VersionMeta: "version"},
		How: policy.Retire{Consul: &policy.ConsulRetire{Scheme: "http", Port: c.port}},
	}
	for _, id := range ids {
		w.Instances = append(w.Instances, rollout.Endpoint{ID: id})
	}
	return w
}

// restore is the wish for the same instances back.
func restore(w rollout.LetGo) rollout.LetGo {
	w.Key, w.Restore = w.SwitchID+"-restore-1", true
	return w
}

// token makes an ACL token that has these rules.
func (c *catalog) token(name, rules string) string {
	c.t.Helper()
	q := &api.WriteOptions{Token: root}
	p, _, err := c.server.ACL().PolicyCreate(&api.ACLPolicy{Name: name, Rules: rules}, q)
	c.do(err)
	t, _, err := c.server.ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLTokenPolicyLink{{ID: p.ID}}}, q)
	c.do(err)
	return t.SecretID
}
