package resource

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"greenlight/policy"
)

const (
	// endpointsWithin bounds how long a cluster waits for its endpoints before
	// it goes active without any. It must end at some time: an Envoy that starts
	// opens no listener, and ACKs no other model's clusters, before all are warm.
	endpointsWithin = 15 * time.Second
	// panicPercent is the share of endpoints that must be left before outlier
	// ejection is disregarded: only when (nearly) all are ejected. See outlier.
	panicPercent = 1
)

// Cluster is the cluster of one color of a model. Envoy and grpc-go both accept
// it; grpc-go heeds the endpoints' source, the load balancing, the request limit.
func Cluster(m *policy.Model, c policy.Color) *clusterv3.Cluster {
	name := ClusterName(m.Name, c)
	return &clusterv3.Cluster{
		Name:                 name,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig: &clusterv3.Cluster_EdsClusterConfig{
			EdsConfig:   ads(endpointsWithin),
			ServiceName: name,
		},
		ConnectTimeout:            duration(m.Route.ConnectTimeout),
		LbPolicy:                  clusterv3.Cluster_ROUND_ROBIN,
		CircuitBreakers:           circuitBreakers(m.Route.Limits),
		OutlierDetection:          outlier(m.Route.Outlier),
		CommonLbConfig:            &clusterv3.Cluster_CommonLbConfig{HealthyPanicThreshold: &typev3.Percent{Value: panicPercent}},
		UpstreamConnectionOptions: &clusterv3.UpstreamConnectionOptions{TcpKeepalive: tcpKeepalive()},
		TypedExtensionProtocolOptions: map[string]*anypb.Any{
			httpOptionsName: pack(upstreamHTTP(m.Route.Protocol)),
		},
		// There are no active health checks (the registry has them), so this
		// changes nothing today. Where somebody adds them, an endpoint that left
		// the registry must still leave at once.
		IgnoreHealthOnHostRemoval: true,
	}
}

func circuitBreakers(l policy.Limits) *clusterv3.CircuitBreakers {
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		Priority:           corev3.RoutingPriority_DEFAULT,
		MaxConnections:     number(l.Connections),
		MaxPendingRequests: number(l.Pending),
		MaxRequests:        number(l.Requests),
		MaxRetries:         number(l.Retries),
	}}}
}

// outlier ejects an endpoint after gateway failures (502, 503, 504, which
// includes refused connections and timeouts) in a row. A model that answers 500
// is not ejected: that is a wrong answer of a live server, and a matter for checks.
//
// What protects a small set of endpoints from too many ejections is the
// percentage here, not Envoy's panic mode: its usual threshold of 50 % would
// send requests back to endpoints just ejected as soon as two of three fail.
// Panic is kept for the one case in which nothing else is left, where a try is
// better than a certain 503.
func outlier(o policy.Outlier) *clusterv3.OutlierDetection {
	if o.Off {
		return nil
	}
	return &clusterv3.OutlierDetection{
		ConsecutiveGatewayFailure:          number(o.ConsecutiveErrors),
		EnforcingConsecutiveGatewayFailure: number(100),
		Interval:                           duration(o.Interval),
		BaseEjectionTime:                   duration(o.EjectFor),
		MaxEjectionPercent:                 number(o.MaxEjectionPercent),
		EnforcingConsecutive_5Xx:           number(0),
		// Statistics over few endpoints and little traffic eject at random.
		EnforcingSuccessRate:                  number(0),
		EnforcingFailurePercentage:            number(0),
		EnforcingFailurePercentageLocalOrigin: number(0),
		EnforcingLocalOriginSuccessRate:       number(0),
	}
}
