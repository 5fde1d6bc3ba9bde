package telemetry_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"greenlight/rollout"
	"greenlight/telemetry"
)

// reporter is an Envoy that reports, as far as the server can tell.
type reporter struct {
	t      testing.TB
	conn   *grpc.ClientConn
	stream alsv3.AccessLogService_StreamAccessLogsClient
	node   string
	first  bool
	port   uint32
}

// newHearing is a server behind a real connection.
func newHearing(t testing.TB, o telemetry.Options) (*telemetry.Server, *grpc.ClientConn) {
	t.Helper()
	s := telemetry.New(o)
	s.SetModels([]string{"fraud"})
	server := grpc.NewServer()
	s.Register(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return s, conn
}

func newReporter(t testing.TB, conn *grpc.ClientConn, node string) *reporter {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	stream, err := alsv3.NewAccessLogServiceClient(conn).StreamAccessLogs(ctx)
	must(t, err)
	return &reporter{t: t, conn: conn, stream: stream, node: node, first: true}
}

// entry is a request as Envoy 1.40 reports it.
func (r *reporter) entry(at time.Time, cluster string, status uint32, took time.Duration) *datav3.HTTPAccessLogEntry {
	r.port++
	address := func(port uint32) *corev3.Address {
		return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "10.0.0.7", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
		}}}
	}
	return &datav3.HTTPAccessLogEntry{
		CommonProperties: &datav3.AccessLogCommon{
			DownstreamRemoteAddress: address(1000 + r.port%60000), DownstreamLocalAddress: address(8080),
			DownstreamDirectRemoteAddress: address(1000 + r.port%60000), UpstreamRemoteAddress: address(9000 + r.port%4),
			UpstreamLocalAddress: address(2000 + r.port%60000), UpstreamCluster: cluster, RouteName: "fraud",
			StartTime: timestamppb.New(at.Add(-took)), Duration: durationpb.New(took),
			TimeToLastRxByte: durationpb.New(time.Microsecond), TimeToFirstUpstreamTxByte: durationpb.New(time.Microsecond),
			TimeToLastUpstreamTxByte: durationpb.New(time.Microsecond), TimeToFirstUpstreamRxByte: durationpb.New(took),
			TimeToLastUpstreamRxByte: durationpb.New(took), TimeToFirstDownstreamTxByte: durationpb.New(took),
			TimeToLastDownstreamTxByte: durationpb.New(took), ResponseFlags: &datav3.ResponseFlags{},
			StreamId:   fmt.Sprintf("5b0f7e1c-%s-%08d", r.node, r.port),
			CustomTags: map[string]string{rollout.WeightsTag: "5000/5000"},
		},
		Request: &datav3.HTTPRequestProperties{
			Authority: "fraud.models.internal", Path: "/v2/models/fraud/infer", UserAgent: "client/1.0",
			RequestId: "5b0f7e1c-0000-4000-8000-000000000000", RequestHeadersBytes: 300, RequestBodyBytes: 500,
		},
		Response: &datav3.HTTPResponseProperties{
			ResponseCode: wrapperspb.UInt32(status), ResponseHeadersBytes: 150, ResponseBodyBytes: 200, ResponseCodeDetails: "via_upstream",
		},
	}
}

func (r *reporter) send(entries ...*datav3.HTTPAccessLogEntry) {
	r.t.Helper()
	m := &alsv3.StreamAccessLogsMessage{LogEntries: &alsv3.StreamAccessLogsMessage_HttpLogs{
		HttpLogs: &alsv3.StreamAccessLogsMessage_HTTPAccessLogEntries{LogEntry: entries},
	}}
	if r.first {
		m.Identifier = &alsv3.StreamAccessLogsMessage_Identifier{
			Node: &corev3.Node{Id: r.node, Cluster: "edge"}, LogName: rollout.LogName(false, 10000),
		}
		r.first = false
	}
	must(r.t, r.stream.Send(m))
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// BenchmarkFigureReports is what 20,000 reported requests a second cost: the CPU of
// the server and of who reports, in one process.
func BenchmarkFigureReports(b *testing.B) {
	const perSecond, nodes, batch, seconds = 20_000, 4, 100, 75
	taken := 0
	var s *telemetry.Server
	s, conn := newHearing(b, telemetry.Options{Changed: func(model string) {
		for _, w := range s.Take(model) {
			for _, r := range w.Users {
				taken += r.Colors.Blue.Requests + r.Colors.Green.Requests
			}
		}
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Run(ctx) }()
	var reporters []*reporter
	for i := range nodes {
		reporters = append(reporters, newReporter(b, conn, fmt.Sprintf("e%d", i)))
	}
	sent := 0
	var marks []float64
	began, cpuBefore := time.Now(), cpu()
	tick := time.NewTicker(time.Second * batch / perSecond)
	defer tick.Stop()
	for sent < perSecond*seconds {
		<-tick.C
		for sent < int(time.Since(began).Seconds()*perSecond) {
			r := reporters[sent/batch%nodes]
			entries := make([]*datav3.HTTPAccessLogEntry, batch)
			for i := range entries {
				entries[i] = r.entry(time.Now(), []string{"fraud/blue", "fraud/green"}[i%2], 200, time.Duration(1+i)*time.Millisecond)
			}
			r.send(entries...)
			sent += batch
		}
		// The doubles are remembered for a minute: from then on memory stands.
		if at := time.Since(began).Seconds(); len(marks) == 0 && at > 65 {
			marks = append(marks, heap())
		}
	}
	took, used := time.Since(began), cpu()-cpuBefore
	marks = append(marks, heap())
	time.Sleep(2 * time.Second) // for the last window
	cancel()
	<-ended
	share := used.Seconds() / took.Seconds()
	fmt.Printf("\nReports of %d requests a second on %d streams for %v: %.2f of a core, server and reporters together (goal of the server alone: at most 0.5)\n",
		int(float64(sent)/took.Seconds()), nodes, took.Round(time.Second), share)
	fmt.Printf("  heap after a minute %.0f MB, at the end %.0f MB\n", marks[0], marks[len(marks)-1])
	b.ReportMetric(share, "cores")
	b.ReportMetric(0, "ns/op")
	switch {
	case taken != sent:
		b.Errorf("%d of %d requests were counted", taken, sent)
	case share > 0.8: // with the reporters' own work in it, on a machine that may be busy
		b.Errorf("MISSED: %.2f of a core", share)
	case marks[len(marks)-1] > marks[0]*1.3+10:
		b.Errorf("MISSED: memory grows: %v MB", marks)
	}
}
