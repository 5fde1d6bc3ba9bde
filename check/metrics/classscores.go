package metrics

import (
	"math"
	"strconv"
	"sync"
)

// ClassScores is the truth and one score per class of rows, row-major. It must
// not be copied after the first metric, nor its rows changed.
type ClassScores struct {
	Classes int
	Truth   []int32
	Score   []float64 // len(Truth)*Classes
	Names   []string  // of the classes, for messages; may be nil

	checkOnce, rankOnce sync.Once
	rankings            []ranking // of each class against the rest
	invalid             error     // what keeps every metric of these rows from having a value
	improbable          error     // what keeps those that ask for probabilities from having one
	unnormalized        error     // what keeps those that ask for scores that sum to 1 from having one
}

// ROCAUC is the plain mean over the classes of the area under each one's ROC
// curve against the rest (roc_auc_score with multi_class="ovr", which asks, as
// this does, that the scores of a row sum to 1), 0 to 1. It is undefined
// unless every class occurs.
func (c *ClassScores) ROCAUC(w []float64) (float64, error) {
	if c.check(); c.unnormalized != nil {
		return 0, c.unnormalized
	}
	return c.mean(func(r ranking) (float64, float64, float64, error) {
		area, positives, others := r.rocAUC(w)
		return area, positives * others, positives, twoClasses(positives, others)
	})
}

// PRAUC is the plain mean over the classes of each one's average precision
// against the rest (average_precision_score), 0 to 1. It is undefined unless
// every class occurs.
func (c *ClassScores) PRAUC(w []float64) (float64, error) {
	if c.check(); c.invalid != nil {
		return 0, c.invalid
	}
	return c.mean(func(r ranking) (float64, float64, float64, error) {
		sum, positives, others := r.averagePrecision(w)
		return sum, positives, positives, somePositive(positives, others)
	})
}

// mean is the mean of value/scale over the classes.
func (c *ClassScores) mean(of func(ranking) (value, scale, positives float64, err error)) (float64, error) {
	c.rankOnce.Do(func() {
		c.rankings = make([]ranking, c.Classes)
		for class := range c.rankings {
			c.rankings[class] = rank(len(c.Truth),
				func(i int32) float64 { return c.Score[int(i)*c.Classes+class] },
				func(i int32) bool { return c.Truth[i] == int32(class) })
		}
	})
	sum := 0.0
	for class, r := range c.rankings {
		value, scale, positives, err := of(r)
		switch {
		case err != nil && len(c.Truth) > 0 && positives == 0:
			return 0, undefined("no row is of class %s", c.name(class))
		case err != nil:
			return 0, err
		}
		sum += value / scale
	}
	return sum / float64(c.Classes), nil
}

// LogLoss is the mean of −ln of the probability that the true class was given
// (log_loss), at least 0, with the clipping of [Scores.LogLoss]. As there, the
// scores of a row need not sum to 1, and are not made to.
func (c *ClassScores) LogLoss(w []float64) (float64, error) {
	if c.check(); c.improbable != nil {
		return 0, c.improbable
	}
	return mean(len(c.Truth), w, func(i int) float64 { return -math.Log(clip(c.row(i)[c.Truth[i]])) })
}

// Brier is the mean over the rows of the sum over the classes of the squared
// distance of the probability from 1 or 0 (brier_score_loss with
// scale_by_half="auto"): 0 to 2, with two classes half of that.
func (c *ClassScores) Brier(w []float64) (float64, error) {
	if c.check(); c.improbable != nil {
		return 0, c.improbable
	}
	scale := 1.0
	if c.Classes < 3 {
		scale = 0.5
	}
	return mean(len(c.Truth), w, func(i int) float64 {
		sum := 0.0
		for class, p := range c.row(i) {
			if int32(class) == c.Truth[i] {
				p = 1 - p
			}
			sum += p * p
		}
		return scale * sum
	})
}

// TopK is the share of rows whose true class is among the k highest scores
// (top_k_accuracy_score), 0 to 1. Of equal scores the later class ranks higher,
// except that of two classes the first does. It is undefined when there are no
// more than k classes: it would be 1 whatever the scores.
func (c *ClassScores) TopK(k int, w []float64) (float64, error) {
	if c.check(); c.invalid != nil {
		return 0, c.invalid
	}
	if k < 1 || k >= c.Classes {
		return 0, undefined("with %d classes the best %d say nothing; k must be at least 1 and below the number of classes", c.Classes, k)
	}
	return mean(len(c.Truth), w, func(i int) float64 {
		row, truth := c.row(i), int(c.Truth[i])
		above := 0
		for class, s := range row {
			tie := s == row[truth] && class != truth && (class > truth) == (c.Classes > 2)
			if s > row[truth] || tie {
				above++
			}
		}
		if above < k {
			return 1
		}
		return 0
	})
}

func (c *ClassScores) row(i int) []float64 { return c.Score[i*c.Classes : (i+1)*c.Classes] }

func (c *ClassScores) name(class int) string {
	if class < len(c.Names) {
		return strconv.Quote(c.Names[class])
	}
	return strconv.Itoa(class)
}

// check looks at all scores, once.
func (c *ClassScores) check() {
	c.checkOnce.Do(func() {
		if i := notFinite(c.Score); i >= 0 {
			c.invalid = undefined("the score of class %s in row %d of those compared is %v", c.name(i%c.Classes), i/c.Classes+1, c.Score[i])
			c.improbable, c.unnormalized = c.invalid, c.invalid
			return
		}
		c.improbable = inUnit(c.Score, c.Classes)
		for i := range c.Truth {
			sum := 0.0
			for _, s := range c.row(i) {
				sum += s
			}
			if abs(1-sum) > 1e-8+1e-5*abs(sum) { // numpy.allclose
				c.unnormalized = undefined("the scores of row %d of those compared sum to %v and not to 1", i+1, sum)
				return
			}
		}
	})
}
