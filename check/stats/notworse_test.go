package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"greenlight/check/metrics"
	"greenlight/check/stats"
)

func TestJudgeNotWorse(t *testing.T) {
	for _, c := range []struct {
		name                        string
		low, pWorse, margin, detect float64
		want                        stats.Decision
	}{
		{"equal", -0.01, 0.5, 0, 0.03, stats.Pass},
		{"worse", -0.05, 0.001, 0, 0.03, stats.Fail},
		{"worse, for certain, and by little", -0.002, 0.001, 0, 0.03, stats.Fail},
		{"too few rows", -0.05, 0.3, 0, 0.03, stats.Inconclusive},
		{"too few rows, and nobody asks", -0.05, 0.3, 0, 0, stats.Pass},
		{"too few rows for no margin, enough for this one", -0.05, 0.3, 0.03, 0.03, stats.Pass},
	} {
		if got := stats.JudgeNotWorse(stats.Interval{Low: c.low}, c.pWorse, 0.025, c.margin, c.detect); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestFamiliesShareAlpha(t *testing.T) {
	near := func(got []float64, want ...float64) bool {
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				return false
			}
		}
		return len(got) == len(want)
	}
	if gates, slices := stats.Families([]float64{0.01, 0.04}, nil); !near(gates, 0.02, 0.04) || len(slices) != 0 {
		t.Errorf("without slices: %v", gates)
	}
	if gates, slices := stats.Families([]float64{0.01}, []float64{0.9, 0.001, 0.02}); !near(gates, 0.02) || !near(slices, 1, 0.006, 0.08) {
		t.Errorf("with slices: %v, %v", gates, slices)
	}
}

const (
	simAlpha  = 0.025 // of the default confidence, 95%
	simDetect = 0.03  // the default
	simRows   = 5000
)

// mistakes says which rows each of two models gets wrong: each one a tenth, idle
// loss more, and the share shared of a tenth both.
func mistakes(source *rand.Rand, rows int, shared, loss float64) (idle, live []bool) {
	idle, live = make([]bool, rows), make([]bool, rows)
	for i := range rows {
		if shared > 0 && source.Float64() < shared*0.1 {
			idle[i], live[i] = true, true
			continue
		}
		// What is left to each, given that the mistake is not shared.
		own := (0.1 - shared*0.1) / (1 - shared*0.1)
		idle[i] = source.Float64() < own+loss/(1-shared*0.1)
		live[i] = source.Float64() < own
	}
	return idle, live
}

// judgeAccuracy is the comparison of accuracies as the quality check makes it.
func judgeAccuracy(idle, live []bool) stats.Decision {
	b, c := 0, 0
	for i := range idle {
		if live[i] && !idle[i] {
			b++
		}
		if idle[i] && !live[i] {
			c++
		}
	}
	difference := stats.PairedProportions(b, c, len(idle), 1-2*simAlpha)
	return stats.JudgeNotWorse(difference, stats.PairedPWorse(b, c, len(idle), 0), simAlpha, 0, simDetect)
}

// simulate counts decisions over pairs of models.
func simulate(pairs int, judge func(*rand.Rand) stats.Decision) (failed, inconclusive float64) {
	for pair := range pairs {
		switch judge(rand.New(rand.NewPCG(uint64(pair), 1))) {
		case stats.Fail:
			failed += 1 / float64(pairs)
		case stats.Inconclusive:
			inconclusive += 1 / float64(pairs)
		}
	}
	return failed, inconclusive
}

func simulateAccuracy(pairs, rows int, shared, loss float64) (failed, inconclusive float64) {
	return simulate(pairs, func(source *rand.Rand) stats.Decision { return judgeAccuracy(mistakes(source, rows, shared, loss)) })
}

func TestEqualModelsPassAndWorseOnesDoNot(t *testing.T) {
	for _, shared := range []float64{0, 0.5} {
		failed, inconclusive := simulateAccuracy(1000, simRows, shared, 0)
		if failed+inconclusive > 0.05 {
			t.Errorf("of equal models that share %v of their mistakes %v failed and %v were inconclusive", shared, failed, inconclusive)
		}
		worse, unsure := simulateAccuracy(1000, simRows, shared, 0.03)
		if worse+unsure < 0.99 {
			t.Errorf("of models 3 points worse that share %v of their mistakes only %v failed and %v were inconclusive", shared, worse, unsure)
		}
		t.Logf("shared %v: equal %.3f failed, %.3f inconclusive; 3 points worse %.3f failed, %.3f inconclusive", shared, failed, inconclusive, worse, unsure)
	}
}

// bootstrapped are comparisons by the bootstrap, whose idle model has its
// mistakes made worse by harm.
var bootstrapped = []struct {
	name  string
	harm  float64
	judge func(source *rand.Rand, rows int, harm float64) stats.Decision
}{
	{"f1Macro", 0.03, func(source *rand.Rand, rows int, harm float64) stats.Decision {
		wrongIdle, wrongLive := mistakes(source, rows, 0.5, harm)
		l, other := metrics.Labels{Classes: []string{"a", "b", "c"}}, metrics.Labels{Classes: []string{"a", "b", "c"}}
		for i := range rows {
			truth := int32(source.IntN(10) / 4) // 40%, 40%, 20%
			l.Truth, l.Predicted = append(l.Truth, truth), append(l.Predicted, mistake(truth, wrongIdle[i]))
			other.Predicted = append(other.Predicted, mistake(truth, wrongLive[i]))
		}
		other.Truth = l.Truth
		return judgeBootstrap(rows, 1, simDetect, func(w []float64) (float64, float64, error) {
			idle, err := metrics.F1(l, metrics.Macro, 0, w)
			if err != nil {
				return 0, 0, err
			}
			live, err := metrics.F1(other, metrics.Macro, 0, w)
			return idle, live, err
		})
	}},
	{"rocAuc", 0.5, func(source *rand.Rand, rows int, harm float64) stats.Decision {
		truth, idle, live := make([]bool, rows), make([]float64, rows), make([]float64, rows)
		for i := range rows {
			truth[i] = source.IntN(5) == 0
			signal := source.NormFloat64()
			if truth[i] {
				signal += 1.8
			}
			idle[i] = signal + (0.5+harm)*source.NormFloat64()
			live[i] = signal + 0.5*source.NormFloat64()
		}
		a, b := metrics.NewScores(truth, idle), metrics.NewScores(truth, live)
		return judgeBootstrap(rows, 1, simDetect, func(w []float64) (float64, float64, error) {
			x, err := a.ROCAUC(w)
			if err != nil {
				return 0, 0, err
			}
			y, err := b.ROCAUC(w)
			return x, y, err
		})
	}},
	{"rmse", 0.1, func(source *rand.Rand, rows int, harm float64) stats.Decision {
		truth, idle, live := make([]float64, rows), make([]float64, rows), make([]float64, rows)
		for i := range rows {
			common := source.NormFloat64()
			idle[i] = (1 + harm) * (common + source.NormFloat64())
			live[i] = common + source.NormFloat64()
		}
		return judgeBootstrap(rows, -1, 0.1*math.Sqrt2, func(w []float64) (float64, float64, error) {
			x, err := metrics.RMSE(truth, idle, w)
			if err != nil {
				return 0, 0, err
			}
			y, err := metrics.RMSE(truth, live, w)
			return x, y, err
		})
	}},
}

// mistake is another of three classes if wrong.
func mistake(truth int32, wrong bool) int32 {
	if wrong {
		return (truth + 1) % 3
	}
	return truth
}

// judgeBootstrap is the comparison of other metrics as the quality check makes
// it; sign is −1 where less is better.
func judgeBootstrap(rows int, sign, detect float64, of func(w []float64) (idle, live float64, err error)) stats.Decision {
	r, err := stats.Bootstrap{Rows: rows, Confidence: 1 - 2*simAlpha, Statistic: func(w []float64) (float64, float64, error) {
		idle, live, err := of(w)
		return sign * idle, sign * live, err
	}}.Run(never)
	if err != nil {
		return stats.Inconclusive
	}
	return stats.JudgeNotWorse(r.Difference, r.PAtMost(0), simAlpha, 0, detect)
}

func TestBootstrapTellsWorseModelsFromEqualOnes(t *testing.T) {
	const pairs, rows = 12, 1000
	for _, m := range bootstrapped {
		failed, _ := simulate(pairs, func(source *rand.Rand) stats.Decision { return m.judge(source, rows, 0) })
		worse, unsure := simulate(pairs, func(source *rand.Rand) stats.Decision { return m.judge(source, rows, 3*m.harm) })
		if failed > 0.2 || worse+unsure < 0.9 {
			t.Errorf("%s: of equal models %v failed, of worse ones %v, and %v were inconclusive", m.name, failed, worse, unsure)
		}
	}
}

// BenchmarkSim prints, in percent, how many of simulated pairs of models fail
// or are inconclusive at the defaults.
func BenchmarkSim(b *testing.B) {
	report := func(b *testing.B, failed, inconclusive float64) {
		b.ReportMetric(100*failed, "%failed")
		b.ReportMetric(100*inconclusive, "%inconclusive")
		b.ReportMetric(0, "ns/op")
	}
	for _, loss := range []float64{0, 0.03} {
		for _, shared := range []float64{0, 0.5} {
			for _, rows := range []int{500, 1000, 2000, 5000, 10_000} {
				b.Run(fmt.Sprintf("accuracy/loss=%v/shared=%v/rows=%d", loss, shared, rows), func(b *testing.B) {
					for b.Loop() {
						failed, inconclusive := simulateAccuracy(1000, rows, shared, loss)
						report(b, failed, inconclusive)
					}
				})
			}
		}
	}
	for _, m := range bootstrapped {
		for _, harm := range []float64{0, m.harm} {
			b.Run(fmt.Sprintf("%s/harm=%v/rows=500", m.name, harm), func(b *testing.B) {
				for b.Loop() {
					failed, inconclusive := simulate(1000, func(source *rand.Rand) stats.Decision { return m.judge(source, 500, harm) })
					report(b, failed, inconclusive)
				}
			})
		}
	}
}
