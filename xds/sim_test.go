package xds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// failer is what tests of all sorts can say.
type failer interface {
	Fatalf(format string, args ...any)
}

// simNode is a node without a connection: the test carries every message, so
// that each interleaving can be had and repeated.
type simNode struct {
	t       failer
	server  *Server
	st      *stream
	id      string
	agent   string
	config  string // name of its route configuration
	delta   bool
	loose   bool // it may do what makes the checks of what it is sent wrong
	pending [kinds]*answer
	names   [kinds][]string

	clusters  map[string]bool // answered
	endpoints map[string]int  // ACKed
	routes    map[string]rollout.Weights
	refused   map[string]bool // kind, name and version of what was rejected
	sent      map[string]item // everything since it was last emptied, by kind and name
	bytes     int             // of all answers, likewise
}

// answer is a response of either protocol.
type answer struct {
	nonce   string
	items   map[string]item
	removed []string
	version string
}

type item struct {
	version string
	any     *anypb.Any
}

func (s *Server) simulate(t failer, id string, delta bool) *simNode {
	n := s.arrive(t, id, "envoy", "edge", delta)
	n.ask(cluster)
	return n
}

// arrive makes a node that has not asked for anything.
func (s *Server) arrive(t failer, id, agent, config string, delta bool) *simNode {
	return &simNode{
		t: t, server: s, id: id, agent: agent, config: config, delta: delta,
		clusters: map[string]bool{}, endpoints: map[string]int{}, routes: map[string]rollout.Weights{}, refused: map[string]bool{}, sent: map[string]item{},
		st: &stream{server: s, aggregated: true, delta: delta, awake: make(chan struct{}, 1), unknown: map[string]struct{}{}},
	}
}

func (n *simNode) self() *corev3.Node {
	id := nodeOf("edge", n.id)
	id.UserAgentName = n.agent
	return id
}

// ask subscribes; on delta it adds names.
func (n *simNode) ask(k kind, names ...string) {
	n.names[k] = names
	if n.delta {
		req := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[k], ResourceNamesSubscribe: names, Node: n.self()}
		n.must(n.st.takeDelta(req))
	} else {
		nonce := ""
		if w := n.st.watches[k]; w != nil && n.pending[k] == nil && w.flight == nil {
			nonce = fmt.Sprint(n.st.nonces)
		}
		n.must(n.st.takeSotw(&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[k], ResourceNames: names, Node: n.self(), ResponseNonce: nonce}))
	}
	n.pump()
}

func (n *simNode) must(err error) {
	if err != nil {
		n.t.Fatalf("node %s: %v", n.id, err)
	}
}

// pump takes everything that the server has to send to the node.
func (n *simNode) pump() {
	for f := n.st.next(); f != nil; f = n.st.next() {
		k, a := n.decode(f.pieces.Materialize())
		if n.pending[k] != nil {
			n.t.Fatalf("a second %s answer is in flight", k)
		}
		n.pending[k] = a
		if n.sent == nil {
			n.sent = map[string]item{}
		}
		for name, i := range a.items {
			n.sent[fmt.Sprint(k, " ", name)] = i
		}
		n.inspect(k, a)
	}
}

func (n *simNode) decode(b []byte) (kind, *answer) {
	n.bytes += len(b)
	a := &answer{items: map[string]item{}}
	var url string
	if n.delta {
		m := &discoveryv3.DeltaDiscoveryResponse{}
		n.must(proto.Unmarshal(b, m))
		url, a.nonce, a.removed, a.version = m.TypeUrl, m.Nonce, m.RemovedResources, m.SystemVersionInfo
		for _, r := range m.Resources {
			a.items[r.Name] = item{r.Version, r.Resource}
		}
	} else {
		m := &discoveryv3.DiscoveryResponse{}
		n.must(proto.Unmarshal(b, m))
		url, a.nonce, a.version = m.TypeUrl, m.Nonce, m.VersionInfo
		for _, r := range m.Resources {
			a.items[nameOf(r)] = item{digest(r.Value), r}
		}
	}
	k, ok := kindOf(url)
	if !ok {
		n.t.Fatalf("answer of type %q", url)
	}
	return k, a
}

func nameOf(a *anypb.Any) string {
	m, err := a.UnmarshalNew()
	if err != nil {
		return err.Error()
	}
	switch r := m.(type) {
	case *endpointv3.ClusterLoadAssignment:
		return r.ClusterName
	case *clusterv3.Cluster:
		return r.Name
	case *listenerv3.Listener:
		return r.Name
	case *routev3.RouteConfiguration:
		return r.Name
	}
	return ""
}

// inspect checks what must hold of every answer.
func (n *simNode) inspect(k kind, a *answer) {
	if n.loose {
		return
	}
	for name, it := range a.items {
		if n.refused[refusal(k, name, it.version)] && (n.delta || !k.whole()) {
			n.t.Fatalf("node %s was sent %s %s again, which it had rejected", n.id, k, name)
		}
	}
	if !n.delta && n.refused[refusal(k, "*", a.version)] {
		n.t.Fatalf("node %s was sent %s version %s again, which it had rejected", n.id, k, a.version)
	}
	if k != route {
		return
	}
	for domain, w := range weightsByDomain(a) {
		if n.routes[domain] == w {
			continue
		}
		gone := func(name string) bool {
			p := n.pending[cluster]
			return p != nil && (slices.Contains(p.removed, name) || !n.delta && p.items[name].any == nil)
		}
		model := strings.TrimSuffix(domain, ".models.internal")
		for _, c := range policy.Colors {
			name := model + "/" + string(c)
			got, ok := n.endpoints[name]
			if w.Of(c) > 0 && (!n.clusters[name] || gone(name) || !ok || got == 0 && n.server.models[model].endpointsOf(c) > 0) {
				n.t.Fatalf("node %s was sent weight to %s, which it has not warmed", n.id, name)
			}
		}
	}
}

func (m *model) endpointsOf(c policy.Color) int {
	if b := m.endpoints[slices.Index(policy.Colors[:], c)]; b != nil {
		return b.endpoints
	}
	return 0
}

func refusal(k kind, name, version string) string { return k.String() + " " + name + " " + version }

func weightsByDomain(a *answer) map[string]rollout.Weights {
	out := map[string]rollout.Weights{}
	for _, it := range a.items {
		rc := &routev3.RouteConfiguration{}
		if it.any.UnmarshalTo(rc) != nil {
			continue
		}
		for _, vh := range rc.VirtualHosts {
			out[vh.Domains[0]] = usersWeights(vh)
		}
	}
	return out
}

// ack answers what is in flight of kind k.
func (n *simNode) ack(k kind) {
	a := n.pending[k]
	if a == nil {
		return
	}
	n.pending[k] = nil
	switch k {
	case cluster:
		if !n.delta {
			clear(n.clusters)
		}
		for name := range a.items {
			n.clusters[name] = true
		}
		for _, name := range a.removed {
			delete(n.clusters, name)
			n.forget(k, name)
		}
	case endpoint:
		for name, it := range a.items {
			n.endpoints[name] = endpointsIn(it)
		}
	case route:
		n.routes = weightsByDomain(a)
	}
	n.reply(k, a, "")
	if k == cluster {
		n.follow()
	}
}

// forget drops what the node has rejected of a name that it let go: when it
// comes anew it is answered anew, at the price of another rejection.
func (n *simNode) forget(k kind, name string) {
	maps.DeleteFunc(n.refused, func(what string, _ bool) bool { return strings.HasPrefix(what, refusal(k, name, "")) })
}

// follow asks for the endpoints of the clusters that the node has, and no
// longer for those that it lost, as Envoy does.
func (n *simNode) follow() {
	first := len(n.names[endpoint]) == 0
	want := sortedKeys(n.clusters)
	if slices.Equal(want, n.names[endpoint]) {
		return
	}
	var gone []string
	for _, name := range n.names[endpoint] {
		if !n.clusters[name] {
			gone = append(gone, name)
			delete(n.endpoints, name)
			n.forget(endpoint, name)
			if a := n.pending[endpoint]; a != nil {
				delete(a.items, name) // an answer to it says nothing of a later subscription
			}
		}
	}
	if n.delta && len(gone) > 0 {
		n.must(n.st.takeDelta(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[endpoint], ResourceNamesUnsubscribe: gone}))
	}
	n.ask(endpoint, want...)
	if first && n.names[route] == nil {
		n.ask(route, n.config)
	}
}

func endpointsIn(it item) int {
	la := &endpointv3.ClusterLoadAssignment{}
	if it.any.UnmarshalTo(la) != nil || len(la.Endpoints) == 0 {
		return 0
	}
	return len(la.Endpoints[0].LbEndpoints)
}

func sortedKeys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// nack rejects what is in flight, naming one resource of it.
func (n *simNode) nack(k kind) {
	a := n.pending[k]
	if a == nil || len(a.items) == 0 {
		return
	}
	n.pending[k] = nil
	var names []string
	for name := range a.items {
		names = append(names, name)
	}
	slices.Sort(names)
	n.refused[refusal(k, names[0], a.items[names[0]].version)] = true
	if k.whole() {
		n.refused[refusal(k, "*", a.version)] = true
	}
	n.reply(k, a, "bad "+names[0])
}

func (n *simNode) reply(k kind, a *answer, reason string) {
	var detail *rpcstatus.Status
	if reason != "" {
		detail = &rpcstatus.Status{Message: reason}
	}
	if n.delta {
		n.must(n.st.takeDelta(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURLs[k], ResponseNonce: a.nonce, ErrorDetail: detail}))
	} else {
		n.must(n.st.takeSotw(&discoveryv3.DiscoveryRequest{TypeUrl: typeURLs[k], ResourceNames: n.names[k], ResponseNonce: a.nonce, ErrorDetail: detail}))
	}
	n.pump()
}

func (n *simNode) leave() { n.server.leave(n.st) }

// TestNothingBreaksTheRules tries random interleavings of everything that can
// happen, and checks after each step that no confirmation is claimed that was
// not given; what is sent is checked by the nodes themselves.
func TestNothingBreaksTheRules(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, err := New(Options{Log: quiet})
		if err != nil {
			rt.Fatal(err)
		}
		w := &world{s: s, weights: map[string]rollout.Weights{}, policies: map[string]*policy.Model{}}
		for _, name := range []string{"fraud", "other"} {
			w.policies[name], w.weights[name] = modelNamed(name), allBlue
			s.Endpoints(name, eps(1, 2), eps(2, 2))
			s.Route(routing(w.policies[name], 1, allBlue))
		}
		s.Open()
		w.nodes = []*simNode{s.simulate(rt, "a", false), s.simulate(rt, "b", true)}
		rt.Repeat(map[string]func(*rapid.T){
			"":           w.check,
			"route":      w.route,
			"endpoints":  w.endpoints,
			"policy":     w.policy,
			"ack":        func(rt *rapid.T) { w.node(rt).ack(someKind(rt)) },
			"acks":       func(rt *rapid.T) { w.node(rt).ackAll() },
			"nack":       func(rt *rapid.T) { w.node(rt).nack(someKind(rt)) },
			"ask again":  func(rt *rapid.T) { n := w.node(rt); n.ask(endpoint, n.names[endpoint]...) },
			"disconnect": w.reconnect,
			"withdraw":   w.withdraw,
			"reap":       func(*rapid.T) { s.due(); w.pump() },
		})
	})
}

type world struct {
	s        *Server
	nodes    []*simNode
	weights  map[string]rollout.Weights
	policies map[string]*policy.Model
	last     uint64
}

func someKind(rt *rapid.T) kind {
	return rapid.SampledFrom([]kind{cluster, endpoint, route}).Draw(rt, "kind")
}

func someModel(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"fraud", "other"}).Draw(rt, "model")
}

func (w *world) node(rt *rapid.T) *simNode { return rapid.SampledFrom(w.nodes).Draw(rt, "node") }

func (n *simNode) ackAll() {
	for range 3 {
		for k := range kinds {
			n.ack(k)
		}
	}
}

func (w *world) pump() {
	for _, n := range w.nodes {
		n.pump()
	}
}

func (w *world) route(rt *rapid.T) {
	m := someModel(rt)
	w.back(m)
	w.last++
	w.weights[m] = rollout.Split(policy.Green, rapid.SampledFrom([]policy.Weight{0, 2500, policy.Full}).Draw(rt, "green"))
	w.s.Route(routing(w.policies[m], w.last, w.weights[m]))
	w.pump()
}

// withdraw takes a model off; the next step that routes it brings it back.
func (w *world) withdraw(rt *rapid.T) {
	m := someModel(rt)
	w.s.Withdraw(m)
	delete(w.weights, m)
	w.pump()
}

// back makes a withdrawn model complete again.
func (w *world) back(m string) {
	if _, ok := w.weights[m]; !ok {
		w.weights[m] = allBlue
		w.s.Endpoints(m, eps(1, 2), eps(2, 2))
	}
}

func (w *world) policy(rt *rapid.T) {
	m := someModel(rt)
	w.back(m)
	p := modelNamed(m)
	p.Route.ConnectTimeout *= rapid.SampledFrom([]time.Duration{1, 2, 3}).Draw(rt, "timeout")
	w.policies[m] = p
	w.last++
	w.s.Route(routing(p, w.last, w.weights[m]))
	w.pump()
}

func (w *world) endpoints(rt *rapid.T) {
	seed := rapid.IntRange(1, 3)
	size := rapid.IntRange(0, 2)
	m := someModel(rt)
	if _, ok := w.weights[m]; !ok {
		return
	}
	w.s.Endpoints(m, eps(seed.Draw(rt, "blue"), size.Draw(rt, "blues")), eps(seed.Draw(rt, "green"), size.Draw(rt, "greens")))
	w.pump()
}

func (w *world) reconnect(rt *rapid.T) {
	i := rapid.IntRange(0, len(w.nodes)-1).Draw(rt, "node")
	n := w.nodes[i]
	n.leave()
	w.nodes[i] = w.s.simulate(rt, n.id, n.delta)
}

// check compares the report with what the nodes know of themselves.
func (w *world) check(rt *rapid.T) {
	for m, want := range w.weights {
		run := 0
		for _, n := range w.nodes {
			a := n.pending[route]
			domain := m + ".models.internal"
			if n.routes[domain] == want && (a == nil || weightsByDomain(a)[domain] == want) {
				run++
			}
		}
		rep := w.s.Report(m)
		if rep.Acked > run {
			rt.Fatalf("%d nodes run %s, and the report says %+v", run, m, rep)
		}
		if rep.Acked+len(rep.Pending)+len(rep.Rejected) != rep.Connected || rep.Connected != len(w.nodes) {
			rt.Fatalf("counts don't add up: %+v", rep)
		}
		for _, c := range policy.Colors {
			if got, least := rep.MaySend[c], w.senders(m, c); got < least {
				rt.Fatalf("%d nodes may send to %s/%s, and the report says %d", least, m, c, got)
			}
		}
	}
}

// senders counts the nodes that may send users to a color.
func (w *world) senders(m string, c policy.Color) int {
	count := 0
	for _, n := range w.nodes {
		domain := m + ".models.internal"
		may := n.routes[domain].Of(c) > 0
		if a := n.pending[route]; a != nil {
			may = may || weightsByDomain(a)[domain].Of(c) > 0
		}
		if may {
			count++
		}
	}
	return count
}

// TestEveryNodeArrives lets random trouble end, and then every node confirms.
func TestEveryNodeArrives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, err := New(Options{Log: quiet})
		if err != nil {
			rt.Fatal(err)
		}
		w := &world{s: s, weights: map[string]rollout.Weights{}, policies: map[string]*policy.Model{"fraud": modelNamed("fraud"), "other": modelNamed("other")}}
		for name, p := range w.policies {
			w.weights[name] = allBlue
			s.Endpoints(name, eps(1, 2), eps(2, 2))
			s.Route(routing(p, 1, allBlue))
		}
		s.Open()
		w.nodes = []*simNode{s.simulate(rt, "a", false), s.simulate(rt, "b", true)}
		rt.Repeat(map[string]func(*rapid.T){
			"route":      w.route,
			"endpoints":  w.endpoints,
			"policy":     w.policy,
			"ack":        func(rt *rapid.T) { w.node(rt).ack(someKind(rt)) },
			"ask again":  func(rt *rapid.T) { n := w.node(rt); n.ask(endpoint, n.names[endpoint]...) },
			"disconnect": w.reconnect,
		})
		for range 4 {
			for _, n := range w.nodes {
				n.ackAll()
			}
		}
		for m := range w.policies {
			if rep := s.Report(m); rep.Acked != len(w.nodes) {
				rt.Fatalf("%s did not arrive: %+v", m, rep)
			}
		}
		for _, f := range s.fleets {
			if n := f.audience.behind.Load(); n != 0 {
				rt.Fatalf("the audience counts %d behind", n)
			}
		}
	})
}
