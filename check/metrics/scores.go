package metrics

import "math"

// Scores is the truth and the score of the positive class of rows. It is made
// by [NewScores].
type Scores struct {
	Truth []bool
	Score []float64

	ranking    ranking
	invalid    error // what keeps every metric of these rows from having a value
	improbable error // what keeps those that ask for probabilities from having one
}

// NewScores sorts the rows once for all metrics and resamples. It keeps both slices.
func NewScores(truth []bool, score []float64) *Scores {
	s := &Scores{Truth: truth, Score: score}
	if i := notFinite(score); i >= 0 {
		s.invalid = undefined("the score of row %d of those compared is %v", i+1, score[i])
		s.improbable = s.invalid
		return s
	}
	s.improbable = inUnit(score, 1)
	s.ranking = rank(len(score), func(i int32) float64 { return score[i] }, func(i int32) bool { return truth[i] })
	return s
}

// ROCAUC is the area under the ROC curve (roc_auc_score), 0 to 1. With one
// class it is undefined.
func (s *Scores) ROCAUC(w []float64) (float64, error) {
	if s.invalid != nil {
		return 0, s.invalid
	}
	area, positives, others := s.ranking.rocAUC(w)
	if err := twoClasses(positives, others); err != nil {
		return 0, err
	}
	return area / (positives * others), nil
}

// PRAUC is the average precision (average_precision_score), 0 to 1. Without
// rows of the positive class it is undefined.
func (s *Scores) PRAUC(w []float64) (float64, error) {
	if s.invalid != nil {
		return 0, s.invalid
	}
	sum, positives, others := s.ranking.averagePrecision(w)
	if err := somePositive(positives, others); err != nil {
		return 0, err
	}
	return sum / positives, nil
}

// LogLoss is the mean of −ln of the probability that the true class was given
// (log_loss), at least 0. Probabilities are clipped to [ε, 1−ε] with ε = 2⁻⁵²,
// as there. Scores outside of 0 to 1 leave it undefined.
func (s *Scores) LogLoss(w []float64) (float64, error) {
	if s.improbable != nil {
		return 0, s.improbable
	}
	return mean(len(s.Score), w, func(i int) float64 {
		if s.Truth[i] {
			return -math.Log(clip(s.Score[i]))
		}
		return -math.Log(clip(1 - s.Score[i]))
	})
}

// Brier is the mean squared distance of the probability from 1 or 0
// (brier_score_loss), 0 to 1. Scores outside of 0 to 1 leave it undefined.
func (s *Scores) Brier(w []float64) (float64, error) {
	if s.improbable != nil {
		return 0, s.improbable
	}
	return mean(len(s.Score), w, func(i int) float64 {
		d := s.Score[i]
		if s.Truth[i] {
			d = 1 - d
		}
		return d * d
	})
}

// inUnit says which score is no probability; there are columns scores in a row.
func inUnit(scores []float64, columns int) error {
	for i, p := range scores {
		if !(p >= 0 && p <= 1) {
			return undefined("score %v of row %d of those compared is not a probability from 0 to 1", p, i/columns+1)
		}
	}
	return nil
}

// clip keeps a probability away from 0 and 1 by the ε of 64-bit numbers.
func clip(p float64) float64 {
	const epsilon = 0x1p-52
	return min(max(p, epsilon), 1-epsilon)
}

func twoClasses(positives, others float64) error {
	if err := somePositive(positives, others); err != nil {
		return err
	}
	if others == 0 {
		return undefined("all rows are of the positive class")
	}
	return nil
}

func somePositive(positives, others float64) error {
	switch {
	case positives+others == 0:
		return errNoRows
	case positives == 0:
		return undefined("no row is of the positive class")
	}
	return nil
}
