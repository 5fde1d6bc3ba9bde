package check

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

func TestFrameLeavesOutWhatIsNotFinite(t *testing.T) {
	nan, inf, one := math.NaN(), math.Inf(1), 1.0
	v := finding{
		result: rollout.Fail, summary: "bad",
		figures: map[string]float64{"a": 1, "b": nan, "c": inf},
		measures: []rollout.Measure{{
			Name: "p99", Idle: &nan, Live: &one, PValue: &inf, Result: rollout.Fail,
			Difference: &rollout.Interval{Value: 1, Low: math.Inf(-1), High: 2}, Ratio: &rollout.Interval{Value: 1, Low: 0, High: 2},
		}},
		detail: &rollout.Detail{
			Notes: []string{"a note"},
			Charts: []rollout.Chart{
				{Title: "points", Kind: rollout.ChartPoints, Series: []rollout.Series{{Name: "idle", X: []float64{1, nan, 3, 4}, Y: []float64{1, 2, inf, 4}}}},
				{Title: "bars", Kind: rollout.ChartBars, Series: []rollout.Series{
					{Name: "idle", X: []float64{0, 1, 2}, Y: []float64{5, 6}}, {Name: "live", X: []float64{0, 1}, Y: []float64{5, 6}},
				}},
				{Title: "nothing", Kind: rollout.ChartLine, Series: []rollout.Series{{Name: "idle", X: []float64{nan}, Y: []float64{1}}}},
			},
		},
	}.verdict(policy.Check{Name: "quality", Quality: &policy.QualityCheck{}})

	if len(v.Figures) != 1 || v.Figures["a"] != 1 {
		t.Errorf("figures %v", v.Figures)
	}
	if m := v.Measures[0]; m.Idle != nil || m.PValue != nil || m.Difference != nil || m.Live == nil || m.Ratio == nil || m.Result != rollout.Fail {
		t.Errorf("measure %+v", m)
	}
	if len(v.Detail.Charts) != 2 || len(v.Detail.Charts[0].Series[0].X) != 2 || len(v.Detail.Charts[1].Series) != 1 {
		t.Errorf("charts %+v", v.Detail.Charts)
	}
	notes := strings.Join(v.Detail.Notes, "\n")
	for _, want := range []string{
		"a note\n", "b is left out: it is NaN", "c is left out: it is +Inf", "p99 of the judged color is left out", "the p-value of p99",
		"the difference of p99", `live is left out of the chart "bars": its bars have no matching edges`,
		`idle is left out of the chart "nothing": it has no points that can be drawn`,
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q: %s", want, notes)
		}
	}
}

func TestFrameOfNothingHasNoDetail(t *testing.T) {
	v := finding{result: rollout.Pass, summary: "fine", detail: &rollout.Detail{}}.verdict(policy.Check{Name: "ready"})
	if v.Detail != nil || v.Figures != nil || v.Measures != nil || v.Evidence != nil {
		t.Errorf("got %+v", v)
	}
}

func TestManyPointsKeepTheirEnds(t *testing.T) {
	var s rollout.Series
	for i := range 10_000 {
		s.X, s.Y = append(s.X, float64(i)), append(s.Y, float64(-i))
	}
	got := points(s)
	if len(got.X) != maxPoints || got.X[0] != 0 || got.X[maxPoints-1] != 9999 || got.Y[maxPoints-1] != -9999 {
		t.Errorf("%d points from %v to %v", len(got.X), got.X[0], got.X[len(got.X)-1])
	}
}

// However much was found, a verdict can be written down and stays small.
func TestEveryFrameFits(t *testing.T) {
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}))
	text := rapid.SampledFrom([]string{"", "a", strings.Repeat("ä", 5000), "\x00\xff\"\\<>" + strings.Repeat("\x01", 3000)})
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		measures := make([]rollout.Measure, n("measures", 100))
		for i := range measures {
			value := number.Draw(t, "value")
			measures[i] = rollout.Measure{Name: text.Draw(t, "name"), Idle: &value, Rule: text.Draw(t, "rule"), Why: text.Draw(t, "why")}
		}
		d := &rollout.Detail{Notes: make([]string, n("notes", 50))}
		for range n("slices", 80) {
			d.Slices = append(d.Slices, rollout.Slice{Column: text.Draw(t, "column"), Value: text.Draw(t, "value"), Measures: measures})
		}
		for range n("charts", 40) {
			x := make([]float64, n("points", 2000))
			for i := range x {
				x[i] = float64(i) / 3
			}
			d.Charts = append(d.Charts, rollout.Chart{Title: text.Draw(t, "title"), Kind: rollout.ChartLine, Series: []rollout.Series{{X: x, Y: x}, {X: x, Y: x}}})
		}
		for range n("cases", 40) {
			d.Cases = append(d.Cases, rollout.Case{Where: text.Draw(t, "where"), Input: text.Draw(t, "input"), Idle: text.Draw(t, "idle")})
		}
		f := finding{result: rollout.Fail, summary: text.Draw(t, "summary"), measures: measures, detail: d,
			figures: map[string]float64{"x": number.Draw(t, "figure")}, evidence: make([]rollout.Evidence, n("evidence", 30))}
		v := f.verdict(policy.Check{Name: "quality"})
		data, err := json.Marshal(v.Detail)
		if err != nil || len(data) > maxDetail {
			t.Fatalf("detail of %d bytes, %v", len(data), err)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatal(err)
		}
		if len(v.Measures) > rollout.MaxMeasures || len(v.Evidence) > maxEvidence {
			t.Fatalf("%d measures, %d pieces of evidence", len(v.Measures), len(v.Evidence))
		}
		if d := v.Detail; d != nil && (len(d.Cases) > 20 || len(d.Slices) > 50) {
			t.Fatalf("%d cases, %d slices", len(d.Cases), len(d.Slices))
		}
	})
}
