package resource

import (
	"cmp"
	"math"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"greenlight/policy"
	"greenlight/rollout"
)

// Assignment is the endpoints of one color's cluster. It depends on addresses
// and weights alone, neither on eps' order nor on instance ids. Without
// endpoints it has no locality: a cluster that answers 503, and says so.
func Assignment(model string, c policy.Color, eps []rollout.Endpoint) *endpointv3.ClusterLoadAssignment {
	out := &endpointv3.ClusterLoadAssignment{ClusterName: ClusterName(model, c)}
	if len(eps) == 0 {
		return out
	}
	// grpc-go wants a locality, even an unnamed one, and skips those of weight 0.
	out.Endpoints = []*endpointv3.LocalityLbEndpoints{{
		Locality:            &corev3.Locality{},
		LoadBalancingWeight: wrapperspb.UInt32(1),
		LbEndpoints:         lbEndpoints(eps),
	}}
	return out
}

func lbEndpoints(eps []rollout.Endpoint) []*endpointv3.LbEndpoint {
	eps = distinct(eps)
	// The sum of a locality's weights must fit 32 bits.
	most := uint32(math.MaxUint32 / len(eps))
	out := make([]*endpointv3.LbEndpoint, len(eps))
	for i, e := range eps {
		out[i] = &endpointv3.LbEndpoint{
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{
				Address: socketAddress(e.Address, e.Port),
			}},
			HealthStatus:        corev3.HealthStatus_HEALTHY,
			LoadBalancingWeight: wrapperspb.UInt32(min(max(e.Weight, 1), most)),
		}
	}
	return out
}

// distinct sorts by address and keeps one instance of each: a server that is
// registered twice is still one server, and grpc-go refuses a doubled address.
// The heaviest registration stands.
func distinct(eps []rollout.Endpoint) []rollout.Endpoint {
	eps = slices.SortedFunc(slices.Values(eps), func(a, b rollout.Endpoint) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Port, b.Port), cmp.Compare(b.Weight, a.Weight))
	})
	return slices.CompactFunc(eps, func(a, b rollout.Endpoint) bool {
		return a.Address == b.Address && a.Port == b.Port
	})
}
