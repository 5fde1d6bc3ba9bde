package check_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

func driftOf(data string, change func(*policy.DriftCheck)) policy.Check {
	d := &policy.DriftCheck{Data: data, Rows: 100_000, Bins: 10, PSI: new(0.2)}
	if change != nil {
		change(d)
	}
	return policy.Check{Name: "drift", Timeout: time.Minute, Drift: d}
}

func TestDrift(t *testing.T) {
	data, live := people(t, 1000), wrongOn(tenth(0))
	for name, c := range map[string]struct {
		idle   http.HandlerFunc
		change func(*policy.DriftCheck)
		result rollout.Result
		says   string
	}{
		"the same":     {live, func(d *policy.DriftCheck) { d.Agreement = new(1.0) }, rollout.Pass, "psi 0"},
		"other scores": {model(func(int) float64 { return 0.7 }), nil, rollout.Fail, "psi"},
		"disagreement": {wrongOn(tenth(1)), func(d *policy.DriftCheck) { d.Agreement = new(0.98) }, rollout.Fail, "agreement"},
		"errors":       {respond(500, "down"), nil, rollout.Fail, "green failed on"},
	} {
		t.Run(name, func(t *testing.T) {
			wantVerdict(t, judged(t, driftOf(data, c.change), c.idle, live), c.result, c.says)
		})
	}
	v := judged(t, driftOf(people(t, 60), nil), live, live)
	wantVerdict(t, v, rollout.Inconclusive, "needs 100")
	v = judged(t, driftOf(data, nil), live, respond(500, "down"))
	wantVerdict(t, v, rollout.Inconclusive, "blue failed")
}

func TestDriftAgainstABaseline(t *testing.T) {
	var b strings.Builder
	b.WriteString("x,old\n")
	for x := range 400 {
		fmt.Fprintf(&b, "%d,%d\n", x, truthOf(x))
	}
	c := driftOf(dataFile(t, "d.csv", b.String()), func(d *policy.DriftCheck) {
		d.Baseline, d.CramersV = &policy.Baseline{Label: "old"}, new(0.1)
	})
	v := judged(t, c, wrongOn(func(int) bool { return false }), nil)
	wantVerdict(t, v, rollout.Pass, "psi 0")
	wantFigures(t, v, map[string]float64{"agreement": 1, "cramersV": 0})
	wantVerdict(t, judged(t, c, model(func(int) float64 { return 1 }), nil), rollout.Fail, "psi")
}
