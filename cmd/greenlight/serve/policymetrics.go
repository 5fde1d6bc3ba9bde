package serve

import (
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"greenlight/policy"
	"greenlight/policy/git"
)

// policyMetrics turns where policies come from into metrics.
type policyMetrics struct {
	origin     atomic.Pointer[policy.Origin] // nil before the first reading
	repository *git.Source
}

var (
	commitDesc       = prometheus.NewDesc("greenlight_policy_commit_info", "1 for the commit whose policies are in force.", []string{"commit", "ref"}, nil)
	originDesc       = prometheus.NewDesc("greenlight_policy_problem", "1 while what the folder or repository of policies says is not in force.", nil, nil)
	originSinceDesc  = prometheus.NewDesc("greenlight_policy_problem_start_time_seconds", "Unix time at which that began; absent while all is in force.", nil, nil)
	policyFetchedDec = prometheus.NewDesc("greenlight_policy_fetch_time_seconds", "Unix time of the last fetch of the repository that went well.", nil, nil)
)

// now is where the policies in force come from.
func (m *policyMetrics) now() policy.Origin {
	if o := m.origin.Load(); o != nil {
		return *o
	}
	return policy.Origin{}
}

// Describe implements prometheus.Collector.
func (m *policyMetrics) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{commitDesc, originDesc, originSinceDesc, policyFetchedDec} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (m *policyMetrics) Collect(c chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if o := m.origin.Load(); o != nil {
		if o.Commit != nil {
			gauge(commitDesc, 1, o.Commit.ID, strings.ToValidUTF8(o.Commit.Ref, "?"))
		}
		gauge(originDesc, truth(o.Problem != ""))
		if o.Problem != "" {
			gauge(originSinceDesc, float64(o.Since.UnixMilli())/1000)
		}
	}
	if m.repository != nil {
		if at := m.repository.Fetched(); !at.IsZero() {
			gauge(policyFetchedDec, float64(at.UnixMilli())/1000)
		}
	}
}
