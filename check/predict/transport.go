package predict

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Every request of a check says what it is, so that a server can tell it from
// a user's and leave it out of its statistics.
const (
	UserAgent   = "greenlight/check"
	CheckHeader = "x-greenlight-check" // the check's name
)

// NewTransport makes a transport that reaches one address (host:port) and
// nothing else, and speaks one version of HTTP. There is nothing to negotiate
// without TLS: HTTP/2 is used from the first byte, as Envoy does.
func NewTransport(address string, http2 bool, connect time.Duration, idle int) *http.Transport {
	var only http.Protocols
	only.SetUnencryptedHTTP2(http2)
	only.SetHTTP1(!http2)
	dial := dialer(address, connect)
	return &http.Transport{
		Protocols: &only,
		Proxy:     nil, // not the environment's: the endpoint itself is measured
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial(ctx, "")
		},
		// A compressed answer could be small on the wire and huge in memory.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        90 * time.Second,
	}
}

// NewGRPC makes a gRPC connection that reaches one address over HTTP/2 without
// TLS and nothing else, and asks for host (empty: the address). maxAnswer bounds
// an answer in bytes.
func NewGRPC(address, host string, connect time.Duration, maxAnswer int) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithAuthority(cmp.Or(host, address)),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUserAgent(UserAgent),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithMaxHeaderListSize(64<<10),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithContextDialer(dialer(address, connect)))
}

func dialer(address string, connect time.Duration) func(context.Context, string) (net.Conn, error) {
	d := net.Dialer{Timeout: connect}
	return func(ctx context.Context, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", address)
	}
}
