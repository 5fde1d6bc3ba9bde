package predict

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"greenlight/check/predict/oipv2"
	"greenlight/rollout"
)

// grpcCarrier calls ModelInfer.
type grpcCarrier struct {
	conn     *grpc.ClientConn
	metadata metadata.MD // of every call; never changed
}

func newGRPCCarrier(address string, headers http.Header, o Options) (*grpcCarrier, error) {
	conn, err := NewGRPC(address, o.Host, o.ConnectTimeout, int(o.MaxBody))
	if err != nil {
		return nil, fmt.Errorf("make gRPC client: %w", err)
	}
	md := metadata.MD{}
	for name, values := range headers {
		md.Append(name, values...)
	}
	return &grpcCarrier{conn, md}, nil
}

func (c *grpcCarrier) close() { _ = c.conn.Close() }

// send calls ModelInfer. A status that the server gave is an answer with the
// HTTP status that goes with its code.
func (c *grpcCarrier) send(ctx context.Context, _ string, m message, into []byte) (answer, error) {
	got := into[:0]
	var header metadata.MD
	err := c.conn.Invoke(metadata.NewOutgoingContext(ctx, c.metadata),
		oipv2.GRPCInferenceService_ModelInfer_FullMethodName, &m.body, &got, grpc.ForceCodec(asIs{}), grpc.Header(&header))
	if err == nil {
		return answer{status: http.StatusOK, body: got, grpc: true, color: strings.Join(header.Get(rollout.ColorHeader), ",")}, nil
	}
	s := status.Convert(err)
	if ctx.Err() != nil || s.Code() == codes.Unavailable && strings.HasPrefix(s.Message(), "connection error") {
		return answer{}, fmt.Errorf("%s: %s", s.Code(), s.Message())
	}
	body, err := json.Marshal(map[string]string{"error": s.Message(), "code": s.Code().String()})
	if err != nil {
		return answer{}, fmt.Errorf("write status: %w", err)
	}
	return answer{status: httpStatus(s.Code()), body: body}, nil
}

// asIs is the codec of messages that are written already.
type asIs struct{}

func (asIs) Name() string { return "proto" }

func (asIs) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("%T is no written message", v)
	}
	return *b, nil
}

func (asIs) Unmarshal(from []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T takes no written message", v)
	}
	*b = append((*b)[:0], from...)
	return nil
}

// httpStatus is the HTTP status of a gRPC code, as google/rpc/code.proto maps them.
func httpStatus(c codes.Code) int {
	switch c {
	case codes.Canceled:
		return 499
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange:
		return http.StatusBadRequest
	case codes.DeadlineExceeded:
		return http.StatusGatewayTimeout
	case codes.NotFound:
		return http.StatusNotFound
	case codes.AlreadyExists, codes.Aborted:
		return http.StatusConflict
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.Unimplemented:
		return http.StatusNotImplemented
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
