package simulate

import (
	"math"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
)

var began = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// canary is a policy with one step of 5 % for so long, and a bake.
func canary(hold, bake time.Duration) *policy.Model {
	return &policy.Model{
		Name:     "fraud",
		Route:    policy.Route{Fleets: []string{"edge"}, Timeout: 15 * time.Second},
		Validate: []policy.Check{{Name: "endpoints", Endpoints: &policy.EndpointsCheck{Min: 1, OfLive: policy.Full}}},
		Shift:    []policy.Step{{Weight: 500, Hold: hold}, {Weight: policy.Full}},
		Prepare:  policy.Prepare{Within: 5 * time.Minute},
		Judge: policy.Judge{
			Risk: 0.01, Errors: policy.ErrorRule{Tolerate: 1}, Latency: policy.LatencyRule{Tolerate: 1.1},
			MinRequests: 100, MaxHold: time.Hour, Otherwise: policy.ThinHold,
		},
		Confirm:  policy.Confirm{Within: 30 * time.Second, Otherwise: policy.OtherwiseRollback},
		Bake:     policy.Bake{For: bake, Every: 10 * time.Second},
		Rollback: policy.Rollback{Automatic: true, EndpointsBelow: policy.Full / 2},
		Retire:   policy.Retire{After: time.Hour, Webhook: "https://deploy.internal/retire"},
	}
}

// begin is a world of that policy, in which all is well but what change says.
func begin(m *policy.Model, change func(*Given)) *World {
	g := Typical()
	if change != nil {
		change(&g)
	}
	return New(m.Name, policy.Entry{Model: m}, began, g, "")
}

// pass lets time pass until so long after the beginning.
func pass(t testing.TB, w *World, until time.Duration) {
	t.Helper()
	if err := w.Run(began.Add(until)); err != nil {
		t.Fatal(err)
	}
}

// TestUsersAreTypical: over a while each figure is what was given, and so is each
// color's share of the requests, however few there are in one window.
func TestUsersAreTypical(t *testing.T) {
	for _, rate := range []float64{0.7, 13, 470, 3100} {
		m := canary(2*time.Hour, time.Hour)
		w := begin(m, func(g *Given) {
			g.Traffic.Rate = rate
			g.Traffic.Blue.Errors, g.Traffic.Green.Errors = 0.01, 0.01
			g.Traffic.Green.ClientErrors = 0.05
		})
		var sum rollout.ByColor[rollout.Tally]
		var nodes rollout.ByColor[int]
		seen := time.Time{}
		w.Look = func() {
			tr := w.State().Facts.Traffic
			if w.State().Phase != rollout.Holding || !tr.Ends().After(seen) {
				return
			}
			seen = tr.Ends()
			window := tr.Recent[len(tr.Recent)-1]
			for _, r := range window.Users {
				for _, c := range policy.Colors {
					at, more := sum.At(c), r.Colors.Of(c)
					*at = rollout.Tally{
						Requests: at.Requests + more.Requests, Errors: at.Errors + more.Errors,
						Rejected: at.Rejected + more.Rejected, Latency: judge.Merge(at.Latency, more.Latency),
					}
				}
			}
			for _, n := range window.Nodes {
				nodes.Blue += n.Requests.Blue
				nodes.Green += n.Requests.Green
			}
		}
		w.Command(rollout.Command{Verb: rollout.Start, Actor: "ann"})
		pass(t, w, 90*time.Minute)
		if w.State().Phase != rollout.Holding {
			t.Fatalf("at %g a second it is %s", rate, w.State().Phase)
		}
		seconds := w.Now().Sub(began).Seconds()
		for _, c := range policy.Colors {
			got, share := sum.Of(c), map[policy.Color]float64{policy.Blue: 0.95, policy.Green: 0.05}[c]
			near(t, string(c)+" requests", float64(got.Requests), rate*seconds*share, rate*share*400+1)
			near(t, string(c)+" errors", float64(got.Errors), float64(got.Requests)*0.01, 1.01)
			near(t, string(c)+" by node", float64(nodes.Of(c)), float64(got.Requests), 0)
			if got.Requests < 200 {
				continue
			}
			near(t, string(c)+" p50", got.Latency.Quantile(0.5), 0.020, 0.001)
			near(t, string(c)+" p99", got.Latency.Quantile(0.99), 0.080, 0.008)
		}
		near(t, "green client errors", float64(sum.Green.Rejected), float64(sum.Green.Requests)*0.05, 1.01)
	}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within {
		t.Errorf("%s: %g, expected %g", what, got, want)
	}
}

func TestLatencyHasItsQuantiles(t *testing.T) {
	l := Latency{P50: 20 * time.Millisecond, P90: 70 * time.Millisecond, P99: 80 * time.Millisecond}
	for q, want := range map[float64]float64{0.5: 0.020, 0.9: 0.070, 0.99: 0.080} {
		near(t, "quantile", l.at(q), want, 1e-9)
	}
	if l.at(0.999) < l.at(0.99) || l.at(0.01) > l.at(0.5) {
		t.Error("quantiles fall")
	}
	for _, odd := range []Latency{{P50: time.Second}, {P50: time.Second, P90: time.Millisecond, P99: time.Millisecond}} {
		for _, q := range []float64{1e-9, 0.5, 0.9, 0.95, 1 - 1e-9} {
			if v := odd.at(q); !(v > 0) || math.IsInf(v, 0) {
				t.Errorf("%+v at %g is %g", odd, q, v)
			}
		}
	}
}

// TestLargeSamples are as typical as small ones.
func TestLargeSamples(t *testing.T) {
	var all times
	l := Latency{P50: 20 * time.Millisecond, P99: 80 * time.Millisecond}
	for _, n := range []int{1, 1999, 2001, 150_001, 300_000_000} {
		s := all.sample(l, n)
		if s.Count() != n {
			t.Errorf("%d requests are %d", n, s.Count())
		}
		if n > 1000 {
			near(t, "p99", s.Quantile(0.99), 0.080, 0.004)
		}
	}
}
