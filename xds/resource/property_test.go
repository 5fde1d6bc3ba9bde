package resource_test

import (
	"bytes"
	"maps"
	"math"
	"net"
	"regexp"
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
		all := []validated{resource.RouteConfig("edge", virtualHosts(models))}
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
		vhosts := virtualHosts(models)
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
	if d := r.GetDirectResponse(); d != nil {
		_, why, _ := strings.Cut(kind, "preview/")
		if want := map[string]uint32{"unknown": 400, "denied": 403}[strings.TrimPrefix(why, "cookie/")]; d.Status != want {
			t.Fatalf("route %s answers %d by itself", r.Name, d.Status)
		}
		return
	}
	if n := len(r.GetRoute().RequestMirrorPolicies); n > 0 && kind != "" && kind != "newcomers" {
		t.Fatalf("route %s mirrors", r.Name)
	}
	if m.Policy.Route.PreviewToken != nil && r.GetRoute().GetTimeout() != nil &&
		!slices.Contains(r.RequestHeadersToRemove, policy.PreviewTokenHeader) {
		t.Fatalf("route %s shows the token to the model", r.Name)
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
	if kind != "warm" && !strings.HasPrefix(kind, "preview/") && (got[model+"/blue"] != m.Weights.Blue || got[model+"/green"] != m.Weights.Green) {
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
// header or else its cookie picks the color, for those who may.
func TestRequestsMeetTheirModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Draw(t, "models")
		path := prefixes.Draw(t, "path")
		header := rapid.SampledFrom([]string{"x-model-color", "color"}).Draw(t, "header")
		values := rapid.SampledFrom([]string{"blue", "green", "live", "idle", "", "Blue", "red", "blue,green"})
		r := request{path: path, headers: map[string]string{}, cookies: map[string]string{}}
		if rapid.Bool().Draw(t, "chooses by header") {
			r.headers[header] = values.Draw(t, "value")
		}
		for range rapid.IntRange(0, 3).Draw(t, "cookies") {
			r.cookies[rapid.SampledFrom([]string{"color", "a.b", "axb", "xcolor", "colorx", "user"}).Draw(t, "cookie")] = values.Draw(t, "of cookie")
		}
		r.token = rapid.SampledFrom([]string{"", "token", "other", "token2"}).Draw(t, "carried")
		r.seal()
		for _, v := range virtualHosts(models) {
			got := follow(v.Routes, r)
			want := expect(models, v.Domains[0], r)
			if got != want {
				t.Fatalf("%s %+v goes to %q, want %q", v.Name, r, got, want)
			}
		}
		for _, m := range models {
			got := follow(resource.ModelRouteConfig(m).VirtualHosts[0].Routes, r)
			m.Token = "" // a client of its own never learns it
			if want := meets(m, r); got != want {
				t.Fatalf("call of %s, %+v goes to %q, want %q", m.Policy.Name, r, got, want)
			}
		}
	})
}

type request struct {
	path             string
	headers, cookies map[string]string
	token            string
}

// seal writes the cookies and the token into the headers, as a client does.
func (r *request) seal() {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(r.cookies)) {
		pairs = append(pairs, name+"="+r.cookies[name])
	}
	if len(pairs) > 0 {
		r.headers["cookie"] = strings.Join(pairs, "; ")
	}
	if r.token != "" {
		r.headers[policy.PreviewTokenHeader] = r.token
	}
}

func follow(routes []*routev3.Route, q request) string {
	for _, r := range routes {
		if matches(r.Match, q) {
			return destination(r)
		}
	}
	return "404"
}

func matches(m *routev3.RouteMatch, q request) bool {
	if p := m.GetPathSeparatedPrefix(); p != "" && q.path != p && !strings.HasPrefix(q.path, p+"/") {
		return false
	}
	if !strings.HasPrefix(q.path, m.GetPrefix()) {
		return false
	}
	for _, h := range m.Headers {
		value, ok := q.headers[h.Name]
		ok = ok || h.TreatMissingHeaderAsEmpty
		switch s := h.GetStringMatch(); {
		case s.GetSafeRegex() != nil:
			ok = ok && regexp.MustCompile("^(?:"+s.GetSafeRegex().Regex+")$").MatchString(value) != h.InvertMatch
		case s != nil:
			ok = ok && value == s.GetExact()
		}
		if !ok {
			return false
		}
	}
	return true
}

func destination(r *routev3.Route) string {
	if d := r.GetDirectResponse(); d != nil {
		return strconv.Itoa(int(d.Status))
	}
	var out []string
	for _, c := range r.GetRoute().GetWeightedClusters().GetClusters() {
		out = append(out, c.Name)
	}
	return strings.Join(out, " ")
}

func expect(models []resource.Model, host string, q request) string {
	best := -1
	for i, m := range models {
		p := m.Policy.Route.Prefix
		within := q.path == p || strings.HasPrefix(q.path, strings.TrimSuffix(p, "/")+"/")
		if within && slices.Contains(m.Policy.Route.Hosts, host) &&
			(best < 0 || len(p) > len(models[best].Policy.Route.Prefix)) {
			best = i
		}
	}
	if best < 0 {
		return "404"
	}
	return meets(models[best], q)
}

func meets(m resource.Model, q request) string {
	name, r := m.Policy.Name, m.Policy.Route
	value, chooses := q.headers[r.Preview]
	if r.Preview == "" || !chooses {
		value, chooses = q.cookies[r.PreviewCookie]
	}
	if chooses {
		want, ok := map[string]policy.Color{"blue": policy.Blue, "green": policy.Green, "live": m.Live, "idle": m.Live.Other()}[value]
		switch {
		case r.PreviewToken != nil && (m.Token == "" || q.token != m.Token):
			return "403"
		case !ok:
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

// TestStickyIsMonotone: whoever is on a color keeps it while the color grows. A
// user is a number below policy.Full, and the intervals of the built route, in
// their order, say where the user goes, as Envoy does it.
func TestStickyIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := intent("m", routes.Draw(t, "route"), t)
		grows := rapid.SampledFrom(policy.Colors[:]).Draw(t, "grows")
		small := policy.Weight(rapid.Uint16Range(0, uint16(policy.Full)).Draw(t, "small"))
		large := policy.Weight(rapid.Uint16Range(uint16(small), uint16(policy.Full)).Draw(t, "large"))
		before, after := places(m, rollout.Split(grows, small)), places(m, rollout.Split(grows, large))
		for user := range int(policy.Full) {
			if before[user] == resource.ClusterName("m", grows) && after[user] != before[user] {
				t.Fatalf("user %d had moved at %s and is back at %s", user, small, large)
			}
		}
	})
}

// places is the cluster of each user by every route that splits users.
func places(m resource.Model, w rollout.Weights) []string {
	m.Weights = w
	var out []string
	for _, r := range virtualHosts([]resource.Model{m})[0].Routes {
		if r.Name != "m" && r.Name != "m/newcomers" {
			continue
		}
		place := make([]string, 0, policy.Full)
		for _, c := range r.GetRoute().GetWeightedClusters().Clusters {
			for range c.Weight.GetValue() {
				place = append(place, c.Name)
			}
		}
		if out != nil && !slices.Equal(out, place) {
			return nil // a newcomer would not stay: the test fails on the length
		}
		out = place
	}
	return out
}

// TestOrderDoesNotMatter: the same intent gives the same bytes.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Draw(t, "models")
		shuffled := rapid.Permutation(models).Draw(t, "shuffled")
		a := marshal(t, resource.RouteConfig("edge", virtualHosts(models)))
		b := marshal(t, resource.RouteConfig("edge", virtualHosts(shuffled)))
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
		want := resource.RouteConfig("edge", virtualHosts(models))
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
