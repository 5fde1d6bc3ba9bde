package retire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"
	"golang.org/x/sync/errgroup"

	"greenlight/policy"
	"greenlight/rollout"
)

const (
	// atOnce is how many agents are asked at the same time.
	atOnce = 8
	// maintenance begins the id of the check by which Consul's own agents put a service
	// into maintenance mode.
	maintenance = "_service_maintenance:"
	// serf is the check that every node with an agent has.
	serf = "serfHealth"
)

// maintain puts the instances into Consul's maintenance mode, or takes them out of it.
// The mode belongs to the agent on the instance's node, whose HTTP address the catalog
// does not have. On a node without an agent the catalog itself keeps the check.
func (r *Retirer) maintain(ctx context.Context, model string, a rollout.LetGo) error {
	catalog, token, err := r.o.Consul()
	if err != nil {
		return fmt.Errorf("ask Consul: %w", err)
	}
	q := (&api.QueryOptions{Datacenter: cmp.Or(a.Discovery.Datacenter, r.o.ConsulDatacenter), Token: token}).WithContext(ctx)
	places, err := find(catalog, serviceNames(a.Discovery, a.Color), q)
	if err != nil {
		return err
	}
	if how := a.How.Consul; how.Token != nil {
		if token, err = r.o.Secret(*how.Token); err != nil {
			return fmt.Errorf("read retire.consul.token: %w", err)
		}
	}
	reason := fmt.Sprintf("Greenlight: switch %s of %s let it go", a.SwitchID, model)
	problems := make([]error, len(a.Instances))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, e := range a.Instances {
		entry, ok := places[e.ID]
		if !ok { // gone already
			continue
		}
		g.Go(func() error {
			m := maintainer{catalog: catalog, how: *a.How.Consul, token: token, reason: reason, query: q}
			if err := m.set(ctx, entry, !a.Restore); err != nil {
				problems[i] = fmt.Errorf("maintenance mode of %s: %w", e.ID, err)
			}
			return nil
		})
	}
	_ = g.Wait()
	return errors.Join(problems...)
}

// serviceNames are the services that a color's instances are registered in.
func serviceNames(d policy.Discovery, c policy.Color) []string {
	if d.Service != "" {
		return []string{d.Service}
	}
	return []string{d.Services[c]}
}

// find looks the instances up, by the id that rollout.Endpoint has: Consul's, with the
// node where several instances share it.
func find(catalog *api.Client, services []string, q *api.QueryOptions) (map[string]*api.ServiceEntry, error) {
	out := map[string]*api.ServiceEntry{}
	for _, name := range services {
		entries, _, err := catalog.Health().Service(name, "", false, q)
		if err != nil {
			return nil, fmt.Errorf("look up service %s in Consul: %w", name, err)
		}
		for _, e := range entries {
			out[e.Service.ID] = e
			out[e.Service.ID+"@"+e.Node.Node] = e
		}
	}
	return out, nil
}

// maintainer switches the mode of one instance.
type maintainer struct {
	catalog       *api.Client
	how           policy.ConsulRetire
	token, reason string
	query         *api.QueryOptions
}

func (m maintainer) set(ctx context.Context, e *api.ServiceEntry, on bool) error {
	if !slices.ContainsFunc(e.Checks, func(c *api.HealthCheck) bool { return c.CheckID == serf }) {
		return m.setInCatalog(ctx, e, on)
	}
	conf := api.DefaultConfig()
	conf.Scheme = m.how.Scheme
	conf.Address = net.JoinHostPort(e.Node.Address, strconv.Itoa(m.how.Port))
	conf.Token, conf.TokenFile = m.token, ""
	agent, err := api.NewClient(conf)
	if err != nil {
		return fmt.Errorf("make a client of the agent at %s: %w", conf.Address, err)
	}
	q := (&api.QueryOptions{Token: m.token}).WithContext(ctx)
	if on {
		err = agent.Agent().EnableServiceMaintenanceOpts(e.Service.ID, m.reason, q)
	} else {
		err = agent.Agent().DisableServiceMaintenanceOpts(e.Service.ID, q)
	}
	if err != nil {
		return fmt.Errorf("the agent of node %s at %s://%s: %w (retire.consul.port and scheme say where agents listen, retire.consul.token needs service:write)",
			e.Node.Node, conf.Scheme, conf.Address, firstLine(err))
	}
	return nil
}

// setInCatalog is for nodes that have no agent: nobody else owns their checks.
func (m maintainer) setInCatalog(ctx context.Context, e *api.ServiceEntry, on bool) error {
	id := maintenance + e.Service.ID
	w := (&api.WriteOptions{Datacenter: e.Node.Datacenter, Token: m.token}).WithContext(ctx)
	var err error
	if on {
		_, err = m.catalog.Catalog().Register(&api.CatalogRegistration{
			Node: e.Node.Node, Address: e.Node.Address, Datacenter: e.Node.Datacenter, SkipNodeUpdate: true,
			Check: &api.AgentCheck{
				Node: e.Node.Node, CheckID: id, Name: "Service Maintenance Mode", Notes: m.reason,
				Status: api.HealthCritical, ServiceID: e.Service.ID, ServiceName: e.Service.Service,
			},
		}, w)
	} else if slices.ContainsFunc(e.Checks, func(c *api.HealthCheck) bool { return c.CheckID == id }) {
		_, err = m.catalog.Catalog().Deregister(&api.CatalogDeregistration{Node: e.Node.Node, Datacenter: e.Node.Datacenter, CheckID: id}, w)
	}
	if err != nil {
		return fmt.Errorf("the catalog, for node %s has no agent: %w", e.Node.Node, firstLine(err))
	}
	return nil
}

// firstLine keeps an answer's body from filling a log.
func firstLine(err error) error {
	line, _, more := strings.Cut(err.Error(), "\n")
	if !more && len(line) < 300 {
		return err
	}
	return errors.New(strings.TrimSpace(line[:min(len(line), 300)]))
}
