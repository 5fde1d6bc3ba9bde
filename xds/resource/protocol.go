package resource

import (
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"

	"greenlight/policy"
)

const httpOptionsName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

const (
	// http1Idle closes an unused HTTP/1 connection before the model server does.
	// Servers built on uvicorn or Node close after 5 s; a request written to a
	// connection that is being closed fails, and it can't be retried safely
	// because the server may have read it.
	http1Idle = 4 * time.Second
	// http2Idle may be long: a closing HTTP/2 server says which requests it
	// never saw, and Envoy sends those again.
	http2Idle = 5 * time.Minute
	// http2PingAfter: a connection unused for so long is pinged before it carries
	// a request. There is no periodic ping: gRPC servers take pings without
	// traffic for an attack and close the connection (ENHANCE_YOUR_CALM).
	http2PingAfter = 10 * time.Second
	http2PingWait  = 2 * time.Second

	streamWindow     = 4 << 20
	connectionWindow = 16 << 20
)

// upstreamHTTP says what the instances of a model speak. gRPC is HTTP/2.
func upstreamHTTP(p policy.Protocol) *httpv3.HttpProtocolOptions {
	if p == policy.HTTP1 {
		return explicitHTTP(http1Idle, &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
			ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
				HttpProtocolOptions: &corev3.Http1ProtocolOptions{},
			},
		})
	}
	return explicitHTTP(http2Idle, &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
		ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
			Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
				InitialStreamWindowSize:     number(streamWindow),
				InitialConnectionWindowSize: number(connectionWindow),
				ConnectionKeepalive: &corev3.KeepaliveSettings{
					ConnectionIdleInterval: duration(http2PingAfter),
					Timeout:                duration(http2PingWait),
				},
			},
		},
	})
}

func explicitHTTP(idle time.Duration, c *httpv3.HttpProtocolOptions_ExplicitHttpConfig) *httpv3.HttpProtocolOptions {
	return &httpv3.HttpProtocolOptions{
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{IdleTimeout: duration(idle)},
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: c,
		},
	}
}

// tcpKeepalive notices within 45 s that the host behind an unused connection is gone.
func tcpKeepalive() *corev3.TcpKeepalive {
	return &corev3.TcpKeepalive{
		KeepaliveTime:     number(30),
		KeepaliveInterval: number(5),
		KeepaliveProbes:   number(3),
	}
}
