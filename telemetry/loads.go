package telemetry

import (
	"errors"
	"io"
	"strings"

	lrsv3 "github.com/envoyproxy/go-control-plane/envoy/service/load_stats/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"greenlight/policy"
)

// loadEvery is how often an Envoy reports its load.
const loadEvery = window

// loadReports is Envoy's load reporting service, for fleets that keep their own
// listeners: counts of requests and errors, without latency, and without telling
// users' requests from mirrored ones.
type loadReports struct {
	lrsv3.UnimplementedLoadReportingServiceServer
	s *Server
}

// StreamLoadStats asks one Envoy for the load of all of its clusters.
func (l loadReports) StreamLoadStats(stream lrsv3.LoadReportingService_StreamLoadStatsServer) error {
	var from source
	asked := false
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n := message.GetNode(); n != nil {
			from = source{n.GetCluster(), n.GetId()}
		}
		if !asked {
			asked = true
			answer := &lrsv3.LoadStatsResponse{SendAllClusters: true, LoadReportingInterval: durationpb.New(loadEvery)}
			if err := stream.Send(answer); err != nil {
				return err
			}
		}
		for _, c := range message.GetClusterStats() {
			name, color, found := strings.Cut(c.GetClusterName(), "/")
			m := l.s.model(name)
			if !found || m == nil || !policy.Color(color).Valid() {
				continue
			}
			for _, at := range c.GetUpstreamLocalityStats() {
				m.load(from, policy.Color(color), at.GetTotalSuccessfulRequests(), at.GetTotalErrorRequests())
			}
		}
	}
}

// mostLoad bounds what one report may claim, so that a broken one can't keep the
// server counting.
const mostLoad = 1 << 22

// load counts requests that ended, of which nothing else is known.
func (m *model) load(from source, c policy.Color, good, bad uint64) {
	for _, n := range [...]struct {
		count uint64
		r     request
	}{
		{good, request{color: c, class: 2, grpc: -1, seconds: -1}},
		{bad, request{color: c, class: 5, grpc: -1, error: true, seconds: -1}},
	} {
		for range min(n.count, mostLoad) {
			m.add(from, n.r, 1)
		}
	}
}
