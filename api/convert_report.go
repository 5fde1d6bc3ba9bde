package api

import (
	"greenlight/api/adminv1"
	"greenlight/rollout"
)

// Assessment is a as the API shows it.
func Assessment(a rollout.Assessment) *adminv1.Assessment {
	return &adminv1.Assessment{
		Model: a.Model,
		At:    at(a.At),
		Target: &adminv1.Target{
			Idle:        a.Target.Idle,
			IdleVersion: a.Target.IdleVersion,
			Live:        a.Target.Live,
			LiveVersion: a.Target.LiveVersion,
		},
		Switch: Switch(a.Switch),
		Stages: list(a.Stages, stage),
	}
}

func stage(s rollout.Stage) *adminv1.Stage {
	return &adminv1.Stage{Name: s.Name, Verdicts: list(s.Verdicts, detailed)}
}

// detailed is a verdict of a report, the only place that shows details.
func detailed(v rollout.Verdict) *adminv1.Verdict {
	out := verdict(v)
	if d := v.Detail; d != nil {
		out.Detail = &adminv1.Detail{
			Slices: list(d.Slices, slice),
			Charts: list(d.Charts, chart),
			Cases:  list(d.Cases, disagreement),
			Notes:  d.Notes,
		}
	}
	return out
}

func measure(m rollout.Measure) *adminv1.Measure {
	return &adminv1.Measure{
		Name:       m.Name,
		Unit:       m.Unit,
		Idle:       m.Idle,
		Live:       m.Live,
		Difference: interval(m.Difference),
		Ratio:      interval(m.Ratio),
		PValue:     m.PValue,
		Rule:       m.Rule,
		Result:     results[m.Result],
		Why:        m.Why,
	}
}

func interval(i *rollout.Interval) *adminv1.Interval {
	if i == nil {
		return nil
	}
	return &adminv1.Interval{Value: i.Value, Low: i.Low, High: i.High, Confidence: i.Confidence}
}

func slice(s rollout.Slice) *adminv1.Slice {
	return &adminv1.Slice{Column: s.Column, Value: s.Value, Rows: number(s.Rows), Measures: list(s.Measures, measure)}
}

func chart(c rollout.Chart) *adminv1.Chart {
	return &adminv1.Chart{
		Title:    c.Title,
		XLabel:   c.XLabel,
		YLabel:   c.YLabel,
		Kind:     chartKinds[c.Kind],
		Diagonal: c.Diagonal,
		LogX:     c.LogX,
		Series:   list(c.Series, series),
	}
}

func series(s rollout.Series) *adminv1.Series {
	return &adminv1.Series{Name: s.Name, X: s.X, Y: s.Y}
}

func disagreement(c rollout.Case) *adminv1.Case {
	return &adminv1.Case{Where: c.Where, Input: c.Input, Expected: c.Expected, Idle: c.Idle, Live: c.Live}
}
