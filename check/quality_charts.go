package check

import (
	"slices"

	"greenlight/check/metrics"
	"greenlight/check/stats"
	"greenlight/rollout"
)

const (
	curvePoints   = 200 // of a curve
	residualRows  = 400 // of a cloud of residuals
	pictureBins   = 20
	calibrateBins = 10
)

// qualityCharts draws what the gates looked at: curves for scores, residuals
// for numbers. live may be nil; all rows were answered.
func qualityCharts(idle, live *answers, rows []int32) []rollout.Chart {
	colors := []*answers{idle}
	if live != nil {
		colors = append(colors, live)
	}
	var charts []rollout.Chart
	add := func(c rollout.Chart, draw func(a *answers) (x, y []float64)) {
		for i, a := range colors {
			if x, y := draw(a); len(y) > 0 {
				c.Series = append(c.Series, rollout.Series{Name: [...]string{"idle", "live"}[i], X: x, Y: y})
			}
		}
		if len(c.Series) > 0 {
			charts = append(charts, c)
		}
	}
	if idle.scores && idle.width <= 2 && (live == nil || live.width <= 2) {
		add(rollout.Chart{Title: "ROC", XLabel: "false positive rate", YLabel: "true positive rate", Kind: rollout.ChartLine, Diagonal: true},
			func(a *answers) (x, y []float64) { return curve(a.scoresOf(rows).ROC) })
		add(rollout.Chart{Title: "Precision and recall", XLabel: "recall", YLabel: "precision", Kind: rollout.ChartLine},
			func(a *answers) (x, y []float64) { return curve(a.scoresOf(rows).PR) })
		add(rollout.Chart{Title: "Calibration", XLabel: "score", YLabel: "share of positive rows", Kind: rollout.ChartLine, Diagonal: true},
			func(a *answers) (x, y []float64) { return calibration(a.scoresOf(rows)) })
	}
	if idle.values {
		add(rollout.Chart{Title: "Residuals", XLabel: "truth", YLabel: "prediction less truth", Kind: rollout.ChartPoints},
			func(a *answers) (x, y []float64) { return residuals(a, rows) })
	}
	return charts
}

func curve(of func(points int) (x, y []float64, err error)) ([]float64, []float64) {
	x, y, err := of(curvePoints)
	if err != nil {
		return nil, nil
	}
	return x, y
}

// calibration is the share of positive rows against the mean score, in bins of
// equal width; nothing if the scores are no probabilities.
func calibration(s *metrics.Scores) (x, y []float64) {
	var scores, positives, counts [calibrateBins]float64
	for i, score := range s.Score {
		if score < 0 || score > 1 {
			return nil, nil
		}
		bin := min(int(score*calibrateBins), calibrateBins-1)
		scores[bin] += score
		counts[bin]++
		if s.Truth[i] {
			positives[bin]++
		}
	}
	for bin, n := range counts {
		if n > 0 {
			x, y = append(x, scores[bin]/n), append(y, positives[bin]/n)
		}
	}
	return x, y
}

func residuals(a *answers, rows []int32) (x, y []float64) {
	step := max(1, (len(rows)+residualRows-1)/residualRows)
	for k := 0; k < len(rows); k += step {
		row := rows[k]
		x, y = append(x, a.truth.value[row]), append(y, a.value[row]-a.truth.value[row])
	}
	return x, y
}

// histograms draws the shares of two samples in common bins of equal width;
// second may be empty.
func histograms(title, label string, first, second rollout.Series) rollout.Chart {
	c := rollout.Chart{Title: title, XLabel: label, YLabel: "share of rows", Kind: rollout.ChartBars}
	all := slices.Concat(first.Y, second.Y)
	if len(all) == 0 {
		return c
	}
	low, high := slices.Min(all), slices.Max(all)
	if low == high {
		low, high = low-0.5, high+0.5
	}
	var edges []float64
	for i := range pictureBins + 1 {
		at := float64(i) / pictureBins
		edges = append(edges, low*(1-at)+high*at) // so that nothing overflows
	}
	for _, s := range [...]rollout.Series{first, second} {
		if len(s.Y) == 0 {
			continue
		}
		counts := stats.Histogram(s.Y, edges[1:pictureBins])
		for i := range counts {
			counts[i] /= float64(len(s.Y))
		}
		c.Series = append(c.Series, rollout.Series{Name: s.Name, X: edges, Y: counts})
	}
	return c
}
