package cli_test

import (
	"context"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// fakeChecks is a model's checks: of prices the policy lets an inconclusive one pass.
func fakeChecks(model string) []policy.Check {
	checks := []policy.Check{
		{Name: "quality", Quality: &policy.QualityCheck{}, OnInconclusive: policy.InconclusiveFails},
		{Name: "errors", Prometheus: &policy.PrometheusCheck{}, OnInconclusive: policy.InconclusiveFails},
	}
	if model == "prices" {
		checks[1].OnInconclusive = policy.InconclusivePasses
	}
	return checks
}

func number(v float64) *float64 { return &v }

// verdictsOf are what the checks of a model find: fraud's pass, churn's quality
// fails, and of prices and rates errors is inconclusive.
func verdictsOf(model string) []rollout.Verdict {
	accuracy := rollout.Measure{
		Name: "accuracy", Idle: number(0.9312), Live: number(0.93221),
		Difference: &rollout.Interval{Value: -0.00101, Low: -0.0051, High: 0.0031, Confidence: 0.95},
		Rule:       "not worse than live (McNemar, 95%)", Result: rollout.Pass,
	}
	quality := rollout.Verdict{
		Check: "quality", Kind: "quality", Result: rollout.Pass, Summary: "all gates hold on 5000 rows",
		Figures: map[string]float64{"rows": 5000, "accuracy.idle": 0.9312}, At: time.Unix(1, 0),
		Measures: []rollout.Measure{accuracy, {
			Name: "took", Unit: "s", Idle: number(0.0421), Live: number(2),
			Ratio: &rollout.Interval{Value: 0.021, Low: 0.02, High: 0.03, Confidence: 0.95},
		}},
	}
	errors := rollout.Verdict{Check: "errors", Kind: "prometheus", Result: rollout.Pass, Summary: "0 is at most 0.01", At: time.Unix(1, 0)}
	switch model {
	case "churn":
		quality.Result, quality.Summary = rollout.Fail, "accuracy is worse than live's\x1b[31m"
		quality.Measures[0].Result, quality.Measures[0].Why = rollout.Fail, "the whole interval lies below 0"
		quality.Evidence = []rollout.Evidence{{Case: "holdout.csv:7", Expected: "1", Got: "0"}}
	case "prices", "rates":
		errors.Result, errors.Summary = rollout.Inconclusive, "the query gave no series"
	}
	return []rollout.Verdict{quality, errors}
}

// Check implements api.Checks; slow is validating as long as
// its checks run, which is until they are canceled.
func (f *fake) Check(ctx context.Context, model string, only []string, _ policy.Color,
	progress func(rollout.CheckProgress),
) (rollout.Assessment, error) {
	f.mu.Lock()
	_, known := f.statuses[model]
	f.mu.Unlock()
	switch {
	case !known:
		return rollout.Assessment{}, rollout.ErrNoModel
	case model == "mute":
		return rollout.Assessment{}, refuse(rollout.NotReady, "mute has no live color yet: no endpoint was seen")
	}
	var verdicts []rollout.Verdict
	for _, name := range only {
		if name != "quality" && name != "errors" {
			return rollout.Assessment{}, &rollout.UnknownChecksError{Names: []string{name}, Known: []string{"quality", "errors"}}
		}
	}
	for _, v := range verdictsOf(model) {
		if len(only) > 0 && !slices.Contains(only, v.Check) {
			continue
		}
		progress(rollout.CheckProgress{Check: v.Check, Done: 1, Total: 2})
		if model == "slow" {
			f.move(model, rollout.Validating)
			<-ctx.Done()
			f.move(model, rollout.Idle)
			return rollout.Assessment{}, ctx.Err()
		}
		progress(rollout.CheckProgress{Check: v.Check, Done: 2, Total: 2, Result: v.Result})
		verdicts = append(verdicts, v)
	}
	return rollout.Assessment{
		Model: model, At: time.Unix(2, 0), Target: rollout.Target{Idle: "green", Live: "blue"},
		Stages: []rollout.Stage{{Name: "check", Verdicts: verdicts}},
	}, nil
}

// move shows a model in phase p.
func (f *fake) move(model string, p rollout.Phase) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put(f.statuses[model], p)
}

// Report implements api.History.
func (f *fake) Report(id string) (*rollout.Assessment, error) {
	sw, err := f.Switch(id)
	if sw == nil || err != nil {
		return nil, err
	}
	return &rollout.Assessment{
		Model: sw.Model, At: sw.Started, Switch: sw, Target: rollout.Target{Idle: "green", Live: "blue"},
		Stages: []rollout.Stage{{Name: "validate", Verdicts: verdictsOf("churn")}, {Name: "bake", Verdicts: sw.Verdicts}},
	}, nil
}
