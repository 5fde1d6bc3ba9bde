// Package metrics measures how well predictions fit the truth. Definitions
// and results are scikit-learn's (its version is pinned in the tests that compare).
// Everything here is pure.
package metrics

import "errors"

// ErrUndefined is wrapped by every error of a metric that has no value on the
// given rows, such as AUC with one class; the message says why.
var ErrUndefined = errors.New("undefined")

// Labels is truth and predicted labels of rows, as indexes into Classes.
type Labels struct {
	Classes   []string
	Truth     []int32
	Predicted []int32
}

// A weight per row may be given to every metric (nil means 1 each): bootstrap
// resamples are counts of rows.

func Accuracy(l Labels, w []float64) (float64, error) { panic("todo") }

// Average says how classes are put together.
type Average uint8

// The averages. Binary means of class positive.
const (
	Binary Average = iota
	Macro
	Weighted
)

// Precision, Recall and F1 with zero_division=0, over the classes that occur in
// truth or predictions (scikit-learn's default labels).
func Precision(l Labels, a Average, positive int32, w []float64) (float64, error) { panic("todo") }
func Recall(l Labels, a Average, positive int32, w []float64) (float64, error)    { panic("todo") }
func F1(l Labels, a Average, positive int32, w []float64) (float64, error)        { panic("todo") }

// Scores is the truth and the score of the positive class of rows.
type Scores struct {
	Truth []bool
	Score []float64
	order []int32 // by falling score; made once by NewScores, so that resamples need no sorting
}

func NewScores(truth []bool, score []float64) *Scores               { panic("todo") }
func (s *Scores) ROCAUC(w []float64) (float64, error)               { panic("todo") }
func (s *Scores) PRAUC(w []float64) (float64, error)                { panic("todo") } // average_precision_score
func (s *Scores) LogLoss(w []float64) (float64, error)              { panic("todo") }
func (s *Scores) Brier(w []float64) (float64, error)                { panic("todo") }
func (s *Scores) ROC(points int) (fpr, tpr []float64, err error)    { panic("todo") } // at most points, for a picture
func (s *Scores) PR(points int) (recall, prec []float64, err error) { panic("todo") }

// ClassScores is the truth and one score per class of rows, row-major.
type ClassScores struct {
	Classes int
	Truth   []int32
	Score   []float64 // len(Truth)*Classes
}

func (c *ClassScores) ROCAUC(w []float64) (float64, error)      { panic("todo") } // ovr, macro
func (c *ClassScores) PRAUC(w []float64) (float64, error)       { panic("todo") } // macro over classes, one-vs-rest
func (c *ClassScores) LogLoss(w []float64) (float64, error)     { panic("todo") }
func (c *ClassScores) Brier(w []float64) (float64, error)       { panic("todo") } // multi-class: scikit-learn's brier_score_loss with scale_by_half="auto" semantics
func (c *ClassScores) TopK(k int, w []float64) (float64, error) { panic("todo") } // top_k_accuracy_score

func RMSE(truth, predicted, w []float64) (float64, error) { panic("todo") }
func MAE(truth, predicted, w []float64) (float64, error)  { panic("todo") }
func R2(truth, predicted, w []float64) (float64, error)   { panic("todo") }

// NDCG is ndcg_score's of one row: relevance of the items in the order in which they
// were ranked, and the relevance of all items that there are.
func NDCG(ranked, all []float64, k int) (float64, error) { panic("todo") }
