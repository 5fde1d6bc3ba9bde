package policy_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
)

// checkPredict states what the checks may count on when they ask for predictions.
func checkPredict(must func(bool, string), p policy.Predict) {
	http := p.Protocol != policy.OpenInferenceGRPC
	must(http == strings.HasPrefix(p.Path, "/") && (http || p.Path == ""), "predict has a path too many or too few")
	must(p.Model != "" && p.Batch >= 1 && p.Batch <= 1024, "predict has no model or a batch out of range")
	must(!p.Binary || p.Protocol == policy.OpenInference, "binary is not for the protocol")
	must((p.Format != "") == (p.Protocol == policy.MLflow), "the format is not for the protocol")
	must((p.Request != "") == (p.Protocol == policy.PlainJSON), "the request is not for the protocol")
	must(p.Protocol != policy.PlainJSON || p.Batch == 1, "plain JSON has several rows in a request")
	must(p.Answer.Positive != "" && finite(p.Answer.Threshold), "nothing is positive")
	for _, in := range p.Inputs {
		must(in.Name != "" && in.Datatype != "" && len(in.Columns) > 0, "an input is incomplete")
	}
	for _, h := range p.Headers {
		must(headerLike.MatchString(h.Name) && (h.Value == "") != (h.Secret == nil), "a header has not exactly one value")
		checkSecret(must, h.Secret)
	}
	for _, c := range []policy.Cap{p.Load.Idle, p.Load.Live} {
		must(c.Concurrency >= 1 && c.Concurrency <= 1024 && c.PerSecond >= 0, "a load is out of range")
	}
}

func checkSecret(must func(bool, string), s *policy.Secret) {
	if s == nil {
		return
	}
	must((s.Env == "") != (s.File == ""), "a secret has not exactly one source")
	must(s.Env == "" || strings.HasPrefix(s.Env, "GREENLIGHT_SECRET_"), "a secret reads the server's environment")
	must(s.File == "" || filepath.IsLocal(s.File), "a secret leaves its folder")
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// checkChecks states the same of a list of checks; others are those whose
// figures its expressions may use too.
func checkChecks(must func(bool, string), m *policy.Model, checks []policy.Check, others ...[]policy.Check) {
	names, figures := map[string]bool{}, map[string]bool{}
	for _, c := range slices.Concat(append([][]policy.Check{checks}, others...)...) {
		for _, f := range c.Figures() {
			figures[c.FigureName(f)] = true
		}
	}
	for _, c := range checks {
		must(nameLike.MatchString(c.Name) && !names[c.Name], "a check's name is empty, odd or doubled")
		names[c.Name] = true
		must(c.Timeout >= time.Millisecond && c.Retries >= 0 && c.Retries <= 10, "a check has no time or too many retries")
		must(slices.Contains([]policy.OnInconclusive{policy.InconclusiveFails, policy.InconclusivePasses, policy.InconclusiveHolds}, c.OnInconclusive), "a check does not say what inconclusive means")
		must(kindsOf(c) == 1 && c.Kind() != "", "a check is not of one kind")
		checkKind(must, m, c)
		if e := c.Expression; e != nil {
			must(len(e.Uses) > 0 && slices.IsSorted(e.Uses), "an expression uses nothing, or does not say so in order")
			for _, name := range e.Uses {
				must(figures[name], "an expression uses a figure that no check gives")
			}
			compiled, err := policy.CompileExpression(e.Text, e.Uses)
			must(err == nil && slices.Equal(compiled.Uses(), e.Uses), "an expression does not compile from what it uses")
		}
	}
}

func kindsOf(c policy.Check) int {
	kinds := 0
	for _, set := range []bool{
		c.Endpoints != nil, c.Ready != nil, c.Golden != nil, c.Quality != nil, c.Drift != nil,
		c.Latency != nil, c.Prometheus != nil, c.Webhook != nil, c.Expression != nil,
	} {
		if set {
			kinds++
		}
	}
	return kinds
}

func checkKind(must func(bool, string), m *policy.Model, c policy.Check) {
	if e := c.Endpoints; e != nil {
		must(e.Min >= 1 && e.OfLive <= policy.Full, "an endpoints check is out of range")
	}
	if r := c.Ready; r != nil {
		must(r.GRPC != strings.HasPrefix(r.Path, "/"), "a ready check asks in not exactly one way")
	}
	if g := c.Golden; g != nil {
		http := g.Protocol != policy.OpenInferenceGRPC
		must(g.File != "" && http == strings.HasPrefix(g.Path, "/"), "a golden check has no file, or a path too many or too few")
		must(g.Tolerance >= 0 && g.Tolerance <= 1 && g.Absolute >= 0 && g.Relative >= 0 && g.ULP >= 0 && g.TopK >= 0, "a tolerance is out of range")
	}
	if q := c.Quality; q != nil {
		checkQuality(must, q)
	}
	if d := c.Drift; d != nil {
		must(d.Data != "" && d.Rows >= 1 && d.Bins >= 2, "a drift check is out of range")
		must(d.Agreement != nil || d.PSI != nil || d.KS != nil || d.JensenShannon != nil || d.CramersV != nil, "a drift check has no gate")
	}
	if l := c.Latency; l != nil {
		checkLatency(must, m, l)
	}
	if p := c.Prometheus; p != nil {
		must(strings.HasPrefix(p.Server, "http") && p.Query != "" && (p.Min != nil || p.Max != nil || p.OfLive != nil), "a prometheus check is incomplete")
		checkSecret(must, p.Token)
	}
	if w := c.Webhook; w != nil {
		must(strings.HasPrefix(w.URL, "http"), "a webhook has no URL")
		checkSecret(must, w.Secret)
	}
}

func checkQuality(must func(bool, string), q *policy.QualityCheck) {
	must(q.Data != "" && q.Label != "" && q.Rows >= 1 && q.K >= 1 && q.SliceRows >= 2, "a quality check is incomplete")
	must(len(q.Gates) > 0, "a quality check has no gate")
	place := -1
	for _, g := range q.Gates {
		at := slices.Index(policy.Metrics[:], g.Metric)
		must(at > place, "gates are not in the order of the metrics")
		place = at
		must(g.Min != nil || g.Max != nil || g.NotWorse != nil, "a gate asks for nothing")
		must(g.Min == nil || g.Max == nil || *g.Min <= *g.Max, "a gate lets nothing pass")
		if n := g.NotWorse; n != nil {
			must(n.Margin >= 0 && n.Confidence >= 0.5 && n.Confidence <= 0.999 && n.Detect >= 0 && n.Detect <= 1, "a comparison is out of range")
		}
	}
}

func checkLatency(must func(bool, string), m *policy.Model, l *policy.LatencyCheck) {
	must((l.Data != "") != (l.Requests != ""), "a latency check has not exactly one source")
	must(l.Count >= 20 && l.Rate >= 0.1 && l.For >= time.Second && l.Concurrency >= 1 && l.Warmup >= 0, "a replay is out of range")
	must(l.Confidence >= 0.5 && l.Confidence <= 0.999 && l.Errors >= 0 && l.Errors <= 1, "a share is out of range")
	must(len(l.Quantiles) > 0, "a latency check has no gate")
	for _, q := range l.Quantiles {
		must(q.Max > 0 || q.OfLive >= 1, "a quantile has no bound")
	}
	live := m.Predict.Load.Live.PerSecond
	must(!l.NeedsLive() || live == 0 || l.Rate <= float64(live), "a replay is faster than the load allows")
}
