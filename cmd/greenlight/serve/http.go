package serve

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"greenlight/policy"
	"greenlight/rollout"
)

// pages serves /metrics, /healthz (the process lives) and /readyz (it has sent,
// or may send, routing to the fleets).
// While it is not ready it names the models that it waits for.
func pages(statuses func() []rollout.Status, ready <-chan struct{}, waiting func() []string, more ...prometheus.Collector) *http.Server {
	registry := prometheus.NewRegistry()
	registry.MustRegister(append(more, &modelMetrics{statuses: statuses})...)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-ready:
			fmt.Fprintln(w, "ready")
		default:
			text := "waiting for the first whole answer of policies, journal and registry; nothing is sent to the fleets before"
			if models := waiting(); len(models) > 0 {
				text += "\nthe registry has not answered yet for: " + strings.Join(models, ", ")
			}
			http.Error(w, text, http.StatusServiceUnavailable)
		}
	})
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
}

// modelMetrics turns the present statuses into metrics when it is scraped.
type modelMetrics struct{ statuses func() []rollout.Status }

var (
	weightDesc    = prometheus.NewDesc("greenlight_model_weight_ratio", "Share of users' requests that a color gets, 0 to 1.", []string{"model", "color"}, nil)
	liveDesc      = prometheus.NewDesc("greenlight_model_live", "1 for the live color, 0 for the idle one.", []string{"model", "color"}, nil)
	readyDesc     = prometheus.NewDesc("greenlight_model_ready_endpoints", "Endpoints that the registry calls ready.", []string{"model", "color"}, nil)
	phaseDesc     = prometheus.NewDesc("greenlight_model_phase", "1 for the phase that the model is in.", []string{"model", "phase"}, nil)
	nodesDesc     = prometheus.NewDesc("greenlight_model_nodes", "Nodes that route the model, by what they made of its last routing.", []string{"model", "state"}, nil)
	problemDesc   = prometheus.NewDesc("greenlight_model_problem", "1 while a person should look: the switch, the policy file, the registry or the preview has a problem.", []string{"model", "of"}, nil)
	phaseAgeDesc  = prometheus.NewDesc("greenlight_model_phase_start_time_seconds", "Unix time at which the present phase began.", []string{"model"}, nil)
	generationDes = prometheus.NewDesc("greenlight_model_generation", "Number of the model's last published routing.", []string{"model"}, nil)
)

// Describe implements prometheus.Collector.
func (m *modelMetrics) Describe(c chan<- *prometheus.Desc) {
	own := []*prometheus.Desc{weightDesc, liveDesc, readyDesc, phaseDesc, nodesDesc, problemDesc, phaseAgeDesc, generationDes}
	for _, d := range slices.Concat(own, trafficDescs, costDescs) {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (m *modelMetrics) Collect(c chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range m.statuses() {
		name := s.State.Model
		for _, color := range policy.Colors {
			gauge(weightDesc, float64(s.State.Weights.Of(color))/float64(policy.Full), name, string(color))
			gauge(liveDesc, truth(s.State.Live == color), name, string(color))
			gauge(readyDesc, float64(len(s.Endpoints.Of(color))), name, string(color))
		}
		gauge(phaseDesc, 1, name, string(s.State.Phase))
		if !s.State.Since.IsZero() { // nothing has happened to the model yet
			gauge(phaseAgeDesc, float64(s.State.Since.UnixMilli())/1000, name)
		}
		gauge(generationDes, float64(s.State.Generation), name)
		gauge(nodesDesc, float64(s.Report.Acked), name, "acked")
		gauge(nodesDesc, float64(s.Report.Connected), name, "connected")
		gauge(problemDesc, truth(s.State.Problem != ""), name, "switch")
		gauge(problemDesc, truth(s.PolicyProblem != ""), name, "policy")
		gauge(problemDesc, truth(s.Endpoints.Problem != ""), name, "registry")
		gauge(problemDesc, truth(s.Report.PreviewClosed != ""), name, "preview")
		collectTraffic(gauge, s)
		collectCost(c, gauge, s, time.Now())
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
