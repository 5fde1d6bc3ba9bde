package policy

import "strings"

// quantileNames are the latency quantiles that are always measured.
var quantileNames = [...]string{"p50", "p90", "p95", "p99"}

// Figures lists the figures that the check gives when they can be measured, as
// Verdict.Figures names them. An expression writes the check's name in front;
// see [Check.FigureName].
func (c Check) Figures() []string {
	switch {
	case c.Endpoints != nil:
		return []string{"ready", "needed", "live"}
	case c.Ready != nil:
		return []string{"endpoints", "ready", "failed"}
	case c.Golden != nil:
		return []string{"cases", "endpoints", "passed", "failed", "unasked", "maxError"}
	case c.Quality != nil:
		return c.Quality.figures()
	case c.Drift != nil:
		return c.Drift.figures()
	case c.Latency != nil:
		return c.Latency.figures()
	case c.Prometheus != nil && c.Prometheus.OfLive != nil:
		return []string{"value.idle", "value.live", "ratio"}
	case c.Prometheus != nil:
		return []string{"value.idle"}
	}
	return nil
}

// FigureName is one of the check's figures as expressions write it:
// CHECK.FIGURE, with "_" for "-" in the check's name.
func (c Check) FigureName(figure string) string {
	return figurePrefix(c.Name) + "." + figure
}

func figurePrefix(check string) string { return strings.ReplaceAll(check, "-", "_") }

func (q *QualityCheck) figures() []string {
	names, of := []string{"rows", "errors.idle"}, []string{"idle"}
	if q.NeedsLive() {
		names, of = append(names, "errors.live"), []string{"idle", "live", "difference", "low", "high"}
	}
	for _, g := range q.Gates {
		for _, figure := range of {
			names = append(names, string(g.Metric)+"."+figure)
		}
	}
	return names
}

func (d *DriftCheck) figures() []string {
	names := []string{"rows", "agreement", "psi", "ks", "ksP", "js", "chi2", "chi2P", "cramersV", "errors.idle"}
	if d.Baseline == nil {
		names = append(names, "errors.live")
	}
	return names
}

func (l *LatencyCheck) figures() []string {
	var names []string
	of := []string{"idle"}
	if l.NeedsLive() {
		of = append(of, "live")
	}
	for _, figure := range append(quantileNames[:], "mean", "count", "errors") {
		for _, color := range of {
			names = append(names, figure+"."+color)
		}
	}
	if l.NeedsLive() {
		for _, q := range quantileNames {
			names = append(names, q+".ratio")
		}
	}
	return names
}
