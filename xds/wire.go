package xds

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
)

// window is a static HTTP/2 window. At 64 KB and more grpc-go stops probing for
// bandwidth, which costs a third of the CPU with many streams.
const window = 1 << 20

// maxRequest bounds one message of a node.
const maxRequest = 4 << 20

// ServerOptions are what a gRPC server of a Server must be built with: without
// the codec no answer can be sent.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{encoding.GetCodecV2(proto.Name)}),
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(window),
		grpc.MaxRecvMsgSize(maxRequest),
		// Non-aggregated Envoys open one stream per resource on one connection.
		grpc.MaxConcurrentStreams(100_000),
		// A dead connection is noticed well before a confirmation times out.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
}

// frame is an answer whose pieces are already bytes, most of them shared by all
// streams. Protobuf fields may come in any order, so the one piece that is a
// stream's own, the nonce, stands at the end.
type frame struct{ pieces mem.BufferSlice }

// codec writes frames as they are and everything else as protobuf.
type codec struct{ encoding.CodecV2 }

// Marshal implements encoding.CodecV2. The pieces are plain slices, whose
// reference counts gRPC ignores.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if f, ok := v.(*frame); ok {
		return f.pieces, nil
	}
	return c.CodecV2.Marshal(v)
}
