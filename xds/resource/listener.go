package resource

import (
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"greenlight/policy"
)

const (
	hcmName    = "envoy.filters.network.http_connection_manager"
	routerName = "envoy.filters.http.router"
	statPrefix = "greenlight"

	// routesWithin of zero: a listener opens only when its routes are there.
	// Before that it would answer 404 to every request.
	routesWithin = 0
	// headersWithin bounds how long a client may take to send its headers.
	headersWithin = 10 * time.Second
	// downstreamIdle closes a client's connection without requests.
	downstreamIdle = time.Hour
	// downstreamStreams is how many requests a client may have in flight on one
	// HTTP/2 connection.
	downstreamStreams = 1024
)

// Listener is where the fleet accepts requests; nil for a fleet that keeps its
// own listeners.
func Listener(f *policy.Fleet) *listenerv3.Listener {
	if f.Listener == nil {
		return nil
	}
	address := socketAddress(f.Listener.Address, f.Listener.Port)
	// :: means all addresses here, as 0.0.0.0 does, not IPv6 alone.
	address.GetSocketAddress().Ipv4Compat = f.Listener.Address == "::"
	return &listenerv3.Listener{
		Name:    f.Listener.Name,
		Address: address,
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
			Name:       hcmName,
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(connections(f.Routes, f.Telemetry))},
		}}}},
		PerConnectionBufferLimitBytes: number(bodyLimit),
	}
}

// connections treats clients as strangers: their x-envoy-* headers, which could
// widen retries or timeouts beyond the policy, are removed wherever they come
// from, and their address is what the socket says.
//
// Left alone on purpose: headers with underscores (gRPC metadata has them),
// escaped slashes (model names have them), and a limit on the time of a whole
// request body (a gRPC stream has no end).
func connections(routes string, t *policy.Telemetry) *hcmv3.HttpConnectionManager {
	m := &hcmv3.HttpConnectionManager{
		CodecType:             hcmv3.HttpConnectionManager_AUTO,
		StatPrefix:            statPrefix,
		RouteSpecifier:        rds(routes),
		HttpFilters:           []*hcmv3.HttpFilter{router(shadowRequestLog(t)...)},
		AccessLog:             requestLog(t),
		UseRemoteAddress:      wrapperspb.Bool(true),
		InternalAddressConfig: nobodyInternal(),
		// A caller's request id is worth more in a model's log than a new one.
		PreserveExternalRequestId: true,
		NormalizePath:             wrapperspb.Bool(true),
		MergeSlashes:              true,
		RequestHeadersTimeout:     duration(headersWithin),
		// Each route says its own, at least this.
		StreamIdleTimeout:         duration(idleAtLeast),
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{IdleTimeout: duration(downstreamIdle)},
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:        number(downstreamStreams),
			InitialStreamWindowSize:     number(streamWindow),
			InitialConnectionWindowSize: number(connectionWindow),
		},
	}
	return m
}

// nobodyInternal names one address that no request comes from. With an empty
// list, and in older Envoys without one, private and loopback addresses count as
// internal: the usual callers, who could then set timeouts and retries by header.
func nobodyInternal() *hcmv3.HttpConnectionManager_InternalAddressConfig {
	return &hcmv3.HttpConnectionManager_InternalAddressConfig{
		CidrRanges: []*corev3.CidrRange{{AddressPrefix: "255.255.255.255", PrefixLen: number(32)}},
	}
}

func rds(routes string) *hcmv3.HttpConnectionManager_Rds {
	return &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{ConfigSource: ads(routesWithin), RouteConfigName: routes}}
}

func router(upstream ...*accesslogv3.AccessLog) *hcmv3.HttpFilter {
	return &hcmv3.HttpFilter{
		Name:       routerName,
		ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(&routerv3.Router{UpstreamLog: upstream})},
	}
}
