package resource

import (
	"cmp"
	"fmt"
	"net"
	"strconv"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	defaultServer = "127.0.0.1:18000"
	// xdsCluster is the static cluster that leads to Greenlight.
	xdsCluster     = "greenlight-xds"
	xdsPingEvery   = 15 * time.Second
	xdsPingWait    = 5 * time.Second
	xdsRetryBase   = 200 * time.Millisecond
	xdsRetryMax    = 5 * time.Second
	xdsConnectWait = time.Second
	// xdsRequests per second and at most at once: what a fleet's first requests
	// need, and a bound on a loop between an Envoy and a server that disagree.
	xdsRequests = 100
	// downstreamConnections is how many connections of clients an Envoy holds.
	downstreamConnections = 50_000
	// firstAnswerWithin of zero: an Envoy is not ready before Greenlight has
	// answered it once. Otherwise it would start to serve with nothing.
	firstAnswerWithin = 0
)

// Options say how a client reaches Greenlight, and what it calls itself.
type Options struct {
	// Server is the host:port of Greenlight's xDS port. Default 127.0.0.1:18000.
	Server string
	// Node is the node's id, unique within the fleet. An Envoy may be given its
	// id with --service-node instead; a gRPC client needs one here.
	Node string
	// Fleet is the node.cluster.
	Fleet string
	// Admin is the host:port of Envoy's admin interface; port 0 leaves the choice
	// to Envoy, which writes it where --admin-address-path says. Default 127.0.0.1:9901.
	Admin string
	// Delta asks for the incremental protocol. gRPC clients don't know it.
	Delta bool
}

// Bootstrap is the bootstrap (JSON, which Envoy reads as YAML too) of an Envoy
// that takes everything from Greenlight.
func Bootstrap(o Options) ([]byte, error) {
	server, err := serverAddress(o.Server)
	if err != nil {
		return nil, fmt.Errorf("read xDS server address: %w", err)
	}
	admin, err := parseAddress(cmp.Or(o.Admin, "127.0.0.1:9901"), 0)
	if err != nil {
		return nil, fmt.Errorf("read admin address: %w", err)
	}
	b := &bootstrapv3.Bootstrap{
		Node:             &corev3.Node{Id: o.Node, Cluster: o.Fleet},
		Admin:            &bootstrapv3.Admin{Address: admin},
		DynamicResources: dynamicResources(o.Delta),
		OverloadManager:  overload(),
		StaticResources:  &bootstrapv3.Bootstrap_StaticResources{Clusters: []*clusterv3.Cluster{serverCluster(server)}},
	}
	if err := b.ValidateAll(); err != nil {
		return nil, fmt.Errorf("check bootstrap: %w", err)
	}
	return JSON(b)
}

// overload bounds the connections that clients may hold: past it Envoy refuses
// new ones instead of running out of memory or file descriptors.
func overload() *overloadv3.OverloadManager {
	return &overloadv3.OverloadManager{ResourceMonitors: []*overloadv3.ResourceMonitor{{
		Name: "envoy.resource_monitors.global_downstream_max_connections",
		ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: pack(&connectionsv3.DownstreamConnectionsConfig{
			MaxActiveDownstreamConnections: downstreamConnections,
		})},
	}}}
}

func dynamicResources(delta bool) *bootstrapv3.Bootstrap_DynamicResources {
	api := corev3.ApiConfigSource_GRPC
	if delta {
		api = corev3.ApiConfigSource_DELTA_GRPC
	}
	return &bootstrapv3.Bootstrap_DynamicResources{
		AdsConfig: &corev3.ApiConfigSource{
			ApiType:                   api,
			TransportApiVersion:       corev3.ApiVersion_V3,
			SetNodeOnFirstMessageOnly: true,
			RateLimitSettings: &corev3.RateLimitSettings{
				MaxTokens: number(xdsRequests),
				FillRate:  wrapperspb.Double(xdsRequests),
			},
			GrpcServices: []*corev3.GrpcService{{
				TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{
					ClusterName: xdsCluster,
					RetryPolicy: &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
						BaseInterval: duration(xdsRetryBase),
						MaxInterval:  duration(xdsRetryMax),
					}},
				}},
			}},
		},
		CdsConfig: ads(firstAnswerWithin),
		LdsConfig: ads(firstAnswerWithin),
	}
}

// serverCluster notices within 20 s that Greenlight's machine is gone, and is
// the same for all of Greenlight's addresses that the name resolves to.
func serverCluster(server *corev3.Address) *clusterv3.Cluster {
	return &clusterv3.Cluster{
		Name:                      xdsCluster,
		ClusterDiscoveryType:      &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STRICT_DNS},
		ConnectTimeout:            duration(xdsConnectWait),
		UpstreamConnectionOptions: &clusterv3.UpstreamConnectionOptions{TcpKeepalive: tcpKeepalive()},
		TypedExtensionProtocolOptions: map[string]*anypb.Any{httpOptionsName: pack(&httpv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
				ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
						Http2ProtocolOptions: &corev3.Http2ProtocolOptions{ConnectionKeepalive: &corev3.KeepaliveSettings{
							Interval: duration(xdsPingEvery),
							Timeout:  duration(xdsPingWait),
						}},
					},
				},
			},
		})},
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: xdsCluster,
			Endpoints: []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{
				HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: server}},
			}}}},
		},
	}
}

// serverAddress reads Options.Server.
func serverAddress(hostport string) (*corev3.Address, error) {
	return parseAddress(cmp.Or(hostport, defaultServer), 1)
}

// parseAddress reads host:port; port is least or more.
func parseAddress(hostport string, least uint64) (*corev3.Address, error) {
	host, p, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("%q is not host:port: %w", hostport, err)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil || port < least || host == "" {
		return nil, fmt.Errorf("%q must name a host and a port from %d to 65535", hostport, least)
	}
	return socketAddress(host, int(port)), nil
}
