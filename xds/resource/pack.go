package resource

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// Marshal turns a resource into its bytes, equal for equal resources.
func Marshal(m proto.Message) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// pack wraps an extension's configuration. Marshalling fails only on text that
// is not UTF-8, which no policy contains; the empty value that would then stand
// here is refused by Envoy rather than misread.
func pack(m proto.Message) *anypb.Any {
	value, err := Marshal(m)
	if err != nil {
		value = nil
	}
	return &anypb.Any{TypeUrl: "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName()), Value: value}
}

// ads is the source of everything that a resource refers to: the stream that
// the resource itself came over.
func ads(initialFetch time.Duration) *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
		InitialFetchTimeout:   duration(initialFetch),
	}
}

func socketAddress(host string, port int) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}

func duration(d time.Duration) *durationpb.Duration { return durationpb.New(d) }

func number(n int) *wrapperspb.UInt32Value { return wrapperspb.UInt32(uint32(n)) }
