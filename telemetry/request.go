package telemetry

import (
	"hash/maphash"
	"net"
	"strconv"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"google.golang.org/grpc/codes"

	"greenlight/policy"
	"greenlight/rollout"
)

// kind is whose request it was.
type kind int

const (
	users kind = iota
	shadow
	preview
)

// request is what is counted of one reported request.
type request struct {
	model   string
	color   policy.Color
	kind    kind
	weights rollout.Weights
	address string // of the instance; empty if none answered
	class   int    // status class; 0 is no answer
	grpc    int64  // gRPC status; -1 of other requests
	flags   []string
	error   bool
	reject  bool
	gone    bool
	seconds float64
	ended   time.Time // by the Envoy's clock
	print   uint64    // equal for a report that comes twice
}

var seed = maphash.MakeSeed()

// read takes what counts out of a report; false if it is of no model's cluster.
func read(e *datav3.HTTPAccessLogEntry, mirrored bool) (request, bool) {
	common := e.GetCommonProperties()
	name, color, found := strings.Cut(common.GetUpstreamCluster(), "/")
	r := request{model: name, color: policy.Color(color), grpc: -1}
	if !found || !r.color.Valid() {
		return request{}, false
	}
	switch route := common.GetRouteName(); {
	case mirrored:
		r.kind = shadow
	case strings.HasPrefix(route, name+"/preview/"):
		r.kind = preview
	}
	r.weights = rollout.ReadTag(common.GetCustomTags()[rollout.WeightsTag])
	r.address = addressOf(common.GetUpstreamRemoteAddress())
	r.judge(e)
	r.time(common)
	r.print = fingerprint(e)
	return r, true
}

// judge says how the request ended.
func (r *request) judge(e *datav3.HTTPAccessLogEntry) {
	response, flags := e.GetResponse(), e.GetCommonProperties().GetResponseFlags()
	r.flags = shortFlags(flags)
	status := response.GetResponseCode().GetValue()
	if class := int(status / 100); class <= 5 {
		r.class = class
	}
	if text := grpcStatusOf(response); text != "" {
		if code, err := strconv.ParseUint(text, 10, 32); err == nil {
			r.grpc = int64(code)
		}
	}
	switch {
	case r.class == 0 && (flags.GetDownstreamConnectionTermination() || flags.GetDownstreamRemoteReset()):
		r.gone = true
	case r.class == 0 || r.class == 5:
		r.error = true
	case r.class == 4:
		r.reject = true
	case r.grpc > 0:
		r.error = serverFault(codes.Code(r.grpc))
		r.reject = !r.error
	case flags.GetDownstreamConnectionTermination() || flags.GetDownstreamRemoteReset():
		r.gone = true
	case flags.GetUpstreamRemoteReset() || flags.GetUpstreamConnectionTermination() || flags.GetStreamIdleTimeout() || flags.GetUpstreamProtocolError():
		r.error = true // it broke off in the middle of the answer
	}
}

// grpcStatusOf is the gRPC status: in the trailers or, without a message, in the headers.
func grpcStatusOf(r *datav3.HTTPResponseProperties) string {
	if text := r.GetResponseTrailers()["grpc-status"]; text != "" {
		return text
	}
	return r.GetResponseHeaders()["grpc-status"]
}

// serverFault tells the statuses that are the server's fault, as OpenTelemetry's
// conventions for gRPC servers do.
func serverFault(c codes.Code) bool {
	switch c {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	default:
		return false
	}
}

// time is how long the model took: until the last byte that came from it or, where
// none came, until the client had its answer.
func (r *request) time(c *datav3.AccessLogCommon) {
	took := c.GetTimeToLastUpstreamRxByte()
	if took == nil {
		took = c.GetTimeToLastDownstreamTxByte()
	}
	if took == nil {
		took = c.GetDuration()
	}
	r.seconds = max(0, took.AsDuration().Seconds())
	r.ended = c.GetStartTime().AsTime().Add(c.GetDuration().AsDuration())
}

// fingerprint tells requests apart: two that began in the same nanosecond, on the
// same connection, and took exactly as long are one.
func fingerprint(e *datav3.HTTPAccessLogEntry) uint64 {
	c := e.GetCommonProperties()
	var h maphash.Hash
	h.SetSeed(seed)
	maphash.WriteComparable(&h, [6]int64{
		c.GetStartTime().GetSeconds(), int64(c.GetStartTime().GetNanos()),
		int64(c.GetDuration().AsDuration()), int64(c.GetTimeToLastUpstreamRxByte().AsDuration()),
		int64(c.GetTimeToLastDownstreamTxByte().AsDuration()), int64(c.GetDownstreamDirectRemoteAddress().GetSocketAddress().GetPortValue()),
	})
	_, _ = h.WriteString(c.GetStreamId())
	_, _ = h.WriteString(c.GetUpstreamCluster())
	return h.Sum64()
}

func addressOf(a *corev3.Address) string {
	s := a.GetSocketAddress()
	if s == nil {
		return ""
	}
	return net.JoinHostPort(s.GetAddress(), strconv.FormatUint(uint64(s.GetPortValue()), 10))
}

// shortFlags are the flags that are set, by Envoy's short names.
func shortFlags(f *datav3.ResponseFlags) []string {
	if f == nil {
		return nil
	}
	var out []string
	for _, flag := range [...]struct {
		set  bool
		name string
	}{
		{f.GetNoHealthyUpstream(), "UH"}, {f.GetUpstreamConnectionFailure(), "UF"}, {f.GetUpstreamOverflow(), "UO"},
		{f.GetUpstreamRequestTimeout(), "UT"}, {f.GetLocalReset(), "LR"}, {f.GetUpstreamRemoteReset(), "UR"},
		{f.GetUpstreamConnectionTermination(), "UC"}, {f.GetDownstreamConnectionTermination(), "DC"},
		{f.GetUpstreamRetryLimitExceeded(), "URX"}, {f.GetStreamIdleTimeout(), "SI"}, {f.GetDurationTimeout(), "DT"},
		{f.GetUpstreamProtocolError(), "UPE"}, {f.GetUpstreamMaxStreamDurationReached(), "UMSDR"},
		{f.GetOverloadManager(), "OM"}, {f.GetDownstreamRemoteReset(), "DR"}, {f.GetNoClusterFound(), "NC"},
	} {
		if flag.set {
			out = append(out, flag.name)
		}
	}
	return out
}
