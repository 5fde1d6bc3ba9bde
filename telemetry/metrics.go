package telemetry

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

var kindNames = map[kind]string{users: "user", shadow: "shadow", preview: "preview"}

const estimated = " Where a sample is reported, an estimate of all."

var (
	requestsDesc = prometheus.NewDesc("greenlight_requests_total",
		"Requests that the fleets reported."+estimated, []string{"model", "color", "kind", "class"}, nil)
	errorsDesc = prometheus.NewDesc("greenlight_request_errors_total",
		"Reported requests that the color failed: 5xx, no or half an answer, and gRPC statuses that are the server's fault."+estimated,
		[]string{"model", "color", "kind"}, nil)
	secondsDesc = prometheus.NewDesc("greenlight_request_duration_seconds",
		"How long reported requests took, but for those whose client left."+estimated, []string{"model", "color", "kind"}, nil)
	leftOutDesc = prometheus.NewDesc("greenlight_reports_left_out_total",
		"Reports of requests that were not counted: late, of one that ended more than a minute before, or doubled.",
		[]string{"model", "why"}, nil)
)

// Describe implements prometheus.Collector.
func (s *Server) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{requestsDesc, errorsDesc, secondsDesc, leftOutDesc} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Server) Collect(c chan<- prometheus.Metric) {
	for _, name := range s.names() {
		if m := s.model(name); m != nil {
			for _, metric := range m.metrics(name) {
				c <- metric
			}
		}
	}
}

var _ prometheus.Collector = (*Server)(nil)

func (m *model) metrics(name string) []prometheus.Metric {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []prometheus.Metric
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		out = append(out, prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, append([]string{name}, labels...)...))
	}
	counter(leftOutDesc, float64(m.totals.late), "late")
	counter(leftOutDesc, float64(m.totals.doubled), "doubled")
	for key, n := range m.totals.requests {
		counter(requestsDesc, n, string(key.color), kindNames[key.kind], key.class)
	}
	for key, t := range m.totals.of {
		color, kind := string(key.color), kindNames[key.kind]
		counter(errorsDesc, t.errors, color, kind)
		sum, upTo := 0.0, map[float64]uint64{}
		for i, end := range buckets {
			sum += t.below[i]
			upTo[end] = uint64(math.Round(sum))
		}
		sum += t.below[len(buckets)]
		out = append(out, prometheus.MustNewConstHistogram(secondsDesc, uint64(math.Round(sum)), t.seconds, upTo, name, color, kind))
	}
	return out
}
