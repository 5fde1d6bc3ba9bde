package telemetry

import (
	"flag"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"greenlight/policy"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// The golden file is what Prometheus is told; -update writes it anew.
func TestMetrics(t *testing.T) {
	at := time.Unix(1793534400, 0)
	s := New(Options{Now: func() time.Time { return at }})
	s.SetModels([]string{"fraud", "quiet"})
	report := func(mirrored bool, sample policy.Weight, cluster string, status uint32, grpc string, ms int, ago time.Duration) {
		e := &datav3.HTTPAccessLogEntry{
			CommonProperties: &datav3.AccessLogCommon{
				UpstreamCluster: cluster, RouteName: "fraud", StartTime: timestamppb.New(at.Add(-ago)),
				TimeToLastUpstreamRxByte: durationpb.New(time.Duration(ms) * time.Millisecond),
			},
			Response: &datav3.HTTPResponseProperties{ResponseTrailers: map[string]string{"grpc-status": grpc}},
		}
		if status > 0 {
			e.Response.ResponseCode = wrapperspb.UInt32(status)
		} else {
			e.CommonProperties.ResponseFlags = &datav3.ResponseFlags{DownstreamConnectionTermination: true}
		}
		l := &log{s: s, mirrored: mirrored, sample: sample}
		l.hear([]*datav3.HTTPAccessLogEntry{e})
	}
	for i, ms := range []int{0, 1, 2, 40, 41, 900, 120_000} {
		report(false, policy.Full, "fraud/blue", 200, "", ms, time.Duration(i)*time.Millisecond)
	}
	report(false, policy.Full, "fraud/green", 503, "", 1, 0)
	report(false, policy.Full, "fraud/green", 200, "14", 2, 0)
	report(false, policy.Full, "fraud/green", 200, "5", 3, 0)
	report(false, policy.Full, "fraud/green", 0, "", 4, 0)
	report(true, 3000, "fraud/green", 200, "", 30, 0)
	report(true, 3000, "fraud/green", 200, "", 30, time.Millisecond)
	report(true, 3000, "fraud/green", 200, "", 30, time.Millisecond)
	report(false, policy.Full, "fraud/blue", 200, "", 5, 2*time.Minute)

	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	got := w.Body.String()
	const golden = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}
