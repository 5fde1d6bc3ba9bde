package e2e

import (
	"slices"
	"testing"

	"greenlight/api/adminv1"
)

// Weight moves in every shape as the policy says, and no user's request fails.
func TestEveryShapeUnderLoad(t *testing.T) {
	for _, c := range []struct {
		shape, shift string
		weights      []float64
	}{
		{"instant", "{instant: true}", []float64{100}},
		{"steps", "{steps: [{weight: 10%, hold: 300ms}, 40%, 100%]}", []float64{10, 40, 100}},
		{"linear", "{linear: {by: 25%, every: 300ms}}", []float64{25, 50, 75, 100}},
		{"canary", "{canary: {weight: 5%, hold: 300ms}}", []float64{5, 100}},
		{"exponential", "{exponential: {from: 5%, factor: 4, every: 300ms}}", []float64{5, 20, 80, 100}},
	} {
		t.Run(c.shape, func(t *testing.T) {
			w := newWorld(t, worldOptions{}, map[string]string{"validate": "[{endpoints: {min: 2}}]", "shift": c.shift})
			sw := w.awaitOutcome(w.start(), adminv1.Outcome_OUTCOME_SUCCEEDED)
			var got []float64
			for _, tr := range sw.GetTransitions() {
				if tr.GetTo() == adminv1.Phase_PHASE_CONFIRMING {
					got = append(got, tr.GetWeights().GetGreenPercent())
				}
			}
			if !slices.Equal(got, c.weights) {
				t.Errorf("weights %v, want %v", got, c.weights)
			}
			w.onlyColor("green", 50)
			w.noFailures()
		})
	}
}
