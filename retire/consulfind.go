package retire

import (
	"fmt"
	"net"
	"strings"

	"github.com/hashicorp/consul/api"

	"greenlight/policy"
	"greenlight/rollout"
)

// known is what Consul knows of a model's instances, of both colors.
type known struct {
	entries     []*api.ServiceEntry
	versionMeta string
}

// find asks Consul for all of a model's instances. An answer that says less than Consul
// knows, or nothing, is an error: an instance that is missing there counts as gone.
func find(catalog *api.Client, d policy.Discovery, q *api.QueryOptions) (known, error) {
	k := known{versionMeta: d.VersionMeta}
	services := serviceNames(d)
	for _, name := range services {
		entries, meta, err := catalog.Health().Service(name, "", false, q)
		switch {
		case err != nil:
			return k, fmt.Errorf("look up service %s in Consul: %w", name, firstLine(err))
		case meta.ResultsFilteredByACLs:
			return k, fmt.Errorf("look up service %s in Consul: the registry's token may not read all of its instances; it needs service:read and node:read", name)
		}
		k.entries = append(k.entries, entries...)
	}
	if len(k.entries) == 0 {
		return k, fmt.Errorf("consul knows no instance of %s, of either color: that is not believed; see whether discovery names the services and the datacenter that it should, and whether the registry's token may read them",
			strings.Join(services, " and "))
	}
	return k, nil
}

// serviceNames are the services that the instances of both colors are registered in.
func serviceNames(d policy.Discovery) []string {
	if d.Service != "" {
		return []string{d.Service}
	}
	return []string{d.Services[policy.Blue], d.Services[policy.Green]}
}

// place is the instance that e is, by the id that rollout.Endpoint has: Consul's, with
// the node where several instances share it. It is nil when that instance is gone, also
// if another version has its id by now.
func (k known) place(e rollout.Endpoint) (*api.ServiceEntry, error) {
	var named, there []*api.ServiceEntry
	for _, c := range k.entries {
		if c.Service.ID != e.ID && c.Service.ID+"@"+c.Node.Node != e.ID || c.Service.Meta[k.versionMeta] != e.Version {
			continue
		}
		named = append(named, c)
		if isAt(c, e) {
			there = append(there, c)
		}
	}
	switch {
	case len(named) == 0:
		return nil, nil
	case len(named) == 1:
		return named[0], nil
	case len(there) == 1:
		return there[0], nil
	}
	var nodes []string
	for _, c := range named {
		nodes = append(nodes, c.Node.Node)
	}
	return nil, fmt.Errorf("nodes %s each have an instance of that id, and it can't be told which is meant; give every instance an id of its own", strings.Join(nodes, ", "))
}

// isAt reports whether c serves where e does, as far as an address that is a name tells.
func isAt(c *api.ServiceEntry, e rollout.Endpoint) bool {
	address := c.Service.Address
	if address == "" {
		address = c.Node.Address
	}
	ip := net.ParseIP(address)
	return c.Service.Port == e.Port && (ip == nil || ip.Equal(net.ParseIP(e.Address)))
}
