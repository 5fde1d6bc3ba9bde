package telemetry

import (
	"math"
	"testing"
	"time"

	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Whatever an Envoy, or somebody who plays one, reports: each report of a model is
// counted once, as a request, as late or as doubled, and no figure is out of its range.
func FuzzReports(f *testing.F) {
	add := func(e *datav3.HTTPAccessLogEntry) {
		b, err := proto.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
	}
	common := func(cluster string) *datav3.AccessLogCommon {
		return &datav3.AccessLogCommon{
			UpstreamCluster: cluster, RouteName: "fraud/users", StartTime: timestamppb.New(time.Unix(1_793_534_400, 0)),
			Duration: durationpb.New(time.Second), CustomTags: map[string]string{"greenlight.weights": "9500/500"},
		}
	}
	add(&datav3.HTTPAccessLogEntry{CommonProperties: common("fraud/green"), Response: &datav3.HTTPResponseProperties{ResponseCode: wrapperspb.UInt32(200), ResponseTrailers: map[string]string{"grpc-status": "14"}}})
	add(&datav3.HTTPAccessLogEntry{CommonProperties: common("fraud/red")})
	odd := common("fraud/blue")
	odd.StartTime, odd.Duration = &timestamppb.Timestamp{Seconds: math.MaxInt64, Nanos: -1}, &durationpb.Duration{Seconds: math.MinInt64}
	odd.ResponseFlags = &datav3.ResponseFlags{DownstreamConnectionTermination: true}
	add(&datav3.HTTPAccessLogEntry{CommonProperties: odd, Response: &datav3.HTTPResponseProperties{ResponseCode: wrapperspb.UInt32(math.MaxUint32)}})
	f.Fuzz(func(t *testing.T, report []byte, mirrored bool) {
		var e datav3.HTTPAccessLogEntry
		if proto.Unmarshal(report, &e) != nil {
			return
		}
		s := New(Options{})
		s.SetModels([]string{"fraud"})
		l := &log{s: s, from: source{"edge", "e1"}, mirrored: mirrored, sample: 10}
		l.hear([]*datav3.HTTPAccessLogEntry{&e, &e})
		r, known := read(&e, mirrored)
		s.close()
		windows := s.Take("fraud")
		if !known || r.model != "fraud" {
			if len(windows) != 0 {
				t.Fatalf("counted %+v", windows)
			}
			return
		}
		if len(windows) != 1 {
			t.Fatalf("%d windows", len(windows))
		}
		w := windows[0]
		tallies := []int{w.Shadow.Blue.Requests, w.Shadow.Green.Requests, w.Preview.Blue.Requests, w.Preview.Green.Requests}
		for _, u := range w.Users {
			tallies = append(tallies, u.Colors.Blue.Requests, u.Colors.Green.Requests)
			for _, c := range []float64{u.Colors.Blue.Latency.Quantile(0.99), u.Colors.Green.Latency.Quantile(0.99)} {
				if !(c >= 0) || math.IsInf(c, 0) {
					t.Errorf("latency %g", c)
				}
			}
		}
		requests := 0
		for _, n := range tallies {
			requests += n
		}
		if requests+w.Late != 1 || w.Doubled != 1 {
			t.Errorf("%d requests, %d late, %d doubled of two that are one", requests, w.Late, w.Doubled)
		}
	})
}
