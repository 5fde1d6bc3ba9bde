package retire

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"greenlight/examples/lab"
	"greenlight/policy"
	"greenlight/rollout"
)

// let asks for w, and the same again, which is harmless.
func let(t *testing.T, r *Retirer, w rollout.LetGo) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 2 {
		if err := r.LetGo(ctx, "fraud", w); err != nil {
			t.Fatal(err)
		}
	}
}

// refused asks for w, and wants an error that says all of these.
func refused(t *testing.T, r *Retirer, w rollout.LetGo, says ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := r.LetGo(ctx, "fraud", w)
	for _, part := range says {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}

// Instances of two agents and of a node without one go into maintenance and come back,
// each by whoever owns it; what is not asked for is left alone.
func TestConsulMaintenance(t *testing.T) {
	c := startCatalog(t, nil)
	c.register(c.server, "b1")
	c.register(c.agent, "b2", "b3")
	c.registerOutside("b4")
	c.await("four instances", func() bool { s, _ := c.states(); return len(s) == 4 })
	r := c.retirer("")

	let(t, r, c.wish("b1", "b2", "b4", "b9@gone"))
	c.maintained("b1@server", "b2@node", "b4@outside")
	status, notes := c.states()
	if status["b3@node"] != api.HealthPassing || notes["b2@node"] != "Greenlight: switch s1 of fraud let it go" || notes["b4@outside"] != notes["b2@node"] {
		t.Errorf("%v with notes %q", status, notes)
	}

	t.Run("outlives the agent", func(t *testing.T) {
		c.proc.Kill()
		c.proc = c.run()
		c.await("agent", func() bool { _, err := c.agent.Agent().Self(); return err == nil })
		if c.maintenanceAt("b2") == "" {
			t.Error("the agent has forgotten it")
		}
		c.maintained("b1@server", "b2@node", "b4@outside")
	})

	let(t, r, restore(c.wish("b1", "b2", "b4")))
	c.maintained()
	c.await("the return", func() bool {
		s, _ := c.states()
		return s["b1@server"] == api.HealthPassing && s["b2@node"] == api.HealthPassing
	})

	t.Run("is somebody else's", func(t *testing.T) {
		c.do(c.agent.Agent().EnableServiceMaintenance("b2", "new disk"))
		_, err := c.server.Catalog().Register(&api.CatalogRegistration{
			Node: "outside", Address: "127.0.0.4", SkipNodeUpdate: true,
			Check: &api.AgentCheck{Node: "outside", CheckID: maintenance + "b4", Notes: "new floor", Status: api.HealthCritical, ServiceID: "b4"},
		}, nil)
		c.do(err)
		c.maintained("b2@node", "b4@outside")
		w := c.wish("b2", "b4")
		let(t, r, w)
		let(t, r, restore(w))
		if c.maintenanceAt("b2") != "new disk" {
			t.Errorf("the agent says %q", c.maintenanceAt("b2"))
		}
		if _, notes := c.states(); notes["b4@outside"] != "new floor" {
			t.Errorf("notes %q", notes)
		}
		c.do(c.agent.Agent().DisableServiceMaintenance("b2"))
		_, err = c.server.Catalog().Deregister(&api.CatalogDeregistration{Node: "outside", CheckID: maintenance + "b4"}, nil)
		c.do(err)
		c.maintained()
	})

	t.Run("of ids that nodes share", func(t *testing.T) {
		c.register(c.server, "b2")
		c.await("two of them", func() bool { s, _ := c.states(); return s["b2@server"] != "" })
		w := c.wish("b2@node")
		let(t, r, w)
		c.maintained("b2@node")
		let(t, r, restore(w))
		c.maintained()

		// Its id was its own when it was chosen; now the port tells which one it is.
		c.do(c.server.Agent().ServiceRegister(&api.AgentServiceRegistration{ID: "b2", Name: "fraud", Port: 9090}))
		c.await("another port", func() bool {
			entries, _, err := c.server.Health().Service("fraud", "", false, nil)
			return err == nil && strings.Contains(fmt.Sprint(ports(entries)), "9090")
		})
		w = c.wish("b2")
		w.Instances[0].Address, w.Instances[0].Port = serverAddress, 9090
		let(t, r, w)
		c.maintained("b2@server")
		let(t, r, restore(w))
		c.maintained()
		w.Instances[0].Port = 1
		refused(t, r, w, "maintenance mode of b2: ", "nodes node, server each have an instance of that id")
	})

	t.Run("not of another version that has the id", func(t *testing.T) {
		w := c.wish("b3")
		w.Instances[0].Version = "1"
		let(t, r, w)
		if c.maintenanceAt("b3") != "" {
			t.Error("another version's instance is in maintenance")
		}
	})
}

func ports(entries []*api.ServiceEntry) (out []int) {
	for _, e := range entries {
		out = append(out, e.Service.Port)
	}
	return out
}

// What could not be done is named, instance by instance, with where was asked.
func TestConsulMaintenanceThatFails(t *testing.T) {
	c := startCatalog(t, nil)
	c.register(c.agent, "b1", "b2")
	c.await("two instances", func() bool { s, _ := c.states(); return len(s) == 2 })
	r := c.retirer("")

	free, err := lab.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	w := c.wish("b1", "b2")
	w.How.Consul.Port = free[0] // nobody listens there
	refused(t, r, w, "maintenance mode of b1: ", "maintenance mode of b2: ",
		"the agent of node node at http://127.0.0.3:"+strconv.Itoa(free[0])+": ", "connection refused; retire.consul.port")
	w.How.Consul.Port, w.How.Consul.Scheme = c.port, "https"
	refused(t, r, w, "maintenance mode of b1: the agent of node node at https://127.0.0.3:", "retire.consul.port and scheme")

	// Nothing that Consul does not know is taken for something that is gone when Consul
	// knows nothing at all.
	w = c.wish("b1")
	w.Discovery = policy.Discovery{Services: map[policy.Color]string{policy.Blue: "froud-blue", policy.Green: "froud-green"}}
	refused(t, r, w, "knows no instance of froud-blue and froud-green", "not believed")
	w.Discovery = policy.Discovery{Service: "fraud", Datacenter: "mars"}
	refused(t, r, w, "look up service fraud in Consul: ", "No path to datacenter")

	// Agents that do not answer leave time for the others.
	var many []string
	for i := range atOnce {
		many = append(many, fmt.Sprint("s", i))
	}
	c.register(c.agent, many...)
	c.register(c.server, "b3")
	c.await("all instances", func() bool { s, _ := c.states(); return len(s) == atOnce+3 })
	c.proc.Signal(syscall.SIGSTOP)
	defer c.proc.Signal(syscall.SIGCONT)
	refused(t, r, c.wish(append(many, "b3")...), "maintenance mode of s0: ", "maintenance mode of s15: ", "no answer for 5s")
	c.maintained("b3@server")
}

// Which rights it takes, and what is said without them.
func TestConsulMaintenanceNeedsRights(t *testing.T) {
	c := startCatalog(t, withACLs)
	c.register(c.agent, "b1")
	c.registerOutside("b2")
	c.await("two instances", func() bool { s, _ := c.states(); return len(s) == 2 })
	looks := c.token("looks", `service "fraud" { policy = "read" } node_prefix "" { policy = "read" }`)
	writes := c.token("writes", `service "fraud" { policy = "write" }`)
	with := func(w rollout.LetGo, token string) rollout.LetGo {
		how := *w.How.Consul
		how.Token = &policy.Secret{Env: token}
		w.How.Consul = &how
		return w
	}

	// Instances that the token may not read are not instances that are gone.
	refused(t, c.retirer(c.token("half", `service "fraud" { policy = "read" } node "outside" { policy = "read" }`)), c.wish("b1"), "may not read all of its instances")
	refused(t, c.retirer("6a3ad3c0-0000-4000-8000-000000000000"), c.wish("b1"), "look up service fraud in Consul: ", "403")
	// Without a token there is no telling.
	refused(t, c.retirer(""), c.wish("b1"), "knows no instance of fraud")

	// The registry's token is not for the agents, whatever it may do.
	t.Setenv(api.HTTPTokenEnvName, root)
	refused(t, c.retirer(root), c.wish("b1"), "the agent of node node at http://127.0.0.3:", "403 Forbidden", "retire.consul.token needs service:write")
	refused(t, c.retirer(looks), with(c.wish("b1"), looks), "retire.consul.token needs service:write")
	let(t, c.retirer(looks), with(c.wish("b1"), writes))
	c.maintained("b1@node")
	let(t, c.retirer(looks), with(c.wish("b2"), writes))
	c.maintained("b1@node", "b2@outside")
	refused(t, c.retirer(looks), restore(with(c.wish("b2"), looks)), "maintenance mode of b2: the catalog, for node outside has no agent: ", "403")
	let(t, c.retirer(looks), restore(with(c.wish("b1", "b2"), writes)))
	c.maintained()
}
