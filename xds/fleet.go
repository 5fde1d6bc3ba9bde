package xds

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// flags tell the Run loop that a model's Report may have changed.
type flags struct{ touched atomic.Bool }

// audience counts the nodes that should run one route configuration and do not
// yet. It is the only thing that nodes share when they acknowledge.
type audience struct {
	behind  atomic.Int64
	touched atomic.Bool
}

// model is one model as it was given. Server.mu guards it.
type model struct {
	name         string
	routing      rollout.Routing
	token        token // of its preview
	hasEndpoints bool
	fleets       []string // in which it is
	// domains is every virtual host that the model has had, and the name of its
	// route configuration: where nodes that lag behind may still route it.
	domains  []string
	flags    *flags
	audience *audience // of its gRPC clients
	// part is the model's routes, the same on every host; content is their digest.
	part    resource.Part
	content string
	// since is the issue of the endpoints, by color, that the routes were made for.
	since [2]uint64

	clusters, endpoints [2]*blob // by color, as policy.Colors orders them
}

func (m *model) complete() bool { return m.routing.Policy != nil && m.hasEndpoints }

func (m *model) intent() resource.Model {
	return resource.Model{
		Policy: m.routing.Policy, Live: m.routing.Live, Weights: m.routing.Weights,
		Mirror: m.routing.Mirror, Token: m.token.value,
	}
}

func (m *model) routed(content string) routed {
	return routed{content: content, part: m.part, weights: m.routing.Weights, mirror: m.routing.Mirror, since: m.since, flags: m.flags}
}

// fleet is the Envoys that share a node.cluster. Server.mu guards it.
type fleet struct {
	name   string
	policy *policy.Fleet // nil when no file describes it
	routes string        // name of its route configuration
	nodes  map[*node]struct{}
	models map[string]*model
	// leaving holds withdrawn models whose clusters some node may still use.
	leaving map[string]*model
	hosts   map[string]*host
	// unsettled is the models whose last change not every node has confirmed.
	unsettled map[string]struct{}
	audience  audience
	crowd     atomic.Bool // every model's report may have changed

	routing   *blob // nil while the fleet has neither a file nor a model
	clusters  *generation
	listeners *generation
}

// fleet finds a fleet or makes an empty one.
func (s *Server) fleet(name string) *fleet {
	f := s.fleets[name]
	if f == nil {
		f = &fleet{
			name: name, routes: name,
			nodes: map[*node]struct{}{}, models: map[string]*model{}, leaving: map[string]*model{},
			hosts: map[string]*host{}, unsettled: map[string]struct{}{},
			clusters: newGeneration(cluster, nil), listeners: newGeneration(listener, nil),
		}
		s.fleets[name] = f
	}
	return f
}

// forget drops a fleet that nothing refers to: anybody may call itself of any fleet.
func (s *Server) forget(f *fleet) {
	if f.policy == nil && f.routing == nil && len(f.nodes) == 0 && len(f.leaving) == 0 {
		delete(s.fleets, f.name)
	}
}

func (s *Server) model(name string) *model {
	m := s.models[name]
	if m == nil {
		m = &model{name: name, flags: &flags{}, audience: &audience{}}
		if was := s.leaving[name]; was != nil {
			m.domains = was.domains
		}
		if s.marks[name] == nil {
			s.marks[name] = m.flags
		}
		m.flags = s.marks[name]
		s.models[name] = m
	}
	return m
}

// describe gives a fleet its policy; nil takes it away.
func (s *Server) describe(f *fleet, p *policy.Fleet) {
	renamed, was := f.routes, f.entries()
	f.policy, f.routes = p, f.name
	byName := map[string]*blob{}
	if p != nil {
		f.routes = p.Routes
		if l := resource.Listener(p); l != nil {
			if bytes, err := resource.Marshal(l); err != nil {
				s.log.Error("listener left out", "fleet", f.name, "error", err)
			} else {
				byName[l.Name] = newBlob(listener, l.Name, bytes)
			}
		}
	}
	if renamed != f.routes && f.routing != nil {
		f.routing = nil
		s.tell(f, route, renamed)
	}
	if p != nil || len(f.models) > 0 {
		s.rebuildRoutes(f)
	}
	g := newGeneration(listener, byName)
	if renamed != f.routes || g.version != f.listeners.version {
		s.touchFleet(f, urgent) // a rejection may stand no longer
	} else if !slices.Equal(was, f.entries()) {
		s.touchFleet(f, soon)
	}
	s.tellAll(f, g)
}

// publishModel brings everything that depends on m's routing up to date. was
// is the policy of the routing before; nil if the model was not complete.
func (s *Server) publishModel(m *model, was *policy.Model) {
	p := m.routing.Policy
	for _, d := range append(slices.Clone(p.Route.Hosts), resource.ModelRoutes(m.name)) {
		if !slices.Contains(m.domains, d) {
			m.domains = append(m.domains, d)
		}
	}
	part, err := resource.NewPart(m.intent())
	if err != nil {
		s.log.Error("routing left as it was", "model", m.name, "error", err)
		return
	}
	if content := digest(part.Bytes); content != m.content {
		m.part, m.content = part, content
		for i, b := range m.endpoints {
			if b != nil {
				m.since[i] = b.issue
			}
		}
	}
	delete(s.leaving, m.name)
	if was != p {
		s.rebuildClusters(m)
	}
	s.publishEndpoints(m)
	old := m.fleets
	m.fleets = slices.Compact(slices.Sorted(slices.Values(p.Route.Fleets)))
	for _, name := range m.fleets {
		s.join(s.fleet(name), m, was)
	}
	for _, name := range old {
		if !slices.Contains(m.fleets, name) {
			s.part(s.fleets[name], m)
		}
	}
	s.publishProxyless(m)
	s.touch(m.flags, s.hasteOf(m))
}

// hasteOf is urgent when m's nodes have confirmed all that is published: no
// ACK will come that says so.
func (s *Server) hasteOf(m *model) haste {
	behind := m.audience.behind.Load()
	for _, name := range m.fleets {
		behind += s.fleets[name].audience.behind.Load()
	}
	if behind == 0 {
		return urgent
	}
	return partial
}

// rebuildClusters builds both clusters of m's policy.
func (s *Server) rebuildClusters(m *model) {
	for i, c := range policy.Colors {
		name := resource.ClusterName(m.name, c)
		bytes, err := resource.Marshal(resource.Cluster(m.routing.Policy, c))
		if err != nil {
			s.log.Error("cluster left as it was", "cluster", name, "error", err)
			continue
		}
		b := newBlob(cluster, name, bytes)
		b.owner = m
		if was := m.clusters[i]; was == nil || was.version != b.version {
			m.clusters[i] = b
		}
		s.share(m.clusters[i])
	}
}

// assign builds one color's endpoints.
func (s *Server) assign(m *model, c policy.Color, eps []rollout.Endpoint) {
	name := resource.ClusterName(m.name, c)
	bytes, err := resource.Marshal(resource.Assignment(m.name, c, eps))
	if err != nil {
		s.log.Error("endpoints left as they were", "cluster", name, "error", err)
		return
	}
	b := newBlob(endpoint, name, bytes)
	s.issued++
	b.owner, b.endpoints, b.issue = m, len(eps), s.issued
	i := slices.Index(policy.Colors[:], c)
	if was := m.endpoints[i]; was == nil || was.version != b.version {
		m.endpoints[i] = b
	}
}

func (s *Server) publishEndpoints(m *model) {
	for _, b := range m.endpoints {
		if b != nil {
			s.share(b)
		}
	}
}

// publishProxyless brings up to date what gRPC clients ask for.
func (s *Server) publishProxyless(m *model) {
	bytes, err := resource.Marshal(resource.APIListener(m.name))
	if err != nil {
		s.log.Error("listener left as it was", "model", m.name, "error", err)
		return
	}
	l := newBlob(listener, m.name, bytes)
	l.owner = m
	s.share(l)
	b, err := newModelRoutes(m)
	if err != nil {
		s.log.Error("routes left as they were", "model", m.name, "error", err)
		return
	}
	s.share(b)
}

// join puts m, new or changed, into a fleet: its clusters first, then its routes.
func (s *Server) join(f *fleet, m *model, was *policy.Model) {
	_, member := f.models[m.name]
	f.models[m.name] = m
	f.unsettled[m.name] = struct{}{}
	delete(f.leaving, m.name)
	if !member || was != m.routing.Policy {
		s.rebuildFleetClusters(f)
	}
	s.rebuildHosts(f, m, was)
	s.rebuildRoutes(f)
}

// part takes m's routes off a fleet. Its clusters stay until reap finds that no
// node needs them.
func (s *Server) part(f *fleet, m *model) {
	delete(f.models, m.name)
	delete(f.unsettled, m.name)
	f.leaving[m.name] = m
	for _, d := range m.domains {
		s.rebuildHost(f, d, m)
	}
	s.rebuildRoutes(f)
	s.touchBehind(&f.audience, urgent)
}

func (s *Server) withdraw(m *model) {
	delete(s.models, m.name)
	if !m.complete() {
		return
	}
	s.leaving[m.name] = m
	for _, name := range m.fleets {
		s.part(s.fleets[name], m)
	}
	s.unshare(listener, m.name)
	s.unshare(route, resource.ModelRoutes(m.name))
	s.poke(urgent)
}

// rebuildHosts builds the hosts of m's policy, and of the policy before.
func (s *Server) rebuildHosts(f *fleet, m *model, was *policy.Model) {
	domains := slices.Clone(m.routing.Policy.Route.Hosts)
	if was != m.routing.Policy {
		domains = m.domains
	}
	for _, d := range slices.Compact(slices.Sorted(slices.Values(domains))) {
		s.rebuildHost(f, d, m)
	}
}

// rebuildHost builds one virtual host after m changed; without models it goes.
func (s *Server) rebuildHost(f *fleet, domain string, m *model) {
	sharers := f.sharers(domain, m)
	if len(sharers) == 0 {
		delete(f.hosts, domain)
		return
	}
	h, err := newHost(domain, sharers)
	if err != nil {
		s.log.Error("host left as it was", "fleet", f.name, "host", domain, "error", err)
		return
	}
	if was := f.hosts[domain]; was == nil || was.version != h.version {
		f.hosts[domain] = h
	}
}

// sharers is the models of a domain: those that its host has, and m.
func (f *fleet) sharers(domain string, m *model) []*model {
	var out []*model
	consider := func(name string) {
		if sharer := f.models[name]; sharer != nil && slices.Contains(sharer.routing.Policy.Route.Hosts, domain) {
			out = append(out, sharer)
		}
	}
	if h := f.hosts[domain]; h != nil {
		for _, name := range slices.Sorted(maps.Keys(h.models)) {
			if name != m.name {
				consider(name)
			}
		}
	}
	consider(m.name)
	return out
}

func (s *Server) rebuildRoutes(f *fleet) {
	hosts := slices.SortedFunc(maps.Values(f.hosts), func(a, b *host) int { return strings.Compare(a.domain, b.domain) })
	if f.routing != nil && f.routing.version == hostsVersion(f.routes, hosts) {
		return
	}
	f.routing = newRoutes(f.routes, hosts)
	s.tell(f, route, f.routes)
	s.touchBehind(&f.audience, partial)
}

func (s *Server) rebuildFleetClusters(f *fleet) {
	byName := map[string]*blob{}
	for _, ms := range []map[string]*model{f.leaving, f.models} {
		for _, m := range ms {
			for _, b := range m.clusters {
				if b != nil {
					byName[b.name] = b
				}
			}
		}
	}
	s.tellAll(f, newGeneration(cluster, byName))
}
