package resource_test

import (
	"bytes"
	"encoding/json"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// TestEnvoyAcceptsBootstraps: Envoy itself finds nothing wrong, unknown or
// deprecated in what `greenlight bootstrap` prints.
func TestEnvoyAcceptsBootstraps(t *testing.T) {
	for name, o := range map[string]resource.Options{
		"sotw":  {Node: "edge-1", Fleet: "edge"},
		"delta": {Node: "edge-1", Fleet: "edge", Delta: true, Server: "greenlight.internal:18000", Admin: "127.0.0.1:0"},
		"ipv6":  {Node: "edge-1", Fleet: "edge", Server: "[::1]:18000", Admin: "[::1]:9901"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := resource.Bootstrap(o)
			if err != nil {
				t.Fatal(err)
			}
			validate(t, "bootstrap.json", b)
		})
	}
}

// TestEnvoyAcceptsResources has Envoy load the listener, routes and clusters as
// a static configuration, for every protocol and the odd corners of a policy.
func TestEnvoyAcceptsResources(t *testing.T) {
	models := []resource.Model{
		{Policy: fraud(), Live: policy.Blue, Weights: rollout.Split(policy.Green, 1)},
		blueLive(variant("h2", func(r *policy.Route) { r.Protocol, r.Prefix = policy.HTTP2, "/v2/" })),
		blueLive(variant("grpc", func(r *policy.Route) {
			r.Protocol, r.Prefix, r.Timeout, r.Hosts = policy.GRPC, "/inference.GRPCInferenceService", 0, []string{"*.internal", "*"}
		})),
		blueLive(variant("bare", func(r *policy.Route) {
			r.Prefix, r.Preview, r.Retries.Attempts, r.Outlier.Off = "/", "", 0, true
		})),
		blueLive(variant("odd", func(r *policy.Route) { r.Prefix, r.Limits.Retries = "/a?b", 0 })),
	}
	static := &bootstrapv3.Bootstrap_StaticResources{
		Listeners: []*listenerv3.Listener{inline(t, resource.Listener(edge(10000)), models)},
	}
	for _, m := range models {
		for _, c := range policy.Colors {
			static.Clusters = append(static.Clusters, resource.Cluster(m.Policy, c))
		}
	}
	b, err := resource.Bootstrap(resource.Options{Node: "edge-1", Fleet: "edge"})
	if err != nil {
		t.Fatal(err)
	}
	validate(t, "bootstrap.json", withStatic(t, b, static))
}

// inline puts the routes of models where l refers to them.
func inline(t *testing.T, l *listenerv3.Listener, models []resource.Model) *listenerv3.Listener {
	t.Helper()
	filter := l.FilterChains[0].Filters[0]
	m := &hcmv3.HttpConnectionManager{}
	if err := filter.GetTypedConfig().UnmarshalTo(m); err != nil {
		t.Fatal(err)
	}
	m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{
		RouteConfig: resource.RouteConfig("edge", virtualHosts(models)),
	}
	packed, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	filter.ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: packed}
	return l
}

// withStatic joins static's listeners and clusters to those of a bootstrap.
func withStatic(t *testing.T, bootstrap []byte, static *bootstrapv3.Bootstrap_StaticResources) []byte {
	t.Helper()
	var all, add map[string]any
	if err := json.Unmarshal(bootstrap, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(stable(t, static), &add); err != nil {
		t.Fatal(err)
	}
	own := all["static_resources"].(map[string]any)
	own["clusters"] = append(own["clusters"].([]any), add["clusters"].([]any)...)
	own["listeners"] = add["listeners"]
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(out)
}

// TestEndpointsComeOverADS: Envoy refuses the source "self" for a cluster's
// endpoints, so clusters name ADS.
func TestEndpointsComeOverADS(t *testing.T) {
	source := resource.Cluster(fraud(), policy.Blue).EdsClusterConfig
	if source.EdsConfig.GetAds() == nil || source.EdsConfig.ResourceApiVersion != corev3.ApiVersion_V3 || source.ServiceName != "fraud/blue" {
		t.Errorf("endpoints come from %v", source)
	}
	if got := resource.Cluster(fraud(), policy.Blue).GetType(); got != clusterv3.Cluster_EDS {
		t.Errorf("cluster is of type %v", got)
	}
}
