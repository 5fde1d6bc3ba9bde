package xds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"greenlight/policy"
)

// A commit that touches one of a thousand policies makes exactly that model's
// resources change: what nodes are sent says so, in names and in bytes.
func TestOneOfAThousandPoliciesChanges(t *testing.T) {
	var models []*policy.Model
	for i := range 1000 {
		models = append(models, modelNamed(fmt.Sprintf("m%03d", i)))
	}
	s := opened(t, Options{}, models...)
	n := s.running(t, true)
	whole := n.bytes
	before := hostsOf(t, n.sent["route edge"])
	if len(before) != 1000 {
		t.Fatalf("%d hosts are routed", len(before))
	}
	generation := uint64(1)
	changed := func(change func(*policy.Model)) (sent []string, bytes int) {
		t.Helper()
		clear(n.sent)
		n.bytes = 0
		p := modelNamed("m500")
		change(p)
		generation++
		s.Route(routing(p, generation, allBlue))
		n.settle()
		r := s.Report("m500")
		if r.Generation != generation || r.Acked != 1 {
			t.Errorf("generation %d is not confirmed: %+v", generation, r)
		}
		return slices.Sorted(maps.Keys(n.sent)), n.bytes
	}

	// What is Greenlight's own affair is sent to nobody.
	if sent, bytes := changed(func(p *policy.Model) { p.Validate = []policy.Check{{Name: "enough"}} }); bytes != 0 {
		t.Errorf("a changed check sent %d bytes: %v", bytes, sent)
	}
	// What is its clusters' is sent in its two clusters, which Envoys warm again.
	sent, bytes := changed(func(p *policy.Model) { p.Route.Outlier.ConsecutiveErrors = 7 })
	if !slices.Equal(sent, []string{"cluster m500/blue", "cluster m500/green", "endpoint m500/blue", "endpoint m500/green"}) {
		t.Errorf("changed clusters sent %v", sent)
	}
	t.Logf("one model's clusters: %d bytes of %d", bytes, whole)
	if bytes*100 > whole {
		t.Errorf("changed clusters sent %d bytes; all there is has %d", bytes, whole)
	}
	// What is its route's is sent in the fleet's route configuration, whose other
	// hosts are the same to the byte.
	sent, bytes = changed(func(p *policy.Model) { p.Route.Outlier.ConsecutiveErrors = 7; p.Route.Timeout = 3 * time.Second })
	if !slices.Equal(sent, []string{"route edge"}) {
		t.Errorf("a changed route sent %v", sent)
	}
	t.Logf("one model's route: %d bytes of %d", bytes, whole)
	if bytes > 1_000_000 {
		t.Errorf("a changed route sent %d bytes; docs/envoy.md says 1.0 MB", bytes)
	}
	for host, is := range hostsOf(t, n.sent["route edge"]) {
		if differs := is != before[host]; differs != (host == "m500.models.internal") {
			t.Errorf("host %s differs: %v", host, differs)
		}
	}
}

// Where the retries of a host's models are written may change with one of them: the
// other is sent anew, and has nothing to be confirmed, because it does what it did.
func TestOneOfTwoOnAHostRetriesMoreOften(t *testing.T) {
	shared := func(name string, attempts int) *policy.Model {
		p := modelNamed(name)
		p.Route.Hosts, p.Route.Prefix, p.Route.Retries.Attempts = []string{"models.internal"}, "/"+name, attempts
		return p
	}
	r := start(t, Options{})
	r.open(shared("fraud", 2), shared("other", 2))
	a := r.client("a")
	a.warm("fraud/blue", "fraud/green", "other/blue", "other/green")
	a.ask(route, "edge")
	says := func() string {
		t.Helper()
		var c routev3.RouteConfiguration
		if err := a.recv(route).Resources[0].UnmarshalTo(&c); err != nil {
			t.Fatal(err)
		}
		host := c.VirtualHosts[0]
		out := fmt.Sprint("host ", host.RetryPolicy.GetNumRetries().GetValue())
		for _, r := range host.Routes {
			if own := r.GetRoute().GetRetryPolicy(); own != nil && !strings.Contains(r.Name, "/") {
				out += fmt.Sprint(", ", r.Name, " ", own.NumRetries.GetValue())
			}
		}
		return out
	}
	if got := says(); got != "host 2" {
		t.Fatal(got)
	}
	a.ack(route)
	r.acked("other", 1)
	r.Route(routing(shared("fraud", 5), 2, allBlue))
	if got := says(); got != "host 5, other 2" {
		t.Error(got)
	}
	if other, fraud := r.Report("other"), r.Report("fraud"); other.Acked != 1 || fraud.Acked != 0 {
		t.Errorf("before the ACK other is %+v, fraud %+v", other, fraud)
	}
	a.ack(route)
	r.acked("fraud", 1)
}

// hostsOf is the virtual hosts of a route configuration, as bytes, by domain.
func hostsOf(t *testing.T, i item) map[string]string {
	t.Helper()
	var c routev3.RouteConfiguration
	if err := i.any.UnmarshalTo(&c); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, h := range c.VirtualHosts {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Domains[0]] = string(raw)
	}
	return out
}
