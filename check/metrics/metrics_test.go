package metrics_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/check/metrics"
)

// near allows for another order of additions.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// rows are predictions of every kind for the same rows.
type rows struct {
	classes   int
	truth     []int32
	predicted []int32
	score     []float64 // of each class
	number    []float64
	guess     []float64
	counts    []float64
}

func drawRows(t *rapid.T) rows {
	r := rows{classes: rapid.IntRange(2, 4).Draw(t, "classes")}
	n := rapid.IntRange(1, 25).Draw(t, "rows")
	for range n {
		r.truth = append(r.truth, rapid.Int32Range(0, int32(r.classes-1)).Draw(t, "truth"))
		r.predicted = append(r.predicted, rapid.Int32Range(0, int32(r.classes-1)).Draw(t, "predicted"))
		parts, sum := make([]float64, r.classes), 0.0
		for i := range parts {
			parts[i] = float64(rapid.IntRange(0, 4).Draw(t, "score")) // few values: many ties
			sum += parts[i]
		}
		for i, p := range parts {
			if sum == 0 {
				parts[i] = 1 / float64(r.classes)
			} else {
				parts[i] = p / sum
			}
		}
		r.score = append(r.score, parts...)
		r.number = append(r.number, float64(rapid.IntRange(-5, 5).Draw(t, "number")))
		r.guess = append(r.guess, rapid.Float64Range(-5, 5).Draw(t, "guess"))
		r.counts = append(r.counts, float64(rapid.IntRange(0, 3).Draw(t, "count")))
	}
	return r
}

// repeat gives every row as often as its count says.
func (r rows) repeat() rows {
	out := rows{classes: r.classes}
	for i, count := range r.counts {
		for range int(count) {
			out.truth = append(out.truth, r.truth[i])
			out.predicted = append(out.predicted, r.predicted[i])
			out.score = append(out.score, r.score[i*r.classes:(i+1)*r.classes]...)
			out.number = append(out.number, r.number[i])
			out.guess = append(out.guess, r.guess[i])
		}
	}
	return out
}

func (r rows) labels() metrics.Labels {
	return metrics.Labels{Classes: strings.Split("abcd", "")[:r.classes], Truth: r.truth, Predicted: r.predicted}
}

// scores are those of class 0 against the rest.
func (r rows) scores(of func(float64) float64) *metrics.Scores {
	truth, score := make([]bool, len(r.truth)), make([]float64, len(r.truth))
	for i := range truth {
		truth[i], score[i] = r.truth[i] == 0, of(r.score[i*r.classes])
	}
	return metrics.NewScores(truth, score)
}

func same(v float64) float64 { return v }

// all measures every metric.
func (r rows) all(w []float64) map[string]func() (float64, error) {
	l, s := r.labels(), r.scores(same)
	c := &metrics.ClassScores{Classes: r.classes, Truth: r.truth, Score: r.score}
	out := map[string]func() (float64, error){
		"accuracy":           func() (float64, error) { return metrics.Accuracy(l, w) },
		"rocAuc":             func() (float64, error) { return s.ROCAUC(w) },
		"prAuc":              func() (float64, error) { return s.PRAUC(w) },
		"logLoss":            func() (float64, error) { return s.LogLoss(w) },
		"brier":              func() (float64, error) { return s.Brier(w) },
		"rocAuc of classes":  func() (float64, error) { return c.ROCAUC(w) },
		"prAuc of classes":   func() (float64, error) { return c.PRAUC(w) },
		"logLoss of classes": func() (float64, error) { return c.LogLoss(w) },
		"brier of classes":   func() (float64, error) { v, err := c.Brier(w); return v / 2, err },
		"topK":               func() (float64, error) { return c.TopK(r.classes-1, w) },
		"rmse":               func() (float64, error) { return metrics.RMSE(r.number, r.guess, w) },
		"mae":                func() (float64, error) { return metrics.MAE(r.number, r.guess, w) },
		"r2":                 func() (float64, error) { return metrics.R2(r.number, r.guess, w) },
	}
	for name, f := range map[string]func(metrics.Labels, metrics.Average, int32, []float64) (float64, error){
		"precision": metrics.Precision, "recall": metrics.Recall, "f1": metrics.F1,
	} {
		out[name] = func() (float64, error) { return f(l, metrics.Binary, 0, w) }
		out[name+" macro"] = func() (float64, error) { return f(l, metrics.Macro, 0, w) }
		out[name+" weighted"] = func() (float64, error) { return f(l, metrics.Weighted, 0, w) }
	}
	return out
}

// unbounded are the metrics that may lie outside of 0 to 1.
var unbounded = []string{"logLoss", "logLoss of classes", "rmse", "mae", "r2"}

func TestValuesAreBoundedOrUndefined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRows(t)
		for _, w := range [][]float64{nil, r.counts} {
			for name, measure := range r.all(w) {
				v, err := measure()
				switch {
				case err != nil:
					if !errors.Is(err, metrics.ErrUndefined) || v != 0 {
						t.Errorf("%s: %v, %v", name, v, err)
					}
				case math.IsNaN(v) || math.IsInf(v, 0):
					t.Errorf("%s is %v", name, v)
				case !slices.Contains(unbounded, name) && (v < -1e-12 || v > 1+1e-12):
					t.Errorf("%s is %v, outside of 0 to 1", name, v)
				}
			}
		}
	})
}

func TestWeightsAreRepetitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRows(t)
		repeated := r.repeat().all(nil)
		for name, measure := range r.all(r.counts) {
			got, gotErr := measure()
			want, wantErr := repeated[name]()
			if name == "r2" && (gotErr == nil) != (wantErr == nil) {
				continue // one row that counts twice is two rows only when repeated
			}
			if !near(got, want) || (gotErr == nil) != (wantErr == nil) {
				t.Errorf("%s is %v, %v with counts and %v, %v with repeated rows", name, got, gotErr, want, wantErr)
			}
		}
	})
}

func TestRankingMetricsSeeOnlyTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRows(t)
		plain, mapped := r.scores(same), r.scores(func(v float64) float64 { return math.Exp(3*v) - 7 })
		turned := r.scores(func(v float64) float64 { return -v })
		for _, w := range [][]float64{nil, r.counts} {
			a, err := plain.ROCAUC(w)
			b, _ := mapped.ROCAUC(w)
			c, _ := turned.ROCAUC(w)
			if !near(a, b) {
				t.Errorf("ROC AUC is %v and, of scores in the same order, %v", a, b)
			}
			if err == nil && !near(a, 1-c) {
				t.Errorf("ROC AUC is %v and, of scores in the opposite order, %v", a, c)
			}
			a, _ = plain.PRAUC(w)
			b, _ = mapped.PRAUC(w)
			if !near(a, b) {
				t.Errorf("PR AUC is %v and, of scores in the same order, %v", a, b)
			}
		}
	})
}

func TestPerfectPredictionsHaveTheBestValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRows(t)
		r.predicted, r.guess = r.truth, r.number
		for i, truth := range r.truth {
			for class := range r.classes {
				r.score[i*r.classes+class] = 0
			}
			r.score[i*r.classes+int(truth)] = 1
		}
		for name, measure := range r.all(nil) {
			v, err := measure()
			best := 1.0
			if name == "rmse" || name == "mae" || strings.HasPrefix(name, "logLoss") || strings.HasPrefix(name, "brier") {
				best = 0
			}
			if err == nil && !near(v, best) {
				t.Errorf("%s is %v", name, v)
			}
		}
	})
}

func TestNDCGOfTheBestOrderIsOneAndOfAnyOtherLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ranked := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 4), func(v int) float64 { return float64(v) }), 2, 12).Draw(t, "ranked")
		k := rapid.IntRange(1, 15).Draw(t, "k")
		best := slices.Clone(ranked)
		slices.Sort(best)
		slices.Reverse(best)
		top, err := metrics.NDCG(best, ranked, k)
		if err != nil || best[0] > 0 && !near(top, 1) || best[0] == 0 && top != 0 {
			t.Fatalf("the best order has %v, %v", top, err)
		}
		if v, err := metrics.NDCG(ranked, ranked, k); err != nil || v < 0 || v > top+1e-12 {
			t.Fatalf("%v, %v; the best order has %v", v, err, top)
		}
		// What was not ranked counts as if it had no relevance.
		cut := rapid.IntRange(0, len(ranked)).Draw(t, "cut")
		short, _ := metrics.NDCG(ranked[:cut], ranked, k)
		long, _ := metrics.NDCG(append(slices.Clone(ranked[:cut]), make([]float64, len(ranked)-cut)...), ranked, k)
		if !near(short, long) {
			t.Fatalf("%v and %v", short, long)
		}
	})
}
