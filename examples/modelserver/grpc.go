package modelserver

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// newGRPC makes the gRPC server. Its one service is grpc.health.v1.Health, for
// the services "" and the model's name: enough to call, to tell from the
// headers which color answered, and to fail.
func (s *Server) newGRPC() {
	s.grpc = grpc.NewServer(grpc.UnaryInterceptor(s.intercept), grpc.StreamInterceptor(s.interceptStream))
	s.health = health.NewServer()
	s.health.SetServingStatus(s.opts.Name, healthv1.HealthCheckResponse_SERVING)
	healthv1.RegisterHealthServer(s.grpc, s.health)
}

func (s *Server) origin() metadata.MD {
	return metadata.Pairs(VersionHeader, s.opts.Version, ColorHeader, s.opts.Color)
}

func (s *Server) intercept(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	// Both can only fail outside of a handler. An error answer may have no
	// headers, so the trailers tell the origin too.
	_ = grpc.SetHeader(ctx, s.origin())
	_ = grpc.SetTrailer(ctx, s.origin())
	var user string
	if of := metadata.ValueFromIncomingContext(ctx, UserHeader); len(of) > 0 {
		user = of[0]
	}
	switch s.meet(ctx, user) {
	case Errors, Hang:
		return nil, status.Error(codes.Internal, "the model was made to fail")
	case Refuse:
		return nil, status.Error(codes.InvalidArgument, "the model was made to refuse")
	case Cut:
		return nil, status.Error(codes.Unavailable, "the model was made to break off")
	}
	return next(ctx, request)
}

func (s *Server) interceptStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	_ = stream.SetHeader(s.origin())
	stream.SetTrailer(s.origin())

	// A health watch lasts until its context ends; Close has to end it.
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	go func() {
		select {
		case <-s.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return next(srv, endingStream{stream, ctx})
}

// endingStream is a stream with a context that ends with the server.
type endingStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s endingStream) Context() context.Context { return s.ctx }
