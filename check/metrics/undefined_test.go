package metrics_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"greenlight/check/metrics"
)

func TestUndefinedSaysWhy(t *testing.T) {
	two := []string{"no", "yes"}
	binary := func(truth []bool, score ...float64) *metrics.Scores { return metrics.NewScores(truth, score) }
	three := func(truth []int32, score ...float64) *metrics.ClassScores {
		return &metrics.ClassScores{Classes: 3, Truth: truth, Score: score, Names: []string{"a", "b", "c"}}
	}
	for _, c := range []struct {
		name    string
		measure func() (float64, error)
		why     string
	}{
		{"no rows", func() (float64, error) { return metrics.Accuracy(metrics.Labels{}, nil) }, "no rows"},
		{"only rows without weight", func() (float64, error) { return metrics.MAE([]float64{1}, []float64{2}, []float64{0}) }, "no rows"},
		{"F1 of a class that isn't there", func() (float64, error) {
			return metrics.F1(metrics.Labels{Classes: two, Truth: []int32{0}, Predicted: []int32{0}}, metrics.Binary, 1, nil)
		}, `"yes"`},
		{"AUC of positives", func() (float64, error) { return binary([]bool{true, true}, 0.1, 0.2).ROCAUC(nil) }, "all rows are of the positive class"},
		{"AUC of others", func() (float64, error) { return binary([]bool{false}, 0.1).ROCAUC(nil) }, "no row is of the positive class"},
		{"AUC of what a resample left", func() (float64, error) {
			return binary([]bool{true, false}, 0.1, 0.2).ROCAUC([]float64{2, 0})
		}, "all rows are of the positive class"},
		{"average precision without positives", func() (float64, error) { return binary([]bool{false}, 0.1).PRAUC(nil) }, "no row is of the positive class"},
		{"NaN score", func() (float64, error) { return binary([]bool{true, false}, 0.1, math.NaN()).ROCAUC(nil) }, "row 2"},
		{"log loss of what is no probability", func() (float64, error) { return binary([]bool{true, false}, 0.1, 1.5).LogLoss(nil) }, "1.5 of row 2"},
		{"AUC without a class", func() (float64, error) {
			return three([]int32{0, 1}, 1, 0, 0, 0, 1, 0).ROCAUC(nil)
		}, `no row is of class "c"`},
		{"AUC of scores that are no distribution", func() (float64, error) {
			return three([]int32{0, 1, 2}, 1, 0, 0, 0, 1, 0, 0, 1, 1).ROCAUC(nil)
		}, "row 3 of those compared sum to 2"},
		{"infinite score of a class", func() (float64, error) {
			return three([]int32{0, 1}, 1, 0, 0, 0, math.Inf(1), 0).TopK(1, nil)
		}, `class "b" in row 2`},
		{"Brier of what is no probability", func() (float64, error) { return three([]int32{0}, 2, -1, 0).Brier(nil) }, "score 2 of row 1"},
		{"top 3 of 3", func() (float64, error) { return three([]int32{0}, 1, 0, 0).TopK(3, nil) }, "3 classes"},
		{"R² of one row", func() (float64, error) { return metrics.R2([]float64{1}, []float64{1}, nil) }, "two rows"},
		{"R² of a constant", func() (float64, error) { return metrics.R2([]float64{4, 4}, []float64{1, 2}, nil) }, "same truth, 4"},
		{"RMSE of NaN", func() (float64, error) { return metrics.RMSE([]float64{1}, []float64{math.NaN()}, nil) }, "not a finite number"},
		{"RMSE beyond all numbers", func() (float64, error) { return metrics.RMSE([]float64{1e300}, []float64{-1e300}, nil) }, "too large"},
		{"ranking of one item", func() (float64, error) { return metrics.NDCG([]float64{1}, []float64{1}, 5) }, "two items"},
		{"negative relevance", func() (float64, error) { return metrics.NDCG([]float64{1, -1}, []float64{1, -1}, 5) }, "-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := c.measure()
			if !errors.Is(err, metrics.ErrUndefined) || !strings.Contains(err.Error(), c.why) || v != 0 {
				t.Errorf("%v, %v; want an error that says %q", v, err, c.why)
			}
		})
	}
}

func TestCurvesRunFromCornerToCorner(t *testing.T) {
	truth, score := make([]bool, 5000), make([]float64, 5000)
	for i := range truth {
		truth[i], score[i] = i%3 == 0, math.Mod(float64(i)*0.618, 1)+float64(1-min(i%3, 1))*0.3
	}
	s := metrics.NewScores(truth, score)
	auc, err := s.ROCAUC(nil)
	if err != nil {
		t.Fatal(err)
	}
	fpr, tpr, err := s.ROC(200)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(fpr); n > 200 || n < 100 || fpr[0] != 0 || tpr[0] != 0 || fpr[n-1] != 1 || tpr[n-1] != 1 {
		t.Errorf("%d points from (%v, %v) to (%v, %v)", n, fpr[0], tpr[0], fpr[n-1], tpr[n-1])
	}
	area := 0.0
	for i := 1; i < len(fpr); i++ {
		if fpr[i] < fpr[i-1] || tpr[i] < tpr[i-1] {
			t.Fatalf("point %d lies behind the one before", i)
		}
		area += (fpr[i] - fpr[i-1]) * (tpr[i] + tpr[i-1]) / 2
	}
	if math.Abs(area-auc) > 0.005 {
		t.Errorf("the area under the drawn curve is %v, ROC AUC %v", area, auc)
	}
	recall, precision, err := s.PR(200)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(recall); n > 200 || n < 50 || recall[0] != 0 || precision[0] != 1 || recall[n-1] != 1 {
		t.Errorf("%d points from (%v, %v) to (%v, %v)", n, recall[0], precision[0], recall[n-1], precision[n-1])
	}
	if _, _, err := metrics.NewScores([]bool{true}, []float64{1}).ROC(10); !errors.Is(err, metrics.ErrUndefined) {
		t.Errorf("a curve of one class: %v", err)
	}
}
