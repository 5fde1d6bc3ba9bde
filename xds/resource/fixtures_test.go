package resource_test

import (
	"maps"
	"slices"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

// fraud is a policy with the decoder's defaults.
func fraud() *policy.Model {
	return &policy.Model{
		Name: "fraud",
		Route: policy.Route{
			Fleets:         []string{"edge"},
			Hosts:          []string{"fraud.models.internal"},
			Prefix:         "/v2/models/fraud",
			Preview:        "x-model-color",
			Protocol:       policy.HTTP1,
			Timeout:        2 * time.Second,
			Retries:        policy.Retries{Attempts: 2, On: []string{"connect-failure", "refused-stream", "reset-before-request"}},
			Outlier:        policy.Outlier{ConsecutiveErrors: 5, Interval: 5 * time.Second, EjectFor: 15 * time.Second, MaxEjectionPercent: 50},
			Limits:         policy.Limits{Connections: 10240, Pending: 10240, Requests: 10240, Retries: 64},
			ConnectTimeout: time.Second,
		},
	}
}

// variant is fraud under another name, changed by edit.
func variant(name string, edit func(*policy.Route)) *policy.Model {
	m := fraud()
	m.Name = name
	edit(&m.Route)
	return m
}

func blueLive(m *policy.Model) resource.Model {
	return resource.Model{Policy: m, Live: policy.Blue, Weights: rollout.AllOn(policy.Blue)}
}

func edge(port int) *policy.Fleet {
	return &policy.Fleet{
		Name:     "edge",
		Routes:   "edge-routes",
		Listener: &policy.Listener{Name: "greenlight", Address: "127.0.0.1", Port: port},
	}
}

// virtualHosts is all virtual hosts of a fleet that routes models, by name.
func virtualHosts(models []resource.Model) []*routev3.VirtualHost {
	byHost := map[string][]resource.Model{}
	for _, m := range models {
		for _, h := range m.Policy.Route.Hosts {
			byHost[h] = append(byHost[h], m)
		}
	}
	var out []*routev3.VirtualHost
	for _, h := range slices.Sorted(maps.Keys(byHost)) {
		out = append(out, resource.Host(h, byHost[h]))
	}
	return out
}
