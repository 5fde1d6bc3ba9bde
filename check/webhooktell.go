package check

import (
	"cmp"

	"greenlight/policy"
	"greenlight/rollout"
)

// told is the body of a webhook's request. Weights are percentages.
type told struct {
	Model string `json:"model"`
	Check string `json:"check"`
	// Color is the judged one.
	Color    policy.Color             `json:"color"`
	Switch   string                   `json:"switch,omitempty"`
	Stage    string                   `json:"stage"`
	Target   rollout.Target           `json:"target"`
	Weights  map[policy.Color]float64 `json:"weights"`
	Actor    string                   `json:"actor,omitempty"`
	Reason   string                   `json:"reason,omitempty"`
	Verdicts []toldVerdict            `json:"verdicts"`
}

// toldVerdict is the newest verdict of one check.
type toldVerdict struct {
	Check   string             `json:"check"`
	Kind    string             `json:"kind"`
	Result  rollout.Result     `json:"result"`
	Summary string             `json:"summary"`
	Figures map[string]float64 `json:"figures"`
}

// tell is what a webhook is told of job.
func tell(job rollout.CheckJob, check string) told {
	target := job.For.Target
	target.Idle = cmp.Or(target.Idle, string(job.Target))
	target.Live = cmp.Or(target.Live, string(job.Target.Other()))
	t := told{
		Model: job.Model, Check: check, Color: job.Target,
		Switch: job.For.Switch, Stage: job.For.Stage, Target: target,
		Weights:  map[policy.Color]float64{},
		Actor:    job.For.Actor,
		Reason:   job.For.Reason,
		Verdicts: []toldVerdict{},
	}
	for _, color := range [...]policy.Color{policy.Blue, policy.Green} {
		t.Weights[color] = float64(job.For.Weights.Of(color)) * 100 / float64(policy.Full)
	}
	for _, v := range job.Earlier {
		figures := v.Figures
		if figures == nil {
			figures = map[string]float64{}
		}
		t.Verdicts = append(t.Verdicts, toldVerdict{Check: v.Check, Kind: v.Kind, Result: v.Result, Summary: v.Summary, Figures: figures})
	}
	return t
}
