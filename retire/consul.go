package retire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/consul/api"
	"golang.org/x/sync/errgroup"

	"greenlight/rollout"
)

const (
	// atOnce is how many instances are seen to at the same time.
	atOnce = 16
	// maintenance begins the id of the check by which Consul's own agents put a service
	// into maintenance mode.
	maintenance = "_service_maintenance:"
	// serf is the check that every node with an agent has.
	serf = "serfHealth"
	// signature begins the reason of every maintenance that is Greenlight's.
	signature = "Greenlight: "
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
	known, err := find(catalog, a.Discovery, q)
	if err != nil {
		return err
	}
	m := maintainer{catalog: catalog, catalogToken: token, on: !a.Restore, reason: fmt.Sprintf("%sswitch %s of %s let it go", signature, a.SwitchID, model)}
	if m.agents, err = r.newAgents(*a.How.Consul); err != nil {
		return err
	}
	defer m.agents.close()
	problems := make([]error, len(a.Instances))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, e := range a.Instances {
		g.Go(func() error {
			entry, err := known.place(e)
			if err == nil && entry != nil {
				err = m.set(ctx, entry)
			}
			if err != nil {
				problems[i] = fmt.Errorf("maintenance mode of %s: %w", e.ID, err)
			}
			return nil
		})
	}
	_ = g.Wait()
	return errors.Join(problems...)
}

// maintainer switches the mode of instances.
type maintainer struct {
	agents       *agents
	catalog      *api.Client
	catalogToken string
	on           bool
	reason       string
}

// set does nothing to an instance that somebody else has put into the mode: it is where
// it should be, and when it may come back is not Greenlight's to say.
func (m maintainer) set(ctx context.Context, e *api.ServiceEntry) error {
	now := checkOf(e, maintenance+e.Service.ID)
	switch {
	case now != nil && !strings.HasPrefix(now.Notes, signature):
		return nil
	case checkOf(e, serf) != nil:
		return m.agents.maintain(ctx, e, m.on, m.reason)
	case m.on == (now != nil):
		return nil
	}
	if err := m.setInCatalog(ctx, e); err != nil {
		return fmt.Errorf("the catalog, for node %s has no agent: %w", e.Node.Node, firstLine(err))
	}
	return nil
}

func checkOf(e *api.ServiceEntry, id string) *api.HealthCheck {
	for _, c := range e.Checks {
		if c.CheckID == id {
			return c
		}
	}
	return nil
}

// setInCatalog is for nodes that have no agent: nobody else owns their checks.
func (m maintainer) setInCatalog(ctx context.Context, e *api.ServiceEntry) error {
	id := maintenance + e.Service.ID
	w := (&api.WriteOptions{Datacenter: e.Node.Datacenter, Token: cmp.Or(m.agents.token, m.catalogToken)}).WithContext(ctx)
	if !m.on {
		_, err := m.catalog.Catalog().Deregister(&api.CatalogDeregistration{Node: e.Node.Node, Datacenter: e.Node.Datacenter, CheckID: id}, w)
		return err
	}
	_, err := m.catalog.Catalog().Register(&api.CatalogRegistration{
		Node: e.Node.Node, Address: e.Node.Address, Datacenter: e.Node.Datacenter, SkipNodeUpdate: true,
		Check: &api.AgentCheck{
			Node: e.Node.Node, CheckID: id, Name: "Service Maintenance Mode", Notes: m.reason,
			Status: api.HealthCritical, ServiceID: e.Service.ID, ServiceName: e.Service.Service,
		},
	}, w)
	return err
}

// firstLine keeps an answer's body from filling a log.
func firstLine(err error) error {
	line, _, more := strings.Cut(err.Error(), "\n")
	if !more && len(line) < 300 {
		return err
	}
	return errors.New(strings.TrimSpace(line[:min(len(line), 300)]))
}
