package resource

import (
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	grpclogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/grpc/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	metadatav3 "github.com/envoyproxy/go-control-plane/envoy/type/metadata/v3"
	tracingv3 "github.com/envoyproxy/go-control-plane/envoy/type/tracing/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"greenlight/policy"
	"greenlight/rollout"
)

const (
	grpcLogName = "envoy.access_loggers.http_grpc"
	// reportBytes is how much an Envoy collects before it reports without waiting.
	reportBytes = 64 << 10
	// metadataName is where a route says by which weights it sends users on.
	metadataName = "greenlight"
	weightsKey   = "weights"
	// shadowHost is a mirrored request's: Envoy appends -shadow, before a port if there is one.
	shadowHost = ".*-shadow(:[0-9]+)?"
)

// weightsMetadata tells the weights of a route to the reports of its requests.
// They are content: equal routing stays equal.
func weightsMetadata(w rollout.Weights) *corev3.Metadata {
	return &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{metadataName: {
		Fields: map[string]*structpb.Value{weightsKey: structpb.NewStringValue(rollout.TagOf(w))},
	}}}
}

// requestLog reports users' requests when they have ended.
func requestLog(t *policy.Telemetry) []*accesslogv3.AccessLog {
	if t == nil || t.Off {
		return nil
	}
	return []*accesslogv3.AccessLog{grpcLog(t, false, sampled(t.Sample))}
}

// shadowRequestLog reports mirrored requests. Envoy sends them with the router's
// own configuration, so that they appear in its upstream log and nowhere else;
// what tells them from users' requests there is their host.
func shadowRequestLog(t *policy.Telemetry) []*accesslogv3.AccessLog {
	if t == nil || t.Off {
		return nil
	}
	mirrored := &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_HeaderFilter{
		HeaderFilter: &accesslogv3.HeaderFilter{Header: &routev3.HeaderMatcher{
			Name: ":authority", HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
				StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: shadowHost}}},
			},
		}},
	}}
	return []*accesslogv3.AccessLog{grpcLog(t, true, both(mirrored, sampled(t.Sample)))}
}

func grpcLog(t *policy.Telemetry, shadow bool, filter *accesslogv3.AccessLogFilter) *accesslogv3.AccessLog {
	every := t.Every
	if every == 0 {
		every = time.Second
	}
	return &accesslogv3.AccessLog{
		Name:   grpcLogName,
		Filter: filter,
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: pack(&grpclogv3.HttpGrpcAccessLogConfig{
			CommonConfig: &grpclogv3.CommonGrpcAccessLogConfig{
				LogName: rollout.LogName(shadow, t.Sample),
				GrpcService: &corev3.GrpcService{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
					EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: xdsCluster},
				}},
				TransportApiVersion: corev3.ApiVersion_V3,
				BufferFlushInterval: duration(every),
				BufferSizeBytes:     number(reportBytes),
				CustomTags: []*tracingv3.CustomTag{{Tag: rollout.WeightsTag, Type: &tracingv3.CustomTag_Metadata_{
					Metadata: &tracingv3.CustomTag_Metadata{
						Kind: &metadatav3.MetadataKind{Kind: &metadatav3.MetadataKind_Route_{Route: &metadatav3.MetadataKind_Route{}}},
						MetadataKey: &metadatav3.MetadataKey{Key: metadataName, Path: []*metadatav3.MetadataKey_PathSegment{
							{Segment: &metadatav3.MetadataKey_PathSegment_Key{Key: weightsKey}},
						}},
					},
				}}},
			},
			// An answer without a body has its gRPC status in the headers.
			AdditionalResponseHeadersToLog:  []string{grpcStatus},
			AdditionalResponseTrailersToLog: []string{grpcStatus},
		})},
	}
}

const grpcStatus = "grpc-status"

// sampled lets so many requests through, each by a throw of its own; nil: all.
func sampled(share policy.Weight) *accesslogv3.AccessLogFilter {
	if share == policy.Full {
		return nil
	}
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_RuntimeFilter{
		RuntimeFilter: &accesslogv3.RuntimeFilter{
			RuntimeKey:               "greenlight.telemetry.sample",
			PercentSampled:           &typev3.FractionalPercent{Numerator: uint32(share), Denominator: typev3.FractionalPercent_TEN_THOUSAND},
			UseIndependentRandomness: true,
		},
	}}
}

func both(a, b *accesslogv3.AccessLogFilter) *accesslogv3.AccessLogFilter {
	if b == nil {
		return a
	}
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_AndFilter{
		AndFilter: &accesslogv3.AndFilter{Filters: []*accesslogv3.AccessLogFilter{a, b}},
	}}
}
