package resource

import (
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"greenlight/policy"
	"greenlight/rollout"
)

const (
	// idleAtLeast is how long a request may be without a byte in either
	// direction, unless its timeout is longer; idleUntimed where it has none.
	idleAtLeast = 5 * time.Minute
	idleUntimed = time.Hour
)

// modelRoutes is a model's routes within a virtual host, preview first. They say
// nothing of retries; see sayRetries.
func modelRoutes(m Model) []*routev3.Route {
	path := func(h ...*routev3.HeaderMatcher) *routev3.RouteMatch {
		return pathMatch(m.Policy.Route.Prefix, h...)
	}
	return append(previewRoutes(m, path, forward), userRoutes(m, path)...)
}

// pathMatch matches whole path segments, so that /v2/models/fraud leaves
// /v2/models/fraudster alone. A prefix that ends in a slash does so by itself,
// and Envoy refuses it (and ? and #) in a path-separated match.
func pathMatch(prefix string, h ...*routev3.HeaderMatcher) *routev3.RouteMatch {
	if strings.HasSuffix(prefix, "/") || strings.ContainsAny(prefix, "?#") {
		return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: prefix}, Headers: h}
	}
	return &routev3.RouteMatch{
		PathSpecifier: &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: prefix},
		Headers:       h,
	}
}

// match builds a request match with header conditions added; each call builds a
// new one, because messages are not shared between resources.
type match func(h ...*routev3.HeaderMatcher) *routev3.RouteMatch

// action builds what a matched request meets.
type action func(p *policy.Model, w rollout.Weights) *routev3.Route_Route

// forward sends a request to the colors by weight, with the policy's timeout.
func forward(p *policy.Model, w rollout.Weights) *routev3.Route_Route {
	return &routev3.Route_Route{Route: &routev3.RouteAction{
		ClusterSpecifier: split(p.Name, w),
		Timeout:          duration(p.Route.Timeout),
		IdleTimeout:      duration(idle(p.Route.Timeout)),
	}}
}

// split is always a list of weighted clusters, also of one, so that a route
// keeps its shape through a switch. A color without weight is left out: grpc-go
// skips it anyway, and a list of zeros is an error.
func split(model string, w rollout.Weights) *routev3.RouteAction_WeightedClusters {
	out := &routev3.WeightedCluster{}
	for _, c := range policy.Colors {
		if w.Of(c) == 0 {
			continue
		}
		out.Clusters = append(out.Clusters, &routev3.WeightedCluster_ClusterWeight{
			Name:                 ClusterName(model, c),
			Weight:               number(int(w.Of(c))),
			ResponseHeadersToAdd: []*corev3.HeaderValueOption{colorHeader(c)},
		})
	}
	return &routev3.RouteAction_WeightedClusters{WeightedClusters: out}
}

func colorHeader(c policy.Color) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: ColorHeader, Value: string(c)},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

// idle keeps a listener's own idle timeout from ending what the route's timeout
// still allows.
func idle(timeout time.Duration) time.Duration {
	if timeout == 0 {
		return idleUntimed
	}
	return max(idleAtLeast, timeout+time.Minute)
}
