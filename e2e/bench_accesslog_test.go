package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
)

const (
	logRounds   = 6    // of each, in turn
	logRequests = 1500 // a round, at 500 a second
	// logGoal is how much more a quantile may be. Load, Envoy, models and the server
	// that hears the reports compete for the same two cores here, so that the ratio says
	// more of the machine than of the Envoy; and whatever else runs there makes rounds
	// slower and none quicker, so that each side's second quickest round is compared.
	logGoal = 5 * time.Millisecond
)

// BenchmarkFigureAccessLog is the latency that clients see through one Envoy, with and
// without the reports of its requests, in turns.
func BenchmarkFigureAccessLog(b *testing.B) {
	w := newWorld(b, worldOptions{envoys: 1, listener: true, rate: 500}, nil)
	quantiles := map[bool]map[float64][]time.Duration{false: {}, true: {}}
	for round := range 2 * logRounds {
		on := round%2 == 0
		w.report(on)
		took := w.tookOf(logRequests)
		for _, q := range []float64{0.5, 0.99} {
			quantiles[on][q] = append(quantiles[on][q], at(took, q))
		}
	}
	fmt.Printf("\nLatency through one Envoy at 500 requests a second, the second quickest of %d rounds each, in turns:\n", logRounds)
	for _, q := range []float64{0.5, 0.99} {
		with, without := secondQuickest(quantiles[true][q]), secondQuickest(quantiles[false][q])
		ratio := float64(with) / float64(without)
		fmt.Printf("  p%g with reports %v, without %v: %.2f times (goal: at most %v more)\n", q*100,
			with.Round(time.Microsecond), without.Round(time.Microsecond), ratio, logGoal)
		b.ReportMetric(ratio, fmt.Sprintf("p%g-ratio", q*100))
		if with-without > logGoal {
			b.Errorf("MISSED: p%g is %v higher with reports", q*100, with-without)
		}
	}
	b.ReportMetric(0, "ns/op")
}

func secondQuickest(all []time.Duration) time.Duration { return slices.Sorted(slices.Values(all))[1] }

// report switches the reports on or off, and waits until the Envoy does as told.
func (w *world) report(on bool) {
	w.t.Helper()
	off := strings.Replace(fleetPolicy(w.port), "}}\n", "}, telemetry: {off: true}}\n", 1)
	if on {
		off = fleetPolicy(w.port)
	}
	w.writePolicy("fleet.yaml", off)
	quiet := 3 * time.Second // a window is a second, and reports may be held back for one
	w.await("the reports to begin or to end", func(m *adminv1.ModelStatus) bool {
		heard := m.GetTraffic().GetUntil()
		if heard == nil {
			return !on
		}
		rate := m.GetTraffic().GetUsers().GetBlue().GetRequestsPerSecond()
		return on && rate > 0 && time.Since(heard.AsTime()) < quiet || !on && rate == 0
	})
}

// tookOf is how long the next n requests took, sorted.
func (w *world) tookOf(n int) []time.Duration {
	w.t.Helper()
	now := time.Now()
	answers, err := w.load.Collect(w.within(patience), n, func(a lab.Answer) bool { return a.Sent.After(now) && !a.Failed() })
	must(w.t, err)
	var took []time.Duration
	for _, a := range answers {
		took = append(took, a.Took)
	}
	slices.Sort(took)
	return took
}
