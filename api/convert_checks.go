package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
)

func check(c policy.Check) *adminv1.Check {
	out := &adminv1.Check{
		Name: c.Name, Timeout: lasting(c.Timeout), Retries: number(c.Retries),
		OnInconclusive: onInconclusives[c.OnInconclusive],
	}
	switch {
	case c.Endpoints != nil:
		out.Kind = &adminv1.Check_Endpoints{Endpoints: &adminv1.EndpointsCheck{
			Min: number(c.Endpoints.Min), OfLivePercent: percent(c.Endpoints.OfLive),
		}}
	case c.Ready != nil:
		out.Kind = &adminv1.Check_Ready{Ready: &adminv1.ReadyCheck{
			Path: c.Ready.Path, Grpc: c.Ready.GRPC, Service: c.Ready.Service,
		}}
	case c.Golden != nil:
		out.Kind = &adminv1.Check_Golden{Golden: golden(c.Golden)}
	case c.Quality != nil:
		out.Kind = &adminv1.Check_Quality{Quality: quality(c.Quality)}
	case c.Drift != nil:
		out.Kind = &adminv1.Check_Drift{Drift: drift(c.Drift)}
	case c.Latency != nil:
		out.Kind = &adminv1.Check_Latency{Latency: latency(c.Latency)}
	case c.Prometheus != nil:
		p := c.Prometheus
		out.Kind = &adminv1.Check_Prometheus{Prometheus: &adminv1.PrometheusCheck{
			Server: p.Server, Query: p.Query, Token: secret(p.Token), Min: p.Min, Max: p.Max, OfLive: p.OfLive,
		}}
	case c.Webhook != nil:
		out.Kind = &adminv1.Check_Webhook{Webhook: &adminv1.WebhookCheck{
			Url: c.Webhook.URL, Secret: secret(c.Webhook.Secret),
		}}
	case c.Expression != nil:
		out.Kind = &adminv1.Check_Expression{Expression: &adminv1.ExpressionCheck{
			Text: c.Expression.Text, Uses: c.Expression.Uses,
		}}
	}
	return out
}

func golden(g *policy.GoldenCheck) *adminv1.GoldenCheck {
	return &adminv1.GoldenCheck{
		File: g.File,
		// The two enums have the same numbers; a test says so.
		Protocol:  adminv1.GoldenProtocol(predictProtocols[g.Protocol]),
		Path:      g.Path,
		Tolerance: g.Tolerance,
		Absolute:  g.Absolute,
		Relative:  g.Relative,
		Ulp:       number(g.ULP),
		TopK:      number(g.TopK),
	}
}

func quality(q *policy.QualityCheck) *adminv1.QualityCheck {
	return &adminv1.QualityCheck{
		Data:      q.Data,
		Label:     q.Label,
		Items:     q.Items,
		Rows:      number(q.Rows),
		K:         number(q.K),
		Gates:     list(q.Gates, gate),
		Slices:    q.Slices,
		SliceRows: number(q.SliceRows),
	}
}

func gate(g policy.Gate) *adminv1.Gate {
	out := &adminv1.Gate{Metric: string(g.Metric), Min: g.Min, Max: g.Max}
	if n := g.NotWorse; n != nil {
		out.NotWorseThanLive = &adminv1.NotWorse{Margin: n.Margin, Confidence: n.Confidence, Detect: n.Detect}
	}
	return out
}

func drift(d *policy.DriftCheck) *adminv1.DriftCheck {
	out := &adminv1.DriftCheck{
		Data:          d.Data,
		Rows:          number(d.Rows),
		Bins:          number(d.Bins),
		Agreement:     d.Agreement,
		Psi:           d.PSI,
		Ks:            d.KS,
		JensenShannon: d.JensenShannon,
		CramersV:      d.CramersV,
	}
	if b := d.Baseline; b != nil {
		out.Baseline = &adminv1.Baseline{Label: b.Label, Score: b.Score, Value: b.Value}
	}
	return out
}

func latency(l *policy.LatencyCheck) *adminv1.LatencyCheck {
	return &adminv1.LatencyCheck{
		Data:        l.Data,
		Requests:    l.Requests,
		Count:       number(l.Count),
		Rate:        l.Rate,
		Duration:    lasting(l.For),
		Concurrency: number(l.Concurrency),
		Warmup:      number(l.Warmup),
		Confidence:  l.Confidence,
		Quantiles:   list(l.Quantiles, quantileGate),
		Errors:      l.Errors,
	}
}

func quantileGate(q policy.QuantileGate) *adminv1.QuantileGate {
	return &adminv1.QuantileGate{Quantile: q.Quantile, Max: lasting(q.Max), OfLive: q.OfLive}
}
