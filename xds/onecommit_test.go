package xds

import (
	"fmt"
	"maps"
	"slices"
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
	for host, is := range hostsOf(t, n.sent["route edge"]) {
		if differs := is != before[host]; differs != (host == "m500.models.internal") {
			t.Errorf("host %s differs: %v", host, differs)
		}
	}
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
