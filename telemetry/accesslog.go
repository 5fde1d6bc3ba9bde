package telemetry

import (
	"errors"
	"io"

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
	l := &log{s: a.s, sample: policy.Full}
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
}

// hear counts a batch of reports.
func (l *log) hear(entries []*datav3.HTTPAccessLogEntry) {
	now := l.s.passed()
	scale := float64(policy.Full) / float64(l.sample)
	h := l.s.heard.of(listened{l.from, l.mirrored}, now)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = now
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
		case h.seen.twice(r.print, now):
			m.left(0, 1)
		case h.clocks.age(now, r.ended.Sub(l.s.began)) > lateAfter:
			m.left(1, 0)
		default:
			m.add(l.from, r, scale)
		}
	}
}
