package metrics

// Labels is truth and predicted labels of rows, as indexes into Classes.
type Labels struct {
	Classes   []string
	Truth     []int32
	Predicted []int32
}

// Accuracy is the share of rows whose predicted label is the true one
// (accuracy_score), 0 to 1.
//
// A weight per row may be given to every metric (nil means 1 each): bootstrap
// resamples are counts of rows.
func Accuracy(l Labels, w []float64) (float64, error) {
	all := total(w, len(l.Truth))
	if all == 0 {
		return 0, errNoRows
	}
	right := 0.0
	for i, truth := range l.Truth {
		if truth == l.Predicted[i] {
			right += weight(w, i)
		}
	}
	return right / all, nil
}

// Average says how classes are put together.
type Average uint8

// The averages. Binary means of class positive.
const (
	Binary   Average = iota
	Macro            // the plain mean over the classes that occur
	Weighted         // the mean weighted by how often each class is the truth
)

// Precision is, of the rows that were predicted to be of a class, the share
// that are (precision_score with zero_division=0), 0 to 1. Macro and weighted
// means go over the classes that occur in truth or predictions, which is
// scikit-learn's default; positive matters to Binary only. The precision of a
// class that occurs in neither is undefined.
func Precision(l Labels, a Average, positive int32, w []float64) (float64, error) {
	return average(l, a, positive, w, func(c counts) float64 { return ratio(c.right, c.predicted) })
}

// Recall is, of the rows that are of a class, the share that were predicted to
// be (recall_score with zero_division=0); otherwise as Precision.
func Recall(l Labels, a Average, positive int32, w []float64) (float64, error) {
	return average(l, a, positive, w, func(c counts) float64 { return ratio(c.right, c.truth) })
}

// F1 is the harmonic mean of a class's precision and recall (f1_score with
// zero_division=0); otherwise as Precision.
func F1(l Labels, a Average, positive int32, w []float64) (float64, error) {
	return average(l, a, positive, w, func(c counts) float64 { return ratio(2*c.right, c.truth+c.predicted) })
}

// counts are the sums of weights of one class.
type counts struct{ right, truth, predicted float64 }

func average(l Labels, a Average, positive int32, w []float64, of func(counts) float64) (float64, error) {
	classes := make([]counts, len(l.Classes))
	all := 0.0
	for i, truth := range l.Truth {
		wi := weight(w, i)
		all += wi
		classes[truth].truth += wi
		classes[l.Predicted[i]].predicted += wi
		if truth == l.Predicted[i] {
			classes[truth].right += wi
		}
	}
	if all == 0 {
		return 0, errNoRows
	}
	if a == Binary {
		if c := classes[positive]; c.truth+c.predicted > 0 {
			return of(c), nil
		}
		return 0, undefined("the positive class %q occurs neither in the truth nor in the predictions", l.Classes[positive])
	}
	sum, shares := 0.0, 0.0
	for _, c := range classes {
		if c.truth+c.predicted == 0 {
			continue
		}
		share := 1.0
		if a == Weighted {
			share = c.truth
		}
		sum += share * of(c)
		shares += share
	}
	return sum / shares, nil
}

// ratio is a/b, 0 where b is.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
