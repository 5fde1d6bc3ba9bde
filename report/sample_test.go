package report_test

import (
	"math"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

func ptr(v float64) *float64 { return &v }

var day = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

// sample is a switch that was refused: its quality and latency were measured,
// and a slice was worse.
func sample() rollout.Assessment {
	return rollout.Assessment{
		Model: "fraud", At: day.Add(5 * time.Minute),
		Target: rollout.Target{Idle: "green", IdleVersion: "2026-11-01", Live: "blue", LiveVersion: "2026-10-01"},
		Switch: &rollout.Switch{
			ID: "20261102T100000-fraud-0002", Model: "fraud", From: policy.Blue, To: policy.Green,
			FromVersion: "2026-10-01", ToVersion: "2026-11-01", Actor: "ann@laptop", Reason: "November model",
			Started: day, Ended: day.Add(3 * time.Minute), Outcome: rollout.Refused,
			Cause: "quality failed: accuracy is worse than live's for country = PT",
			Plan:  policy.Model{Validate: []policy.Check{{Name: "errors", OnInconclusive: policy.InconclusivePasses}}},
		},
		Stages: []rollout.Stage{
			{Name: "validate", Verdicts: []rollout.Verdict{golden(), quality(), latency(), drift(), {
				Check: "errors", Kind: "prometheus", Result: rollout.Inconclusive, Summary: "the query gave no series for green",
				Took: 40 * time.Millisecond, At: day,
			}}},
			{Name: "5%"},
		},
	}
}

func golden() rollout.Verdict {
	return rollout.Verdict{
		Check: "golden", Kind: "golden", Result: rollout.Pass, Summary: "all 80 answers of 2 endpoints agree",
		Figures: map[string]float64{"cases": 40, "endpoints": 2, "passed": 80, "failed": 0, "maxError": 2.5e-9},
		Took:    1500 * time.Millisecond, At: day,
	}
}

func quality() rollout.Verdict {
	measure := func(name string, idle, live, diff, low, high float64, rule string, r rollout.Result, why string) rollout.Measure {
		return rollout.Measure{
			Name: name, Idle: ptr(idle), Live: ptr(live), Rule: rule, Result: r, Why: why, PValue: ptr(0.31),
			Difference: &rollout.Interval{Value: diff, Low: low, High: high, Confidence: 0.95},
		}
	}
	worse := measure("accuracy", 0.78, 0.91, -0.13, -0.17, -0.09, "not worse than live (McNemar, 95%)", rollout.Fail,
		"the whole interval lies below 0")
	return rollout.Verdict{
		Check: "quality", Kind: "quality", Result: rollout.Fail, Summary: "accuracy is worse than live's for country = PT (412 rows)",
		Figures: map[string]float64{"rows": 5000, "accuracy.idle": 0.9312, "accuracy.live": 0.9402},
		Took:    93 * time.Second, At: day.Add(time.Minute),
		Measures: []rollout.Measure{
			measure("accuracy", 0.9312, 0.9322, -0.001, -0.0051, 0.0031, "at least 0.9; not worse than live (McNemar, 95%)", rollout.Pass, ""),
			measure("rocAuc", 0.9712, 0.9698, 0.0014, -0.0009, 0.0036, "not worse than live by 0.002 (paired bootstrap, 95%)", rollout.Pass, ""),
			{Name: "logLoss", Idle: ptr(0.212), Live: ptr(0.2), Rule: "at most 0.4", Result: rollout.Pass},
			{Name: "answers that failed", Idle: ptr(0), Live: ptr(0.0002)},
		},
		Evidence: []rollout.Evidence{{Endpoint: "blue 10.0.0.7:8080 (fraud-blue-2)", Case: "holdout.parquet:1204", Expected: "a prediction", Got: "status 503: model is loading"}},
		Detail: &rollout.Detail{
			Slices: []rollout.Slice{
				{Column: "country", Value: "PT", Rows: 412, Measures: []rollout.Measure{worse}},
				{Column: "country", Value: "DE", Rows: 1980, Measures: []rollout.Measure{
					measure("accuracy", 0.95, 0.94, 0.01, -0.002, 0.022, "not worse than live (McNemar, 95%)", rollout.Pass, "")}},
				{Column: "age_band", Value: "18–25", Rows: 12},
			},
			Charts: []rollout.Chart{roc(), residuals()},
			Cases: []rollout.Case{
				{Where: "holdout.parquet:17", Input: `{"amount": 120.5, "country": "PT", "age": 31}`, Expected: "1", Idle: "0 (score 0.21)", Live: "1 (score 0.83)"},
				{Where: "holdout.parquet:44", Input: `{"amount": 7, "country": "PT", "age": 58}`, Expected: "0", Idle: "1 (score 0.66)", Live: "0 (score 0.02)"},
			},
			Notes: []string{"5,000 of 118,200 rows: an even sample, the same every time.", "2 slices have fewer than 30 rows and were not judged."},
		},
	}
}

func roc() rollout.Chart {
	c := rollout.Chart{Title: "ROC", XLabel: "false positive rate", YLabel: "true positive rate", Kind: rollout.ChartLine, Diagonal: true}
	for _, m := range []struct {
		name  string
		power float64
	}{{"idle", 0.12}, {"live", 0.18}} {
		s := rollout.Series{Name: m.name}
		for i := range 200 {
			x := float64(i) / 199
			s.X, s.Y = append(s.X, x), append(s.Y, math.Pow(x, m.power))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func residuals() rollout.Chart {
	c := rollout.Chart{Title: "Residuals", XLabel: "predicted", YLabel: "truth − predicted", Kind: rollout.ChartPoints}
	for i, name := range []string{"idle", "live"} {
		s := rollout.Series{Name: name}
		for j := range 150 {
			x := float64(j)*3 + float64(i)
			s.X, s.Y = append(s.X, x), append(s.Y, 20*math.Sin(x*12.9898+float64(i))*math.Cos(x*78.233))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func latency() rollout.Verdict {
	c := rollout.Chart{Title: "Latency", XLabel: "seconds", YLabel: "share of requests", Kind: rollout.ChartLine, LogX: true}
	for _, m := range []struct {
		name   string
		factor float64
	}{{"idle", 0.012}, {"live", 0.011}} {
		s := rollout.Series{Name: m.name}
		for i := range 100 {
			y := float64(i) / 100
			s.X, s.Y = append(s.X, m.factor/math.Sqrt(1-y)), append(s.Y, y)
		}
		c.Series = append(c.Series, s)
	}
	return rollout.Verdict{
		Check: "latency", Kind: "latency", Result: rollout.Pass, Summary: "p99 is 108% of live's", Took: 50 * time.Second, At: day,
		Measures: []rollout.Measure{{
			Name: "p99", Unit: "s", Idle: ptr(0.0421), Live: ptr(0.0389), Ratio: &rollout.Interval{Value: 1.08, Low: 0.94, High: 1.19, Confidence: 0.95},
			Rule: "at most 200 ms; at most 120% of live", Result: rollout.Pass,
		}},
		Detail: &rollout.Detail{Charts: []rollout.Chart{c}},
	}
}

func drift() rollout.Verdict {
	c := rollout.Chart{Title: "Scores", XLabel: "score", YLabel: "share of rows", Kind: rollout.ChartBars}
	idle, live := rollout.Series{Name: "idle"}, rollout.Series{Name: "live"}
	for i := range 21 {
		x := float64(i) / 20
		idle.X, live.X = append(idle.X, x), append(live.X, x)
		if i < 20 {
			idle.Y, live.Y = append(idle.Y, math.Exp(-x*6)*0.3), append(live.Y, math.Exp(-x*5)*0.26)
		}
	}
	c.Series = []rollout.Series{idle, live}
	return rollout.Verdict{
		Check: "drift", Kind: "drift", Result: rollout.Pass, Summary: "PSI is 0.031", Took: 44 * time.Second, At: day,
		Measures: []rollout.Measure{{Name: "psi", Idle: ptr(0.031), Rule: "at most 0.2", Result: rollout.Pass}},
		Detail:   &rollout.Detail{Charts: []rollout.Chart{c}},
	}
}
