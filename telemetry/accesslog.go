package telemetry

import (
	"errors"
	"io"
	"time"

	datav3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	alsv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"

	"greenlight/policy"
	"greenlight/rollout"
)

// source is who reports.
type source struct{ fleet, node string }

// accessLogs is Envoy's access log service.
type accessLogs struct {
	alsv3.UnimplementedAccessLogServiceServer
	s *Server
}

// StreamAccessLogs hears one Envoy until its stream ends. Only the first message
// names the node and the log.
func (a accessLogs) StreamAccessLogs(stream alsv3.AccessLogService_StreamAccessLogsServer) error {
	l := &log{s: a.s, seen: newSeen(), sample: policy.Full}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&alsv3.StreamAccessLogsResponse{})
		}
		if err != nil {
			return err
		}
		if id := message.GetIdentifier(); id != nil {
			l.from = source{id.GetNode().GetCluster(), id.GetNode().GetId()}
			l.mirrored, l.sample = rollout.ReadLogName(id.GetLogName())
		}
		l.hear(message.GetHttpLogs().GetLogEntry())
	}
}

// log is one stream of reports.
type log struct {
	s        *Server
	from     source
	mirrored bool
	sample   policy.Weight
	seen     *seen
	clocks   clockGap
}

// hear counts a batch of reports.
func (l *log) hear(entries []*datav3.HTTPAccessLogEntry) {
	now := l.s.now()
	scale := float64(policy.Full) / float64(l.sample)
	for _, e := range entries {
		r, ok := read(e, l.mirrored)
		if !ok {
			continue
		}
		m := l.s.model(r.model)
		if m == nil {
			continue
		}
		switch {
		case l.seen.twice(r.print, now):
			m.left(0, 1)
		case l.clocks.age(now, r.ended) > lateAfter:
			m.left(1, 0)
		default:
			m.add(l.from, r, scale)
		}
	}
}

// clockGap learns how two clocks differ from what is sent between them.
type clockGap struct {
	known bool
	least time.Duration
	// oldSince is since when every report seemed old. A backlog ends soon; what does
	// not end is a clock that was set.
	oldSince time.Time
}

// relearnAfter is how long reports may seem old before the clock is found changed.
const relearnAfter = 5 * time.Second

// age is how old a report is: how much later than the quickest report so far one comes. A clock that
// differs from ours differs in the same way for all of a stream's reports.
func (g *clockGap) age(now, ended time.Time) time.Duration {
	took := now.Round(0).Sub(ended)
	if !g.known || took < g.least {
		g.known, g.least = true, took
	}
	switch age := took - g.least; {
	case age <= lateAfter:
		g.oldSince = time.Time{}
	case g.oldSince.IsZero():
		g.oldSince = now
	case now.Sub(g.oldSince) > relearnAfter:
		g.least, g.oldSince = took, time.Time{}
	}
	return took - g.least
}
