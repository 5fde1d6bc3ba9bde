package judge

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// A state that can't be written stops every decision, also the one to go back: whatever
// is seen, and under whatever rules a policy may have, each figure is a number.
func TestWhatIsJournaledIsFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{
			Risk: rapid.SampledFrom([]float64{0.00002, 0.01, 0.2}).Draw(t, "risk"), Errors: rapid.Bool().Draw(t, "errors"),
			ErrorTolerance: rapid.SampledFrom([]float64{1, 100}).Draw(t, "errorTolerance"), Latency: rapid.Bool().Draw(t, "latency"),
			LatencyTolerance: rapid.SampledFrom([]float64{1, 1.1, 100}).Draw(t, "latencyTolerance"),
		}
		sample := func() Sample {
			n := rapid.SampledFrom([]int{0, 1, 7, 1_000, 2_000_000_000}).Draw(t, "requests")
			bad := rapid.SampledFrom([]int{0, 1, n / 2, n, n + 1, -1}).Draw(t, "bad")
			var r Recorder
			for range rapid.IntRange(0, 3).Draw(t, "timed") {
				r.Add(rapid.SampledFrom([]float64{0, 1e-12, 0.01, 1e9, math.MaxFloat64, math.Inf(1), math.NaN(), -1}).Draw(t, "seconds"))
			}
			return Sample{Requests: n, Bad: bad, Latency: r.Sketch()}
		}
		var test Test
		var record Record
		var limit Limit
		var share Share
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			live, idle := sample(), sample()
			test = test.Look(c, live, idle)
			record = record.Add(live)
			limit = limit.Look(idle.Bad, idle.Requests, rapid.SampledFrom([]float64{0, 0.001, 0.5, 1}).Draw(t, "most"))
			share = share.Look(idle.Requests, idle.Requests+live.Requests, rapid.SampledFrom([]float64{0, 0.0001, 0.5, 1}).Draw(t, "weight"))
		}
		alone := NewAlone(record)
		for range rapid.IntRange(1, 60).Draw(t, "looks alone") {
			alone = alone.Look(c, sample())
		}
		for what, v := range map[string]any{
			"test": test, "record": record, "limit": limit, "share": share, "alone": alone,
		} {
			if _, err := json.Marshal(v); err != nil {
				t.Errorf("%s can't be written: %v", what, err)
			}
		}
		for what, f := range map[string]Finding{"test": test.Finding(c), "alone": alone.Finding(c)} {
			if math.IsNaN(f.Evidence) || math.IsNaN(f.Needed) || f.Needed <= 0 || math.IsInf(f.Needed, 0) {
				t.Errorf("%s finds %+v", what, f)
			}
		}
	})
}
