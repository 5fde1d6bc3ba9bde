package resource_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// server is a model server that says its name and what it was sent.
func server(t *testing.T, name string) rollout.Endpoint {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, h := range []string{"X-Envoy-Retry-On", "X-Envoy-Upstream-Rq-Timeout-Ms", "X-Request-Id", "Model_Meta"} {
			w.Header().Set("Got-"+h, r.Header.Get(h))
		}
		w.Header().Set(resource.ColorHeader, "a lie")
		if r.Header.Get("Slow") != "" {
			time.Sleep(100 * time.Millisecond)
		}
		fmt.Fprintf(w, "%s %s", name, r.URL.EscapedPath())
	}))
	t.Cleanup(s.Close)
	host, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return rollout.Endpoint{ID: name, Address: host, Port: n, Weight: 1}
}

// fleetResources is everything that an Envoy of fleet f is told.
func fleetResources(f *policy.Fleet, models []resource.Model, eps map[string][]rollout.Endpoint) []proto.Message {
	out := []proto.Message{
		resource.Listener(f),
		resource.RouteConfig(f.Routes, virtualHosts(models)),
	}
	for _, m := range models {
		for _, c := range policy.Colors {
			name := resource.ClusterName(m.Policy.Name, c)
			out = append(out, resource.Cluster(m.Policy, c), resource.Assignment(m.Policy.Name, c, eps[name]))
		}
	}
	return out
}

// TestEnvoyFollows starts a real Envoy from the bootstrap of this package and
// asks it for answers.
func TestEnvoyFollows(t *testing.T) {
	envoyPath(t)
	port := freePort(t)
	fleet := edge(port)
	eps := map[string][]rollout.Endpoint{}
	for _, name := range []string{"fraud/blue", "fraud/green", "fraudster/blue", "all/blue", "all/green"} {
		eps[name] = []rollout.Endpoint{server(t, name)}
	}
	// Nothing listens there: every request needs its retry.
	eps["fraud/blue"] = append(eps["fraud/blue"], rollout.Endpoint{ID: "gone", Address: "127.0.0.1", Port: freePort(t), Weight: 1})
	models := []resource.Model{
		blueLive(fraud()),
		blueLive(variant("fraudster", func(r *policy.Route) { r.Prefix = "/v2/models/fraudster" })),
		{
			Policy: variant("all", func(r *policy.Route) {
				r.Prefix = "/"
				r.Preview = ""
				r.Hosts = []string{"fraud.models.internal", "*"}
			}),
			Live:    policy.Green,
			Weights: rollout.AllOn(policy.Green),
		},
	}
	stub, addr := startADS(t, fleetResources(fleet, models, eps)...)
	boot, err := resource.Bootstrap(resource.Options{
		Server: addr, Fleet: "edge", Admin: net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t))),
	})
	if err != nil {
		t.Fatal(err)
	}
	startEnvoy(t, boot, "--service-node", "envoy-1")

	base := "http://127.0.0.1:" + strconv.Itoa(port)
	eventually(t, "the first answer", func() bool {
		a, err := get(t, base+"/v2/models/fraud/infer", "fraud.models.internal")
		return err == nil && a.status == http.StatusOK
	})

	const host = "fraud.models.internal"
	for _, c := range []struct {
		name, path, host string
		header           []string
		status           int
		body, color      string
	}{
		{name: "weight", path: "/v2/models/fraud/infer", host: host, status: 200, body: "fraud/blue /v2/models/fraud/infer", color: "blue"},
		{name: "the prefix itself", path: "/v2/models/fraud", host: host, status: 200, body: "fraud/blue /v2/models/fraud", color: "blue"},
		{name: "the prefix with a query", path: "/v2/models/fraud?x=1", host: host, status: 200, body: "fraud/blue /v2/models/fraud", color: "blue"},
		{name: "port in the host", path: "/v2/models/fraud/infer", host: host + ":8080", status: 200, body: "fraud/blue /v2/models/fraud/infer", color: "blue"},
		{name: "longer name with the same beginning", path: "/v2/models/fraudster/infer", host: host, status: 200, body: "fraudster/blue /v2/models/fraudster/infer", color: "blue"},
		{name: "shorter prefix on the same host", path: "/v2/models/frau", host: host, status: 200, body: "all/green /v2/models/frau", color: "green"},
		{name: "any host", path: "/v2/models/fraud", host: "elsewhere", status: 200, body: "all/green /v2/models/fraud", color: "green"},
		{name: "slashes merged", path: "//v2//models/fraud/infer", host: host, status: 200, body: "fraud/blue /v2/models/fraud/infer", color: "blue"},
		{name: "dots resolved", path: "/v2/models/fraud/../fraudster/infer", host: host, status: 200, body: "fraudster/blue /v2/models/fraudster/infer", color: "blue"},
		{name: "escaped slash kept", path: "/v2/models/fraud/versions/a%2Fb", host: host, status: 200, body: "fraud/blue /v2/models/fraud/versions/a%2Fb", color: "blue"},

		{name: "preview blue", path: "/v2/models/fraud/infer", host: host, header: []string{"x-model-color", "blue"}, status: 200, body: "fraud/blue /v2/models/fraud/infer", color: "blue"},
		{name: "preview green", path: "/v2/models/fraud/infer", host: host, header: []string{"x-model-color", "green"}, status: 200, body: "fraud/green /v2/models/fraud/infer", color: "green"},
		{name: "preview live", path: "/v2/models/fraud/infer", host: host, header: []string{"x-model-color", "live"}, status: 200, body: "fraud/blue /v2/models/fraud/infer", color: "blue"},
		{name: "preview idle", path: "/v2/models/fraud/infer", host: host, header: []string{"x-model-color", "idle"}, status: 200, body: "fraud/green /v2/models/fraud/infer", color: "green"},
		{name: "preview of a color without endpoints", path: "/v2/models/fraudster", host: host, header: []string{"x-model-color", "green"}, status: 503, body: "no healthy upstream", color: "green"},
		{name: "preview unknown", path: "/v2/models/fraud/infer", host: host, header: []string{"x-model-color", "Green"}, status: 400, body: "model fraud: the value of request header x-model-color must be blue, green, live or idle\n"},
		{name: "preview empty", path: "/v2/models/fraud/infer", host: host, header: []string{"x-model-color", ""}, status: 400, body: "model fraud: the value of request header x-model-color must be blue, green, live or idle\n"},
		// Envoy compares each of several values; the first route in our order wins.
		{name: "preview twice", path: "/v2/models/fraud/infer", host: host, header: []string{"x-model-color", "green", "x-model-color", "blue"}, status: 200, body: "fraud/blue /v2/models/fraud/infer", color: "blue"},
		{name: "preview off", path: "/elsewhere", host: host, header: []string{"x-model-color", "blue"}, status: 200, body: "all/green /elsewhere", color: "green"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 4 { // both endpoints of a color, the dead one too
				a, err := get(t, base+c.path, c.host, c.header...)
				if err != nil {
					t.Fatal(err)
				}
				if a.status != c.status || a.body != c.body || a.header.Get(resource.ColorHeader) != c.color {
					t.Fatalf("got %d %q color %q, want %d %q color %q",
						a.status, a.body, a.header.Get(resource.ColorHeader), c.status, c.body, c.color)
				}
			}
		})
	}

	t.Run("clients can't widen retries or timeouts", func(t *testing.T) {
		a, err := get(t, base+"/v2/models/fraud", host,
			"x-envoy-retry-on", "5xx", "x-envoy-upstream-rq-timeout-ms", "1", "slow", "yes", "x-request-id", "mine", "model_meta", "kept")
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("got %v, %v", a, err)
		}
		for name, want := range map[string]string{
			"Got-X-Envoy-Retry-On": "", "Got-X-Envoy-Upstream-Rq-Timeout-Ms": "", "Got-X-Request-Id": "mine", "Got-Model_meta": "kept",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	})

	t.Run("weights move without a failed request", func(t *testing.T) {
		for i, w := range []policy.Weight{100, 5000, policy.Full, 5000, 0} {
			models[0].Weights = rollout.Split(policy.Green, w)
			stub.replace(t, fleetResources(fleet, models, eps)...)
			eventually(t, fmt.Sprintf("step %d", i), func() bool {
				return stub.allAcked("type.googleapis.com/envoy.config.route.v3.RouteConfiguration")
			})
			seen := map[string]int{}
			for range 60 {
				a, err := get(t, base+"/v2/models/fraud", host)
				if err != nil || a.status != http.StatusOK {
					t.Fatalf("weight %d: %v %v", w, a, err)
				}
				seen[a.header.Get(resource.ColorHeader)]++
			}
			if (w == 0) != (seen["green"] == 0) && w != 100 || (w == policy.Full) != (seen["blue"] == 0) {
				t.Errorf("weight %d: %v", w, seen)
			}
		}
	})

	if p := stub.problems(); len(p) > 0 {
		t.Errorf("Envoy rejected:\n%s", strings.Join(slices.Compact(p), "\n"))
	}
}
