package check

import (
	"errors"
	"slices"

	"greenlight/check/dataset"
	"greenlight/check/predict"
	"greenlight/policy"
)

// signals is what a drift check keeps of one side's predictions: of each row a
// label, a score and a number, those that there are.
type signals struct {
	spec   policy.Answer
	labels *numbered // of both sides
	rows   int

	label []int32 // missing where there is none
	score []float64
	value []float64
	// manyLabels: there were more different ones than can be told apart.
	manyLabels                bool
	labelled, scored, counted int // rows that have each
	taken                     int // rows in all
}

func newSignals(spec policy.Answer, labels *numbered, rows int) *signals {
	return &signals{
		spec: spec, labels: labels, rows: rows,
		label: slices.Repeat([]int32{missing}, rows), score: make([]float64, rows), value: make([]float64, rows),
	}
}

// take keeps the prediction of a row. All rows have to hold the same things:
// one that lacks what those before had has failed.
func (g *signals) take(i int, _ dataset.Row, p predict.Prediction) error {
	score, scored := g.scoreOf(p)
	switch {
	case p.Label == "" && !scored && !p.HasValue:
		return errors.New("an answer without label, score and number")
	case g.taken > 0 && ((p.Label == "") == (g.labelled > 0) || scored != (g.scored > 0) || p.HasValue != (g.counted > 0)):
		return errors.New("an answer that holds other things than those of the rows before")
	case len(p.Label) > maxLabel:
		return errors.New("a label that is too long: " + shorten(p.Label))
	}
	g.taken++
	if p.Label != "" {
		g.keepLabel(i, p.Label)
	}
	if scored {
		g.keepScore(i, score)
	}
	if p.HasValue {
		g.keepValue(i, p.Value)
	}
	return nil
}

// scoreOf is the score of the positive class, or among several classes that of
// the predicted one.
func (g *signals) scoreOf(p predict.Prediction) (float64, bool) {
	if len(p.Scores) == 0 {
		return 0, false
	}
	if len(p.Scores) <= 2 {
		if score, ok := p.Positive(g.spec); ok {
			return score, true
		}
	}
	if at := slices.Index(predict.Classes(g.spec, len(p.Scores)), p.Label); at >= 0 && at < len(p.Scores) {
		return p.Scores[at], true
	}
	return slices.Max(p.Scores), true
}

func (g *signals) keepLabel(i int, word string) {
	g.labelled++
	number, ok := g.labels.number(word)
	if !ok {
		g.manyLabels = true
		return
	}
	g.label[i] = number
}

func (g *signals) keepScore(i int, v float64) { g.score[i], g.scored = v, g.scored+1 }
func (g *signals) keepValue(i int, v float64) { g.value[i], g.counted = v, g.counted+1 }
