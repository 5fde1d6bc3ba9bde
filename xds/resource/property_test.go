package resource_test

import (
	"bytes"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

type validated interface{ ValidateAll() error }

// TestAlwaysValid: whatever a valid policy says, Envoy's own rules hold.
func TestAlwaysValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Draw(t, "models")
		all := []validated{resource.RouteConfig("edge", resource.VirtualHosts(models))}
		for _, m := range models {
			all = append(all, resource.ModelRouteConfig(m), resource.APIListener(m.Policy.Name))
			for _, c := range policy.Colors {
				all = append(all, resource.Cluster(m.Policy, c), resource.Assignment(m.Policy.Name, c, endpoints.Draw(t, "endpoints")))
			}
		}
		for _, r := range all {
			if err := r.ValidateAll(); err != nil {
				t.Fatalf("%v: %v", r, err)
			}
		}
	})
}

// TestUpstreamOptionsValid looks into the extension that ValidateAll passes over.
func TestUpstreamOptionsValid(t *testing.T) {
	for _, p := range []policy.Protocol{policy.HTTP1, policy.HTTP2, policy.GRPC} {
		c := resource.Cluster(variant("m", func(r *policy.Route) { r.Protocol = p }), policy.Blue)
		checkExtensions(t, c)
	}
	checkExtensions(t, resource.Listener(edge(80)))
	checkExtensions(t, resource.APIListener("m"))
}

// TestRoutesKeepTheirWord: weights add up, every cluster is a color of the
// route's own model, and a preview route has exactly one color.
func TestRoutesKeepTheirWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Draw(t, "models")
		vhosts := resource.VirtualHosts(models)
		for _, m := range models {
			vhosts = append(vhosts, resource.ModelRouteConfig(m).VirtualHosts...)
		}
		for _, v := range vhosts {
			for _, r := range v.Routes {
				checkRoute(t, models, r)
			}
		}
	})
}

func checkRoute(t *rapid.T, models []resource.Model, r *routev3.Route) {
	model, kind, _ := strings.Cut(r.Name, "/")
	i := slices.IndexFunc(models, func(m resource.Model) bool { return m.Policy.Name == model })
	if i < 0 {
		t.Fatalf("route %s names no model", r.Name)
	}
	m := models[i]
	if r.GetDirectResponse() != nil {
		if kind != "preview/unknown" || r.GetDirectResponse().Status != 400 {
			t.Fatalf("route %s answers by itself", r.Name)
		}
		return
	}
	got := shares(r)
	var sum policy.Weight
	for _, w := range got {
		sum += w
	}
	if sum != policy.Full {
		t.Fatalf("route %s: weights add up to %d", r.Name, sum)
	}
	for name := range got {
		if name != model+"/blue" && name != model+"/green" {
			t.Fatalf("route %s leads to cluster %s", r.Name, name)
		}
	}
	if kind == "" && (got[model+"/blue"] != m.Weights.Blue || got[model+"/green"] != m.Weights.Green) {
		t.Fatalf("route %s: %v, want %v", r.Name, got, m.Weights)
	}
	if strings.HasPrefix(kind, "preview/") && len(got) != 1 {
		t.Fatalf("route %s: %v, want one color", r.Name, got)
	}
}

func shares(r *routev3.Route) map[string]policy.Weight {
	out := map[string]policy.Weight{}
	for _, c := range r.GetRoute().GetWeightedClusters().GetClusters() {
		out[c.Name] += policy.Weight(c.Weight.GetValue())
	}
	return out
}

// TestRequestsMeetTheirModel follows requests through the built routes as Envoy
// does, first match wins, and compares with the rule in one sentence: the model
// with the longest prefix of whole segments has the request, and its preview
// header picks the color.
func TestRequestsMeetTheirModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Draw(t, "models")
		path := prefixes.Draw(t, "path")
		header := rapid.SampledFrom([]string{"x-model-color", "color"}).Draw(t, "header")
		value := rapid.SampledFrom([]string{"blue", "green", "live", "idle", "", "Blue", "red", "blue,green"}).Draw(t, "value")
		for _, v := range resource.VirtualHosts(models) {
			got := follow(v.Routes, path, header, value)
			want := expect(models, v.Domains[0], path, header, value)
			if got != want {
				t.Fatalf("%s%s %s:%q goes to %q, want %q", v.Name, path, header, value, got, want)
			}
		}
		for _, m := range models {
			got := follow(resource.ModelRouteConfig(m).VirtualHosts[0].Routes, path, header, value)
			if want := meets(m, header, value); got != want {
				t.Fatalf("call of %s, %s:%q goes to %q, want %q", m.Policy.Name, header, value, got, want)
			}
		}
	})
}

func follow(routes []*routev3.Route, path, header, value string) string {
	for _, r := range routes {
		if matches(r.Match, path, header, value) {
			return destination(r)
		}
	}
	return "404"
}

func matches(m *routev3.RouteMatch, path, header, value string) bool {
	if p := m.GetPathSeparatedPrefix(); p != "" && path != p && !strings.HasPrefix(path, p+"/") {
		return false
	}
	if !strings.HasPrefix(path, m.GetPrefix()) {
		return false
	}
	for _, h := range m.Headers {
		if h.Name != header || h.GetStringMatch() != nil && h.GetStringMatch().GetExact() != value {
			return false
		}
	}
	return true
}

func destination(r *routev3.Route) string {
	if d := r.GetDirectResponse(); d != nil {
		return "400"
	}
	var out []string
	for _, c := range r.GetRoute().GetWeightedClusters().GetClusters() {
		out = append(out, c.Name)
	}
	return strings.Join(out, " ")
}

func expect(models []resource.Model, host, path, header, value string) string {
	best := -1
	for i, m := range models {
		p := m.Policy.Route.Prefix
		within := path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/")
		if within && slices.Contains(m.Policy.Route.Hosts, host) &&
			(best < 0 || len(p) > len(models[best].Policy.Route.Prefix)) {
			best = i
		}
	}
	if best < 0 {
		return "404"
	}
	return meets(models[best], header, value)
}

func meets(m resource.Model, header, value string) string {
	name := m.Policy.Name
	if m.Policy.Route.Preview == header {
		want, ok := map[string]policy.Color{"blue": policy.Blue, "green": policy.Green, "live": m.Live, "idle": m.Live.Other()}[value]
		if !ok {
			return "400"
		}
		return resource.ClusterName(name, want)
	}
	switch m.Weights {
	case rollout.AllOn(policy.Blue):
		return name + "/blue"
	case rollout.AllOn(policy.Green):
		return name + "/green"
	}
	return name + "/blue " + name + "/green"
}

// TestOrderDoesNotMatter: the same intent gives the same bytes.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Draw(t, "models")
		shuffled := rapid.Permutation(models).Draw(t, "shuffled")
		a := marshal(t, resource.RouteConfig("edge", resource.VirtualHosts(models)))
		b := marshal(t, resource.RouteConfig("edge", resource.VirtualHosts(shuffled)))
		if !bytes.Equal(a, b) {
			t.Fatal("the order of models changed the routes")
		}
		eps := endpoints.Draw(t, "endpoints")
		a = marshal(t, resource.Assignment("m", policy.Blue, eps))
		b = marshal(t, resource.Assignment("m", policy.Blue, rapid.Permutation(eps).Draw(t, "eps")))
		if !bytes.Equal(a, b) {
			t.Fatal("the order of endpoints changed the assignment")
		}
	})
}

// TestAssemblyEqualsMarshal: bytes put together from parts are the message that
// an ordinary marshal makes.
func TestAssemblyEqualsMarshal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Draw(t, "models")
		want := resource.RouteConfig("edge", resource.VirtualHosts(models))
		var hosts [][]byte
		for _, v := range want.VirtualHosts {
			hosts = append(hosts, hostBytes(t, v.Name, models))
		}
		got := &routev3.RouteConfiguration{}
		if err := proto.Unmarshal(resource.RouteConfigBytes("edge", hosts), got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func hostBytes(t *rapid.T, host string, models []resource.Model) []byte {
	var parts []resource.Part
	for _, m := range models {
		if !slices.Contains(m.Policy.Route.Hosts, host) {
			continue
		}
		p, err := resource.NewPart(m)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p)
	}
	b, err := resource.HostBytes(host, parts)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAssignmentFitsClients: no doubled address, no zero weight, and a sum that
// fits 32 bits, or grpc-go refuses the whole assignment.
func TestAssignmentFitsClients(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		eps := endpoints.Draw(t, "endpoints")
		a := resource.Assignment("m", policy.Green, eps)
		if len(eps) == 0 {
			if len(a.Endpoints) != 0 {
				t.Fatal("a locality without endpoints")
			}
			return
		}
		want := map[string]bool{}
		for _, e := range eps {
			want[address(e.Address, uint32(e.Port))] = true
		}
		got, sum := map[string]bool{}, uint64(0)
		for _, e := range a.Endpoints[0].LbEndpoints {
			s := e.GetEndpoint().Address.GetSocketAddress()
			if got[address(s.Address, s.GetPortValue())] {
				t.Fatalf("%v comes twice", s)
			}
			got[address(s.Address, s.GetPortValue())] = true
			if e.LoadBalancingWeight.Value == 0 {
				t.Fatalf("%v has no weight", s)
			}
			sum += uint64(e.LoadBalancingWeight.Value)
		}
		if len(got) != len(want) || sum > math.MaxUint32 {
			t.Fatalf("%d addresses of %d, sum of weights %d", len(got), len(want), sum)
		}
	})
}

func address(host string, port uint32) string {
	return net.JoinHostPort(host, strconv.FormatUint(uint64(port), 10))
}
