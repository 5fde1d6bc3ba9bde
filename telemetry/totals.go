package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"greenlight/policy"
	"greenlight/rollout"
)

// totals are a model's requests since the start, for /metrics.
type totals map[totalKey]float64

type totalKey struct {
	color policy.Color
	kind  kind
	class string
}

func (t *totals) add(r request, scale float64) {
	if *t == nil {
		*t = totals{}
	}
	class := "none"
	switch {
	case r.gone:
		class = "gone"
	case r.grpc > 0 && r.error:
		class = "grpc_error"
	case r.class > 0:
		class = strconv.Itoa(r.class) + "xx"
	}
	(*t)[totalKey{r.color, r.kind, class}] += scale
}

var kindNames = map[kind]string{users: "user", shadow: "shadow", preview: "preview"}

var requestsDesc = prometheus.NewDesc("greenlight_requests_total",
	"Requests that the fleets reported; where a sample is reported, an estimate of all.",
	[]string{"model", "color", "kind", "class"}, nil)

// Describe implements prometheus.Collector.
func (s *Server) Describe(c chan<- *prometheus.Desc) { c <- requestsDesc }

// Collect implements prometheus.Collector.
func (s *Server) Collect(c chan<- prometheus.Metric) {
	for _, name := range s.names() {
		m := s.model(name)
		if m == nil {
			continue
		}
		m.mu.Lock()
		for key, n := range m.totals {
			c <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, n,
				name, string(key.color), kindNames[key.kind], key.class)
		}
		m.mu.Unlock()
	}
}

var _ prometheus.Collector = (*Server)(nil)

var _ interface {
	Take(string) []rollout.Window
} = (*Server)(nil)
