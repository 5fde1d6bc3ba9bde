package policy

import (
	"path/filepath"
	"reflect"
)

func effectiveChecks(m *Model, checks []Check) []rawCheck {
	folder := filepath.Dir(m.Source.File)
	raw := make([]rawCheck, len(checks))
	for i, c := range checks {
		raw[i] = effectiveCheck(folder, c)
	}
	return raw
}

func effectiveCheck(folder string, c Check) rawCheck {
	raw := rawCheck{
		Name: new(c.Name), Timeout: new(duration(c.Timeout)), Retries: new(c.Retries), OnInconclusive: new(string(c.OnInconclusive)),
	}
	switch {
	case c.Endpoints != nil:
		raw.Endpoints = &rawEndpoints{Min: new(c.Endpoints.Min), OfLive: new(percent(c.Endpoints.OfLive))}
	case c.Ready != nil:
		raw.Ready = &rawReady{GRPC: new(c.Ready.GRPC), Path: optional(c.Ready.Path), Service: optional(c.Ready.Service)}
	case c.Golden != nil:
		raw.Golden = effectiveGolden(folder, c.Golden)
	case c.Quality != nil:
		raw.Quality = effectiveQuality(folder, c.Quality)
	case c.Drift != nil:
		raw.Drift = effectiveDrift(folder, c.Drift)
	case c.Latency != nil:
		raw.Latency = effectiveLatency(folder, c.Latency)
	case c.Prometheus != nil:
		raw.Prometheus = effectivePrometheus(c.Prometheus)
	case c.Webhook != nil:
		raw.Webhook = &rawWebhook{URL: c.Webhook.URL, Secret: effectiveSecret(c.Webhook.Secret)}
	case c.Expression != nil:
		raw.Expression = new(c.Expression.Text)
	}
	return raw
}

// relative is a file as the model's own document would name it.
func relative(folder, file string) string {
	if short, err := filepath.Rel(folder, file); err == nil {
		return short
	}
	return file
}

func effectiveGolden(folder string, g *GoldenCheck) *rawGolden {
	raw := &rawGolden{
		File: relative(folder, g.File), Protocol: new(string(g.Protocol)), Path: optional(g.Path),
		Tolerance: new(number(g.Tolerance)), Absolute: new(number(g.Absolute)), Relative: new(number(g.Relative)), ULP: new(g.ULP),
	}
	if g.TopK > 0 {
		raw.TopK = new(g.TopK)
	}
	return raw
}

func effectiveQuality(folder string, q *QualityCheck) *rawQuality {
	raw := &rawQuality{
		Data: relative(folder, q.Data), Label: q.Label, Items: optional(q.Items), Rows: new(q.Rows), Slices: q.Slices, Gates: &rawGates{},
	}
	if len(q.Slices) > 0 {
		raw.SliceRows = new(q.SliceRows)
	}
	gates := reflect.ValueOf(raw.Gates).Elem()
	fields := fieldsOf(gates.Type())
	for _, g := range q.Gates {
		if g.Metric == TopK || g.Metric == NDCG {
			raw.K = new(q.K)
		}
		gate := &rawGate{Min: limitOf(g.Min), Max: limitOf(g.Max)}
		if n := g.NotWorse; n != nil {
			gate.NotWorse = &rawNotWorse{Margin: new(number(n.Margin)), Confidence: new(ratio(n.Confidence)), Detect: new(number(n.Detect))}
		}
		gates.Field(fields[string(g.Metric)]).Set(reflect.ValueOf(gate))
	}
	return raw
}

// limitOf is a gate that is there only if it was written.
func limitOf(value *float64) *number {
	if value == nil {
		return nil
	}
	return new(number(*value))
}

func effectiveDrift(folder string, d *DriftCheck) *rawDrift {
	raw := &rawDrift{Data: relative(folder, d.Data), Rows: new(d.Rows), Bins: new(d.Bins)}
	if d.Baseline != nil {
		raw.Baseline = &rawBaseline{Label: optional(d.Baseline.Label), Score: optional(d.Baseline.Score), Value: optional(d.Baseline.Value)}
	}
	if d.Agreement != nil {
		raw.Agreement = &rawShareMin{Min: new(ratio(*d.Agreement))}
	}
	for _, gate := range []struct {
		most *float64
		raw  **rawMax
	}{{d.PSI, &raw.PSI}, {d.KS, &raw.KS}, {d.JensenShannon, &raw.JensenShannon}, {d.CramersV, &raw.CramersV}} {
		if gate.most != nil {
			*gate.raw = &rawMax{Max: limitOf(gate.most)}
		}
	}
	return raw
}

func effectiveLatency(folder string, l *LatencyCheck) *rawLatency {
	raw := &rawLatency{
		Count: new(l.Count), Rate: new(number(l.Rate)), For: new(duration(l.For)), Concurrency: new(l.Concurrency),
		Warmup: new(l.Warmup), Confidence: new(ratio(l.Confidence)), Errors: new(ratio(l.Errors)),
	}
	if l.Requests != "" {
		raw.Requests = new(relative(folder, l.Requests))
	} else {
		raw.Data = new(relative(folder, l.Data))
	}
	for _, q := range l.Quantiles {
		most, ofLive := &raw.P50, &raw.P50OfLive
		switch q.Quantile {
		case 0.9:
			most, ofLive = &raw.P90, &raw.P90OfLive
		case 0.95:
			most, ofLive = &raw.P95, &raw.P95OfLive
		case 0.99:
			most, ofLive = &raw.P99, &raw.P99OfLive
		}
		if q.Max > 0 {
			*most = new(duration(q.Max))
		}
		if q.OfLive > 0 {
			*ofLive = new(ratio(q.OfLive))
		}
	}
	return raw
}

func effectivePrometheus(p *PrometheusCheck) *rawPrometheus {
	raw := &rawPrometheus{
		Server: p.Server, Query: p.Query, Token: effectiveSecret(p.Token), Min: limitOf(p.Min), Max: limitOf(p.Max),
	}
	if p.OfLive != nil {
		raw.OfLive = new(ratio(*p.OfLive))
	}
	return raw
}
