package check

import (
	"fmt"

	"greenlight/check/metrics"
	"greenlight/policy"
)

// measured is one metric of one color on some rows.
type measured struct {
	// value is the metric with a weight per row; nil weights mean 1 each.
	value func(weights []float64) (float64, error)
	// right says of each row whether it is right, where the metric is the share
	// of right rows; nil for all others.
	right []bool
}

// metric prepares a metric on rows, all of which were answered unless the
// metric is one of labels: there a row without an answer is a wrong one.
func (a *answers) metric(m policy.Metric, rows []int32) (measured, error) {
	switch m {
	case policy.ROCAUC, policy.PRAUC, policy.LogLoss, policy.Brier:
		return a.scoreMetric(m, rows)
	case policy.RMSE, policy.MAE, policy.R2:
		of := map[policy.Metric]func(truth, predicted, w []float64) (float64, error){
			policy.RMSE: metrics.RMSE, policy.MAE: metrics.MAE, policy.R2: metrics.R2,
		}[m]
		truth, predicted := pick(a.truth.value, rows), pick(a.value, rows)
		return measured{value: func(w []float64) (float64, error) { return of(truth, predicted, w) }}, nil
	case policy.TopK:
		return shareOf(pick(a.hit, rows)), nil
	case policy.NDCG:
		gain := pick(a.gain, rows)
		return measured{value: func(w []float64) (float64, error) { return mean(gain, w) }}, nil
	default:
		return a.labelMetric(m, rows)
	}
}

func (a *answers) labelMetric(m policy.Metric, rows []int32) (measured, error) {
	positive, ok := a.truth.classes.number(a.spec.Positive)
	if !ok && (m == policy.Precision || m == policy.Recall || m == policy.F1) {
		return measured{}, fmt.Errorf("undefined: no row is of class %q (predict.answer.positive)", shorten(a.spec.Positive))
	}
	labels := a.labelsOf(rows)
	if m == policy.Accuracy {
		right := make([]bool, len(rows))
		for k := range rows {
			right[k] = labels.Truth[k] == labels.Predicted[k]
		}
		return measured{right: right, value: func(w []float64) (float64, error) { return metrics.Accuracy(labels, w) }}, nil
	}
	type metric = func(metrics.Labels, metrics.Average, int32, []float64) (float64, error)
	of := map[policy.Metric]struct {
		metric
		metrics.Average
	}{
		policy.Precision: {metrics.Precision, metrics.Binary}, policy.PrecisionMacro: {metrics.Precision, metrics.Macro}, policy.PrecisionWeighted: {metrics.Precision, metrics.Weighted},
		policy.Recall: {metrics.Recall, metrics.Binary}, policy.RecallMacro: {metrics.Recall, metrics.Macro}, policy.RecallWeighted: {metrics.Recall, metrics.Weighted},
		policy.F1: {metrics.F1, metrics.Binary}, policy.F1Macro: {metrics.F1, metrics.Macro}, policy.F1Weighted: {metrics.F1, metrics.Weighted},
	}[m]
	if of.metric == nil {
		return measured{}, fmt.Errorf("undefined: there is no metric %q", m)
	}
	return measured{value: func(w []float64) (float64, error) {
		if of.Average == metrics.Binary && !occurs(labels.Truth, positive, w) {
			return 0, fmt.Errorf("%w: no row is of class %q (predict.answer.positive)", metrics.ErrUndefined, shorten(a.spec.Positive))
		}
		return of.metric(labels, of.Average, positive, w)
	}}, nil
}

// occurs reports whether a class is the truth of a row that has weight: without
// one, precision and recall would be 0 whatever the model says.
func occurs(truth []int32, class int32, w []float64) bool {
	for i, t := range truth {
		if t == class && (w == nil || w[i] > 0) {
			return true
		}
	}
	return false
}

// labelsOf is truth and predictions of rows; what is missing is a class of its own.
func (a *answers) labelsOf(rows []int32) metrics.Labels {
	known := a.truth.classes.all()
	l := metrics.Labels{
		Classes: append(known[:len(known):len(known)], "(no answer)"),
		Truth:   pick(a.truth.class, rows), Predicted: pick(a.label, rows),
	}
	for k, p := range l.Predicted {
		if p == missing {
			l.Predicted[k] = int32(len(known))
		}
	}
	return l
}

func (a *answers) scoreMetric(m policy.Metric, rows []int32) (measured, error) {
	type metric = func([]float64) (float64, error)
	if a.width <= 2 {
		s := a.scoresOf(rows)
		return measured{value: map[policy.Metric]metric{
			policy.ROCAUC: s.ROCAUC, policy.PRAUC: s.PRAUC, policy.LogLoss: s.LogLoss, policy.Brier: s.Brier,
		}[m]}, nil
	}
	s := &metrics.ClassScores{Classes: a.width, Names: a.names, Truth: make([]int32, len(rows)), Score: make([]float64, 0, len(rows)*a.width)}
	at := make(map[string]int32, len(a.names))
	for i, name := range a.names {
		at[name] = int32(i)
	}
	known := a.truth.classes.all()
	for k, row := range rows {
		class, ok := at[known[a.truth.class[row]]]
		if !ok {
			return measured{}, fmt.Errorf("%w: %q is none of the classes of the scores (predict.answer.classes)",
				metrics.ErrUndefined, shorten(known[a.truth.class[row]]))
		}
		s.Truth[k] = class
		s.Score = append(s.Score, a.score[int(row)*a.width:(int(row)+1)*a.width]...)
	}
	return measured{value: map[policy.Metric]metric{
		policy.ROCAUC: s.ROCAUC, policy.PRAUC: s.PRAUC, policy.LogLoss: s.LogLoss, policy.Brier: s.Brier,
	}[m]}, nil
}

// scoresOf is truth and score of the positive class of rows.
func (a *answers) scoresOf(rows []int32) *metrics.Scores {
	positive, ok := a.truth.classes.number(a.spec.Positive)
	is := make([]bool, len(rows))
	for k, row := range rows {
		is[k] = ok && a.truth.class[row] == positive
	}
	return metrics.NewScores(is, pick(a.score, rows))
}

func shareOf(right []bool) measured {
	values := make([]float64, len(right))
	for i, r := range right {
		if r {
			values[i] = 1
		}
	}
	return measured{right: right, value: func(w []float64) (float64, error) { return mean(values, w) }}
}

func mean(values, w []float64) (float64, error) {
	sum, weights := 0.0, 0.0
	for i, v := range values {
		wi := 1.0
		if w != nil {
			wi = w[i]
		}
		sum, weights = sum+wi*v, weights+wi
	}
	if weights == 0 {
		return 0, fmt.Errorf("%w: there are no rows", metrics.ErrUndefined)
	}
	return sum / weights, nil
}

// pick is the values of some rows.
func pick[T any](values []T, rows []int32) []T {
	out := make([]T, len(rows))
	for k, row := range rows {
		out[k] = values[row]
	}
	return out
}
