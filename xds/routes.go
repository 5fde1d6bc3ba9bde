package xds

import (
	"fmt"
	"slices"
	"strings"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// host is one immutable virtual host and what is known of the models in it.
type host struct {
	domain  string
	version string
	bytes   []byte
	models  map[string]routed // by model
}

// routed is one model's part of a host.
type routed struct {
	content string // equal parts are equal content
	part    resource.Part
	weights rollout.Weights
	mirror  rollout.Mirror
	since   [2]uint64 // the oldest endpoints, by color, that users may be sent to with it
	flags   *flags
}

// sendsTo reports whether users' requests to the model may go to c. A copy of
// one is no user's request: nobody waits for its answer.
func (r routed) sendsTo(c policy.Color) bool { return r.weights.Of(c) > 0 }

// needs reports whether c has to be warm for it: copies that a cold cluster
// answers 503 would tell nothing of the color.
func (r routed) needs(c policy.Color) bool { return r.sendsTo(c) || r.mirrors(c) }

func (r routed) mirrors(c policy.Color) bool { return r.mirror.Percent > 0 && r.mirror.To == c }

// newHost builds the virtual host that ms share out of their parts.
func newHost(domain string, ms []*model) (*host, error) {
	models := make(map[string]routed, len(ms))
	for _, m := range ms {
		models[m.name] = m.routed(m.content)
	}
	return hostOf(domain, models)
}

// hostOf builds the virtual host that models share.
func hostOf(domain string, models map[string]routed) (*host, error) {
	h := &host{domain: domain, models: models}
	parts := make([]resource.Part, 0, len(models))
	for _, r := range models {
		parts = append(parts, r.part)
	}
	bytes, err := resource.HostBytes(domain, parts)
	if err != nil {
		return nil, fmt.Errorf("marshal host %s: %w", domain, err)
	}
	h.bytes, h.version = bytes, digest(bytes)
	return h, nil
}

// newRoutes joins hosts, sorted by domain, to a route configuration.
func newRoutes(name string, hosts []*host) *blob {
	bytes := make([][]byte, len(hosts))
	for i, h := range hosts {
		bytes[i] = h.bytes
	}
	b := sealBlob(route, name, hostsVersion(name, hosts), resource.RouteConfigBytes(name, bytes))
	b.hosts = hosts
	return b
}

func hostsVersion(name string, hosts []*host) string {
	versions := make([]string, 0, 2*len(hosts)+1)
	versions = append(versions, name)
	for _, h := range hosts {
		versions = append(versions, h.domain, h.version)
	}
	return digestOf(versions...)
}

// newModelRoutes is the route configuration that gRPC clients of m ask for. It
// counts as one host, under the configuration's own name.
func newModelRoutes(m *model) (*blob, error) {
	bytes, err := resource.Marshal(resource.ModelRouteConfig(m.intent()))
	if err != nil {
		return nil, fmt.Errorf("marshal routes of model %s: %w", m.name, err)
	}
	part := m.routed("")
	part.mirror = rollout.Mirror{} // gRPC clients mirror nothing
	b := newBlob(route, resource.ModelRoutes(m.name), bytes)
	part.content = b.version
	b.hosts = []*host{{
		domain: b.name, version: b.version, bytes: bytes,
		models: map[string]routed{m.name: part},
	}}
	return b, nil
}

// host finds a domain; nil if the configuration does not have it.
func (b *blob) host(domain string) *host {
	i, ok := slices.BinarySearchFunc(b.hosts, domain, func(h *host, d string) int { return strings.Compare(h.domain, d) })
	if !ok {
		return nil
	}
	return b.hosts[i]
}

// part is what b says of a model in one domain; the zero value if nothing.
func (b *blob) part(domain, model string) routed {
	if h := b.host(domain); h != nil {
		return h.models[model]
	}
	return routed{}
}

// agrees reports whether a and b say the same of a model in all of domains.
func agrees(a, b *blob, model string, domains []string) bool {
	if a == b {
		return true
	}
	for _, d := range domains {
		if a.part(d, model).content != b.part(d, model).content {
			return false
		}
	}
	return true
}

// maySend reports whether b sends users' requests for the model to c.
func (b *blob) maySend(model string, domains []string, c policy.Color) bool {
	for _, d := range domains {
		if b.part(d, model).sendsTo(c) {
			return true
		}
	}
	return false
}

// changedHosts is the hosts of want that differ from those of base.
func changedHosts(want, base *blob) []*host {
	var out []*host
	j := 0
	for _, h := range want.hosts {
		for j < len(base.hosts) && base.hosts[j].domain < h.domain {
			j++
		}
		if j < len(base.hosts) && base.hosts[j] == h {
			continue
		}
		if j < len(base.hosts) && base.hosts[j].domain == h.domain && base.hosts[j].version == h.version {
			continue
		}
		out = append(out, h)
	}
	return out
}
