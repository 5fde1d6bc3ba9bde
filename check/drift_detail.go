package check

import (
	"context"

	"greenlight/check/dataset"
	"greenlight/rollout"
)

// reference is what the predictions are compared with, as charts name it.
const reference = "live or baseline"

// charts draws both distributions.
func (m *drifted) charts() []rollout.Chart {
	var charts []rollout.Chart
	if len(m.first) > 0 {
		charts = append(charts, histograms("Distribution of predictions", "score or number",
			rollout.Series{Name: "idle", Y: m.second}, rollout.Series{Name: reference, Y: m.first}))
	}
	if m.labels && len(m.rows) > 0 {
		charts = append(charts, m.labelChart())
	}
	return charts
}

// labelChart is the share of each label, by its place in the list below.
func (m *drifted) labelChart() rollout.Chart {
	words := m.idle.labels.all()
	n := min(len(words), pictureBins)
	c := rollout.Chart{Title: "Predicted labels", XLabel: "label, in this order: " + list(words[:n], n), YLabel: "share of rows", Kind: rollout.ChartBars}
	for side, name := range [...]string{reference, "idle"} {
		s := rollout.Series{Name: name, X: []float64{0}}
		for k := range n {
			s.X, s.Y = append(s.X, float64(k+1)), append(s.Y, m.counts[side][k]/float64(len(m.rows)))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// cases are the first rows on which the two sides disagree.
func (m *drifted) cases(ctx context.Context, b *bothColors, used []string) ([]rollout.Case, error) {
	var shown []int32
	places := map[int32]int{}
	for k, row := range m.rows {
		if len(shown) < maxCases && !m.agrees(k) {
			shown = append(shown, row)
			places[row] = k
		}
	}
	return readCases(ctx, b.sample, shown, used, func(i int32, _ dataset.Row) rollout.Case {
		return rollout.Case{Idle: m.inWords(m.idle, m.second, i, places[i]), Live: m.inWords(m.reference, m.first, i, places[i])}
	})
}

func (m *drifted) inWords(g *signals, numbers []float64, row int32, place int) string {
	s := ""
	if m.labels {
		s = g.labels.word(g.label[row])
	}
	if numbers != nil {
		if s != "" {
			s += ", "
		}
		s += number(numbers[place])
	}
	return s
}
