package resource

import (
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"greenlight/policy"
	"greenlight/rollout"
)

// APIListener is what a gRPC client that dials xds:///MODEL asks for first.
func APIListener(model string) *listenerv3.Listener {
	return &listenerv3.Listener{
		Name: model,
		ApiListener: &listenerv3.ApiListener{ApiListener: pack(&hcmv3.HttpConnectionManager{
			RouteSpecifier: rds(ModelRoutes(model)),
			HttpFilters:    []*hcmv3.HttpFilter{router()},
			StatPrefix:     statPrefix,
		})},
	}
}

// ModelRouteConfig is what gRPC clients of the model follow. They know no
// path-separated prefix and no response headers; a route they can't follow (the
// 400 of an unknown preview value) fails the call with UNAVAILABLE. They split
// each call by itself and mirror nothing, so neither is asked of them; and as
// they would be told the preview's token, a preview with one is closed to them.
func ModelRouteConfig(m Model) *routev3.RouteConfiguration {
	m.Token = "" // it is not for everybody who calls the model
	routes := previewRoutes(m, everyMethod, call)
	routes = append(routes,
		&routev3.Route{Name: m.Policy.Name, Match: everyMethod(), Action: call(m.Policy, m.Weights)},
		keepWarm(m.Policy),
	)
	return &routev3.RouteConfiguration{
		Name: ModelRoutes(m.Policy.Name),
		VirtualHosts: []*routev3.VirtualHost{{
			Name: m.Policy.Name, Domains: []string{"*"}, Routes: routes, RetryPolicy: RetriesOf(m.Policy).message(),
		}},
	}
}

// keepWarm names both colors in a route that no call reaches, because the one
// before it matches all. gRPC clients learn and connect the clusters that any
// route names; so the idle color is warm before it gets weight.
func keepWarm(p *policy.Model) *routev3.Route {
	half := rollout.Split(policy.Blue, policy.Full/2)
	return &routev3.Route{Name: p.Name + "/warm", Match: everyMethod(), Action: call(p, half)}
}

func everyMethod(h ...*routev3.HeaderMatcher) *routev3.RouteMatch {
	return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: ""}, Headers: h}
}

// call is forward in the terms that gRPC clients know: their only bound on a
// call's time is the duration of its stream.
func call(p *policy.Model, w rollout.Weights) *routev3.Route_Route {
	a := &routev3.RouteAction{ClusterSpecifier: split(p.Name, w)}
	if p.Route.Timeout > 0 {
		a.MaxStreamDuration = &routev3.RouteAction_MaxStreamDuration{MaxStreamDuration: duration(p.Route.Timeout)}
	}
	return &routev3.Route_Route{Route: a}
}
