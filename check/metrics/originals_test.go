package metrics_test

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"greenlight/check/metrics"
	"greenlight/examples/lab"
)

// measured is a set of predictions with what scikit-learn measured on them.
type measured struct {
	Name, Kind                 string
	Classes                    int
	Truth                      []float64
	Predicted                  []float64
	Score                      []float64
	All, Ranked                []float64
	Weights, Counts            []float64
	Plain, Weighted, Resampled map[string]float64
}

func TestAgreesWithScikitLearn(t *testing.T) {
	if testing.Short() {
		t.Skip("needs scikit-learn")
	}
	python, err := lab.FindPython()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), python, "testdata/originals.py")
	command.Stderr = os.Stderr
	printed, err := command.Output()
	if err != nil {
		t.Fatalf("run originals.py: %v", err)
	}
	var all []measured
	if err := json.Unmarshal(printed, &all); err != nil {
		t.Fatal(err)
	}
	figures, worst := 0, 0.0
	for _, m := range all {
		t.Run(m.Name, func(t *testing.T) {
			for _, part := range []struct {
				name    string
				weights []float64
				want    map[string]float64
			}{{"plain", nil, m.Plain}, {"weighted", m.Weights, m.Weighted}, {"resampled", m.Counts, m.Resampled}} {
				for key, want := range part.want {
					got, err := m.measure(key, part.weights)
					if err != nil || math.Abs(got-want) > 1e-9 {
						t.Errorf("%s %s is %v, %v; scikit-learn has %v", part.name, key, got, err, want)
						continue
					}
					figures++
					worst = max(worst, math.Abs(got-want))
				}
			}
		})
	}
	t.Logf("%d figures of %d sets of predictions agree; the largest difference is %.1g", figures, len(all), worst)
	if figures < 1000 {
		t.Errorf("only %d figures were compared", figures)
	}
}

// measure is the metric by the name that originals.py gives it.
func (m measured) measure(key string, w []float64) (float64, error) {
	metric, part, _ := strings.Cut(key, ".")
	number, numberErr := strconv.Atoi(part)
	switch m.Kind {
	case "labels":
		l := metrics.Labels{Classes: make([]string, m.Classes), Truth: indexes(m.Truth), Predicted: indexes(m.Predicted)}
		average := map[string]metrics.Average{"macro": metrics.Macro, "weighted": metrics.Weighted}[part]
		if numberErr == nil {
			average = metrics.Binary
		}
		switch metric {
		case "accuracy":
			return metrics.Accuracy(l, w)
		case "precision":
			return metrics.Precision(l, average, int32(number), w)
		case "recall":
			return metrics.Recall(l, average, int32(number), w)
		case "f1":
			return metrics.F1(l, average, int32(number), w)
		}
	case "scores":
		truth := make([]bool, len(m.Truth))
		for i, v := range m.Truth {
			truth[i] = v == 1
		}
		return map[string]func(*metrics.Scores, []float64) (float64, error){
			"rocAuc": (*metrics.Scores).ROCAUC, "prAuc": (*metrics.Scores).PRAUC, "logLoss": (*metrics.Scores).LogLoss, "brier": (*metrics.Scores).Brier,
		}[metric](metrics.NewScores(truth, m.Score), w)
	case "classScores":
		c := &metrics.ClassScores{Classes: m.Classes, Truth: indexes(m.Truth), Score: m.Score}
		if metric == "topK" {
			return c.TopK(number, w)
		}
		return map[string]func(*metrics.ClassScores, []float64) (float64, error){
			"rocAuc": (*metrics.ClassScores).ROCAUC, "prAuc": (*metrics.ClassScores).PRAUC, "logLoss": (*metrics.ClassScores).LogLoss, "brier": (*metrics.ClassScores).Brier,
		}[metric](c, w)
	case "numbers":
		return map[string]func(truth, predicted, w []float64) (float64, error){
			"rmse": metrics.RMSE, "mae": metrics.MAE, "r2": metrics.R2,
		}[metric](m.Truth, m.Predicted, w)
	case "ranking":
		k, err := strconv.Atoi(key)
		if err != nil {
			return 0, err
		}
		return metrics.NDCG(m.Ranked, m.All, k)
	}
	panic("originals.py names what this test doesn't know: " + m.Kind + " " + key)
}

func indexes(values []float64) []int32 {
	out := make([]int32, len(values))
	for i, v := range values {
		out[i] = int32(v)
	}
	return out
}
