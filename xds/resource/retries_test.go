package resource_test

import (
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/xds/resource"
)

// TestRetriesAreThePolicys: wherever it is said, the retries of each route are those
// of its model, as Envoy and gRPC clients read it: the route's own or else its host's.
func TestRetriesAreThePolicys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Draw(t, "models")
		hosts := virtualHosts(models)
		byName := map[string]resource.Model{}
		for _, m := range models {
			byName[m.Policy.Name] = m
			hosts = append(hosts, resource.ModelRouteConfig(m).VirtualHosts...)
		}
		for _, h := range hosts {
			for _, r := range h.Routes {
				model, _, _ := strings.Cut(r.Name, "/")
				if r.GetRoute() != nil && !retriesAre(effective(h, r), byName[model].Policy.Route.Retries) {
					t.Fatalf("route %s on host %s: %v", r.Name, h.Name, effective(h, r))
				}
			}
		}
	})
}

// effective is the retries of a route; a route that has some inherits nothing.
func effective(h *routev3.VirtualHost, r *routev3.Route) *routev3.RetryPolicy {
	if own := r.GetRoute().RetryPolicy; own != nil {
		return own
	}
	return h.RetryPolicy
}

func retriesAre(got *routev3.RetryPolicy, want policy.Retries) bool {
	if want.Attempts == 0 || len(want.On) == 0 {
		return got.GetRetryOn() == ""
	}
	return got.GetRetryOn() == strings.Join(want.On, ",") && got.GetNumRetries().GetValue() == uint32(want.Attempts) &&
		got.HostSelectionRetryMaxAttempts == 5 && len(got.RetryHostPredicate) == 1
}

// TestRetriesAreSaidOnce: what most of a host's models have stands on the host, and
// on a route only what differs.
func TestRetriesAreSaidOnce(t *testing.T) {
	model := func(name string, r policy.Retries) resource.Model {
		return blueLive(variant(name, func(to *policy.Route) { to.Prefix, to.Retries = "/"+name, r }))
	}
	usual, never := policy.Retries{Attempts: 2, On: []string{"connect-failure"}}, policy.Retries{On: []string{"connect-failure"}}
	often := policy.Retries{Attempts: 5, On: []string{"connect-failure"}}
	for name, c := range map[string]struct {
		models []resource.Model
		host   *policy.Retries
		routes string // whose routes say theirs
	}{
		"one":                  {[]resource.Model{model("a", usual)}, &usual, ""},
		"one without":          {[]resource.Model{model("a", never)}, nil, ""},
		"none at all":          {nil, nil, ""},
		"alike":                {[]resource.Model{model("a", often), model("b", often)}, &often, ""},
		"most":                 {[]resource.Model{model("a", often), model("b", usual), model("c", usual)}, &usual, "a"},
		"equally many":         {[]resource.Model{model("a", usual), model("b", often)}, &often, "a"},
		"most without":         {[]resource.Model{model("a", never), model("b", usual), model("c", never)}, &usual, "a c"},
		"as many, longer path": {[]resource.Model{model("b", often), model("aaa", usual)}, &often, "aaa"},
	} {
		t.Run(name, func(t *testing.T) {
			h := resource.Host("*", c.models)
			if (h.RetryPolicy == nil) != (c.host == nil) || c.host != nil && !retriesAre(h.RetryPolicy, *c.host) {
				t.Errorf("the host says %v, want %v", h.RetryPolicy, c.host)
			}
			for _, r := range h.Routes {
				model, _, _ := strings.Cut(r.Name, "/")
				want := strings.Contains(" "+c.routes+" ", " "+model+" ")
				if to := r.GetRoute(); to != nil && (to.RetryPolicy != nil) != want {
					t.Errorf("route %s says %v", r.Name, to.RetryPolicy)
				}
			}
		})
	}
}

// TestSwitchLeavesOthersAlone: while one model of a host switches, all that the host
// says beside that model's routes stays as it is, to the byte.
func TestSwitchLeavesOthersAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		models := fleetModels.Filter(func(all []resource.Model) bool { return len(all) > 0 }).Draw(t, "models")
		at := rapid.IntRange(0, len(models)-1).Draw(t, "at")
		others := func() []byte {
			hosts := virtualHosts(models)
			for _, h := range hosts {
				kept := h.Routes[:0]
				for _, r := range h.Routes {
					if model, _, _ := strings.Cut(r.Name, "/"); model != models[at].Policy.Name {
						kept = append(kept, r)
					}
				}
				h.Routes = kept
			}
			return marshal(t, resource.RouteConfig("edge", hosts))
		}
		before := others()
		models[at] = intent(models[at].Policy.Name, models[at].Policy.Route, t)
		if string(others()) != string(before) {
			t.Fatalf("the routes of others changed with %s", models[at].Policy.Name)
		}
	})
}
