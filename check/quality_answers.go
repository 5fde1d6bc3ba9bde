package check

import (
	"fmt"
	"maps"
	"slices"

	"greenlight/check/dataset"
	"greenlight/check/metrics"
	"greenlight/check/predict"
	"greenlight/policy"
)

const (
	// maxScores is how many scores of one color a check holds: 128 MiB.
	maxScores = 16 << 20
	// maxLabel bounds a predicted label in bytes.
	maxLabel = 1 << 10
	// missing stands for the label of a row that was not answered.
	missing = -1
)

// answers is what a quality check keeps of one color's predictions: no more
// than its gates need.
type answers struct {
	uses
	spec  policy.Answer
	k     int
	truth *truth
	rows  int

	label []int32 // number of the predicted class, or missing
	// width is how many scores a row has, 0 before the first answer; of two
	// only that of the positive class is kept.
	width int
	names []string // of the classes, in the order of the scores
	score []float64
	value []float64
	hit   []bool    // the true class is among the k likeliest
	gain  []float64 // ndcg of the row
}

func newAnswers(q *policy.QualityCheck, spec policy.Answer, t *truth) *answers {
	a := &answers{uses: usesOf(q.Gates), spec: spec, k: q.K, truth: t, rows: len(t.lines)}
	if a.labels {
		a.label = slices.Repeat([]int32{missing}, a.rows)
	}
	if a.values {
		a.value = make([]float64, a.rows)
	}
	if a.hits {
		a.hit = make([]bool, a.rows)
	}
	if a.ranks {
		a.gain = make([]float64, a.rows)
	}
	return a
}

// take keeps the prediction of a row; its error says what it lacks. A row that
// lacks anything counts as not answered.
func (a *answers) take(i int, row dataset.Row, p predict.Prediction) error {
	if a.scores || a.hits && p.Ranking == nil {
		if err := a.takeScores(i, p); err != nil {
			return err
		}
	}
	if a.hits {
		if err := a.takeHit(i, p); err != nil {
			return err
		}
	}
	if a.values {
		if !p.HasValue {
			return fmt.Errorf("an answer without a number; predict.answer.value says where it stands")
		}
		a.value[i] = p.Value
	}
	if a.ranks {
		if err := a.takeRanking(i, row, p); err != nil {
			return err
		}
	}
	if a.labels {
		number, err := labelNumber(a.truth.classes, p.Label)
		if err != nil {
			return err
		}
		a.label[i] = number
	}
	return nil
}

// labelNumber is the number of a predicted label.
func labelNumber(classes *numbered, label string) (int32, error) {
	switch {
	case label == "":
		return 0, fmt.Errorf("an answer without a label; predict.answer.label says where it stands")
	case len(label) > maxLabel:
		return 0, fmt.Errorf("a label of %d bytes: %s", len(label), shorten(label))
	}
	number, ok := classes.number(label)
	if !ok {
		return 0, &stop{fmt.Sprintf("there are more than %s different labels; if the model predicts numbers, predict.answer.value says where they stand",
			thousands(maxClasses))}
	}
	return number, nil
}

func (a *answers) takeScores(i int, p predict.Prediction) error {
	n := len(p.Scores)
	if n == 0 {
		return fmt.Errorf("an answer without scores; predict.answer.scores says where they stand")
	}
	if a.width == 0 {
		a.names = predict.Classes(a.spec, n)
		if cells := a.rows * max(1, n); a.scores && n > 2 && cells > maxScores {
			return &stop{fmt.Sprintf("%s rows of %s scores are more than the %s scores that a check holds; set rows to at most %d",
				thousands(a.rows), thousands(n), thousands(maxScores), maxScores/n)}
		}
		a.width = n
		if a.scores {
			a.score = make([]float64, a.rows*a.kept())
		}
	}
	if n != a.width {
		return fmt.Errorf("%s where the rows before had %d", plural(n, "score"), a.width)
	}
	if !a.scores {
		return nil
	}
	if n > 2 {
		copy(a.score[i*n:], p.Scores)
		return nil
	}
	positive, ok := p.Positive(a.spec)
	if !ok {
		return fmt.Errorf("scores of classes among which %q (predict.answer.positive) is not", shorten(a.spec.Positive))
	}
	a.score[i] = positive
	return nil
}

// kept is how many scores of a row are kept.
func (a *answers) kept() int {
	if a.width > 2 {
		return a.width
	}
	return 1
}

func (a *answers) takeHit(i int, p predict.Prediction) error {
	truth := a.truth.classes.word(a.truth.class[i])
	if p.Ranking != nil {
		a.hit[i] = slices.Contains(p.Ranking[:min(a.k, len(p.Ranking))], truth)
		return nil
	}
	class := slices.Index(a.names, truth)
	if class < 0 {
		a.hit[i] = false
		return nil
	}
	row := metrics.ClassScores{Classes: a.width, Truth: []int32{int32(class)}, Score: p.Scores, Names: a.names}
	share, err := row.TopK(a.k, nil)
	if err != nil {
		return &stop{"topK is " + err.Error()}
	}
	a.hit[i] = share > 0
	return nil
}

func (a *answers) takeRanking(i int, row dataset.Row, p predict.Prediction) error {
	if p.Ranking == nil {
		return fmt.Errorf("an answer without a ranking; predict.answer.ranking says where it stands")
	}
	of, problem := relevances(row.Values[a.truth.items], row.Values[a.truth.label])
	if problem != "" {
		return &stop{problem}
	}
	all := slices.Collect(maps.Values(of))
	var ranked []float64
	for _, item := range p.Ranking[:min(len(p.Ranking), len(all))] {
		ranked = append(ranked, of[item]) // an unknown item is worth nothing
		delete(of, item)                  // and one that comes twice counts once
	}
	gain, err := metrics.NDCG(ranked, all, a.k)
	if err != nil {
		return &stop{"ndcg is " + err.Error()}
	}
	a.gain[i] = gain
	return nil
}
