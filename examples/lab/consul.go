package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	consul "github.com/hashicorp/consul/api"
)

// Consul is one development agent on ports of its own.
type Consul struct {
	Address string // HTTP API
	Client  *consul.Client

	bin, dir string
	proc     *Proc
}

// StartConsul starts an agent that keeps its files in dir and waits until it
// has elected itself (under 4 s here).
func StartConsul(ctx context.Context, bin, dir string) (*Consul, error) {
	ports, err := FreePorts(4)
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(map[string]any{
		"ports": map[string]int{"http": ports[0], "server": ports[1], "serf_lan": ports[2], "serf_wan": ports[3], "dns": -1, "grpc": -1, "grpc_tls": -1},
	})
	if err != nil {
		return nil, fmt.Errorf("write Consul's configuration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "consul.json"), config, 0o644); err != nil {
		return nil, fmt.Errorf("write Consul's configuration: %w", err)
	}
	c := &Consul{Address: Loopback(ports[0]), bin: bin, dir: dir}
	client, err := consul.NewClient(&consul.Config{Address: c.Address})
	if err != nil {
		return nil, fmt.Errorf("make Consul client: %w", err)
	}
	c.Client = client
	return c, c.Start(ctx)
}

// Start starts the agent, for the first time or again after Kill or Stop. A
// development agent remembers nothing: a restarted one has an empty catalog.
func (c *Consul) Start(ctx context.Context) error {
	proc, err := StartProc("consul", c.dir, c.bin, nil,
		"agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1", "-node", "lab",
		"-log-level", "warn", "-config-file", filepath.Join(c.dir, "consul.json"))
	if err != nil {
		return err
	}
	c.proc = proc
	err = Await(ctx, proc, "Consul's election", func() bool {
		leader, err := c.Client.Status().Leader()
		return err == nil && leader != ""
	})
	if err != nil {
		proc.Stop()
	}
	return err
}

// Kill ends the agent as kill -9 does.
func (c *Consul) Kill() { c.proc.Kill() }

// Stop ends the agent.
func (c *Consul) Stop() { c.proc.Stop() }

// Instance is one instance of a model as a registry should know it.
type Instance struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Address string            `json:"address"`
	Port    int               `json:"port"`
	Meta    map[string]string `json:"meta,omitempty"`
	Status  string            `json:"status,omitempty"` // passing when empty
}

// Register puts an instance into the catalog with a TTL check in its status.
func (c *Consul) Register(i Instance) error {
	status := i.Status
	if status == "" {
		status = consul.HealthPassing
	}
	err := c.Client.Agent().ServiceRegister(&consul.AgentServiceRegistration{
		ID: i.ID, Name: i.Name, Address: i.Address, Port: i.Port, Meta: i.Meta,
		Check: &consul.AgentServiceCheck{CheckID: "service:" + i.ID, TTL: "1h", Status: status},
	})
	if err != nil {
		return fmt.Errorf("register %s: %w", i.ID, err)
	}
	return nil
}

// SetStatus sets the instance's check to passing, warning or critical.
func (c *Consul) SetStatus(id, status string) error {
	if err := c.Client.Agent().UpdateTTL("service:"+id, "set by the lab", status); err != nil {
		return fmt.Errorf("set check of %s: %w", id, err)
	}
	return nil
}

// Deregister takes an instance out of the catalog.
func (c *Consul) Deregister(id string) error {
	if err := c.Client.Agent().ServiceDeregister(id); err != nil {
		return fmt.Errorf("deregister %s: %w", id, err)
	}
	return nil
}

// WriteRegistry writes a file registry whole: a reader sees the old or the new one.
func WriteRegistry(path string, instances []Instance) error {
	data, err := json.MarshalIndent(map[string]any{"services": instances}, "", "  ")
	if err != nil {
		return fmt.Errorf("write file registry: %w", err)
	}
	next := path + ".next"
	if err := os.WriteFile(next, data, 0o644); err != nil {
		return fmt.Errorf("write file registry: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write file registry: %w", err)
	}
	return nil
}
