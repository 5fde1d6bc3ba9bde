package api

import (
	"context"
	"net"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// ActorKey is the metadata key that names who asks, for clients (a proxy that
// has authenticated a user) that don't fill in the request's field.
const ActorKey = "x-greenlight-actor"

// proven is who a proxy says that asks; empty without one. A word beside the proxy's
// can only be the client's: then nobody knows which is whose.
func proven(ctx context.Context) (string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	all := md.Get(ActorKey)
	if len(all) > 1 {
		return "", failure(codes.InvalidArgument, ReasonBadRequest, "the metadata "+ActorKey+" is there more than once: the proxy has to put its own in the place of what a client sends")
	}
	return strings.TrimSpace(strings.Join(all, "")), nil
}

// actor says who asks: the request's own word, else the metadata's, else the
// peer's address. It is never empty: the history has to name someone.
func actor(ctx context.Context, named string) string {
	if named = strings.TrimSpace(named); named != "" {
		return named
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, v := range md.Get(ActorKey) {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil && p.Addr.String() != "" {
		return withoutPort(p.Addr.String())
	}
	return "unknown"
}

// withoutPort drops a client's port: it differs with each connection, and so
// the same caller would be someone else when it repeats a request.
func withoutPort(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
		return host
	}
	return addr
}
