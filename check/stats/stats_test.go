package stats_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"greenlight/check/metrics"
	"greenlight/check/stats"
)

var (
	share  = rapid.Float64Range(0.001, 0.999)
	number = rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Map(rapid.IntRange(-3, 3), func(v int) float64 { return float64(v) }))
	sample = rapid.SliceOfN(number, 1, 40)
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

func holds(i stats.Interval) bool { return i.Low <= i.Value && i.Value <= i.High }

func histograms(t *rapid.T) (a, b []float64) {
	n := rapid.IntRange(1, 8).Draw(t, "bins")
	count := rapid.Map(rapid.IntRange(0, 30), func(v int) float64 { return float64(v) })
	a = append(rapid.SliceOfN(count, n, n).Draw(t, "a"), 1)
	b = append(rapid.SliceOfN(count, n, n).Draw(t, "b"), 1)
	return a, b
}

func TestDistancesAreBoundedAndSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := histograms(t)
		ab, errA := stats.JensenShannon(a, b)
		ba, errB := stats.JensenShannon(b, a)
		if errA != nil || errB != nil || !(ab >= 0 && ab <= 1) || !near(ab, ba) {
			t.Errorf("Jensen–Shannon %v %v, %v %v", ab, errA, ba, errB)
		}
		ab, errA = stats.PSI(a, b)
		ba, errB = stats.PSI(b, a)
		if errA != nil || errB != nil || !(ab >= 0) || math.IsInf(ab, 0) || !near(ab, ba) {
			t.Errorf("PSI %v %v, %v %v", ab, errA, ba, errB)
		}
		s, p, v, dof, err := stats.ChiSquare(a, b)
		s2, p2, v2, dof2, _ := stats.ChiSquare(b, a)
		if err != nil || !(s >= 0 && p >= 0 && p <= 1 && v >= 0 && v <= 1) || !near(s, s2) || !near(p, p2) || !near(v, v2) || dof != dof2 {
			t.Errorf("chi-square %v %v %v %d %v, turned around %v %v %v %d", s, p, v, dof, err, s2, p2, v2, dof2)
		}
		for name, distance := range map[string]func(a, b []float64) (float64, error){"Jensen–Shannon": stats.JensenShannon, "PSI": stats.PSI} {
			if d, _ := distance(a, a); !near(d, 0) {
				t.Errorf("%s of the same is %v", name, d)
			}
		}
	})
}

func TestKSSeesOnlyTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := sample.Draw(t, "a"), sample.Draw(t, "b")
		d, p, err := stats.KS(a, b)
		if err != nil || !(d >= 0 && d <= 1 && p >= 0 && p <= 1) {
			t.Fatalf("%v, %v, %v", d, p, err)
		}
		double := func(v []float64) []float64 {
			out := slices.Clone(v)
			for i := range out {
				out[i] *= 2
			}
			return out
		}
		d2, p2, _ := stats.KS(double(b), double(a))
		if d != d2 || !near(p, p2) {
			t.Fatalf("%v, %v; of the same order, turned around, %v, %v", d, p, d2, p2)
		}
		if d, p, _ := stats.KS(a, a); d != 0 || p != 1 {
			t.Fatalf("of the same sample: %v, %v", d, p)
		}
	})
}

func TestUndefinedIsAnError(t *testing.T) {
	for name, err := range map[string]error{
		"KS of nothing":             third(stats.KS(nil, []float64{1})),
		"KS of NaN":                 third(stats.KS([]float64{1, math.NaN()}, []float64{1})),
		"PSI of nothing":            second(stats.PSI([]float64{0, 0}, []float64{1, 2})),
		"Jensen–Shannon of nothing": second(stats.JensenShannon(nil, nil)),
		"ratio of nothing":          second(stats.QuantileRatio(nil, []float64{1}, 0.5, 0.95, never)),
		"ratio with 0":              second(stats.QuantileRatio([]float64{1}, []float64{0, 1}, 0.5, 0.95, never)),
		"bootstrap of too few rows": second(stats.Bootstrap{Rows: 3, Confidence: 0.95}.Run(never)),
	} {
		if !errors.Is(err, stats.ErrUndefined) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

func TestProportionIntervalsAreTurnedAroundWithTheModels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, c := rapid.IntRange(0, 60).Draw(t, "b"), rapid.IntRange(0, 60).Draw(t, "c")
		n := b + c + rapid.IntRange(0, 500).Draw(t, "agree")
		confidence := share.Draw(t, "confidence")
		i, j := stats.PairedProportions(b, c, n, confidence), stats.PairedProportions(c, b, n, confidence)
		if !holds(i) || i.Low < -1 || i.High > 1 || !near(i.Low, -j.High) || !near(i.High, -j.Low) {
			t.Errorf("%+v and %+v", i, j)
		}
		if w := stats.Wilson(b, max(1, b+c), confidence); !holds(w) || w.Low < 0 || w.High > 1 {
			t.Errorf("Wilson %+v", w)
		}
		less, both := stats.McNemar(b, c)
		more, same := stats.McNemar(c, b)
		if !(less >= 0 && less <= 1 && both >= 0 && both <= 1) || !near(both, same) || less+more < 1-1e-9 {
			t.Errorf("McNemar %v %v, turned around %v %v", less, both, more, same)
		}
		// A wider margin never makes it easier to call the first worse.
		last := 0.0
		for _, margin := range []float64{0.001, 0.01, 0.1, 0.5, 1} {
			p := stats.PairedPWorse(b, c, n, margin)
			if !(p >= last-1e-9 && p <= 1) {
				t.Errorf("p is %v at margin %v, and %v below it", p, margin, last)
			}
			last = p
		}
	})
}

func TestHolmKeepsOrderAndNeverLowers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "p")
		adjusted := stats.Holm(p)
		for i := range p {
			if adjusted[i] < p[i] || adjusted[i] > 1 {
				t.Fatalf("%v became %v", p[i], adjusted[i])
			}
			for j := range p {
				if p[i] < p[j] && adjusted[i] > adjusted[j] {
					t.Fatalf("%v and %v became %v and %v", p[i], p[j], adjusted[i], adjusted[j])
				}
			}
		}
	})
}

func TestBinsKeepEqualValuesTogetherAndDivide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, n := sample.Draw(t, "values"), rapid.IntRange(2, 12).Draw(t, "n")
		edges := stats.Bins(values, n)
		counts := stats.Histogram(values, edges)
		if len(edges) > n || !slices.IsSorted(edges) || len(counts) != len(edges)+1 {
			t.Fatalf("edges %v, counts %v", edges, counts)
		}
		sum, filled := 0.0, 0
		for _, c := range counts {
			sum += c
			if c > 0 {
				filled++
			}
		}
		lowest, highest := slices.Min(values), slices.Max(values)
		switch {
		case sum != float64(len(values)):
			t.Fatalf("%v of %d values were counted", sum, len(values))
		case lowest < highest && (filled < 2 || filled != len(counts) || filled > n):
			t.Fatalf("edges %v divide %v into %v", edges, values, counts)
		case lowest == highest && !slices.Equal(counts, []float64{0, sum, 0}):
			t.Fatalf("edges %v around %v give %v", edges, lowest, counts)
		}
	})
	// Without ties the shares are equal.
	values := make([]float64, 1000)
	for i := range values {
		values[i] = math.Sqrt(float64(i))
	}
	for _, c := range stats.Histogram(values, stats.Bins(values, 10)) {
		if c != 100 {
			t.Errorf("a bin of %v", c)
		}
	}
}

func TestQuantilesLieInTheirIntervals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := sample.Draw(t, "values")
		slices.Sort(values)
		q, confidence := share.Draw(t, "q"), rapid.Float64Range(0.5, 0.999).Draw(t, "confidence")
		i, _ := stats.QuantileInterval(values, q, confidence)
		// The sample's quantile lies between two values, of which the interval may hold one.
		if i.Low > i.High || i.Value < values[0] || i.Value > values[len(values)-1] {
			t.Fatalf("%+v", i)
		}
		above := make([]float64, len(values))
		for i, v := range values {
			above[i] = v + 11
		}
		r, err := stats.QuantileRatio(above, above, q, confidence, never)
		if err != nil || r.Value != 1 || !holds(r) {
			t.Fatalf("%+v, %v", r, err)
		}
	})
}

func TestQuantileRatioFindsAFactor(t *testing.T) {
	a, b := make([]float64, 800), make([]float64, 500)
	for i := range a {
		a[i] = 1.5 * math.Exp(math.Sin(float64(i)))
	}
	for i := range b {
		b[i] = math.Exp(math.Sin(float64(i)))
	}
	for _, q := range []float64{0.5, 0.9, 0.95, 0.99} {
		i, err := stats.QuantileRatio(a, b, q, 0.95, never)
		if err != nil || i.Low > 1.5 || i.High < 1.5 || i.High-i.Low > 0.8 {
			t.Errorf("at %v: %+v, %v", q, i, err)
		}
	}
}

// exponential gives numbers that are spread as an exponential distribution is.
func exponential(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = -math.Log(1 - (float64(i)+0.5)/float64(n))
	}
	return out
}

func TestBootstrapPValuesAndIntervalsSayTheSame(t *testing.T) {
	values := exponential(400)
	r, err := stats.Bootstrap{Rows: len(values), Confidence: 0.95, Statistic: func(w []float64) (float64, float64, error) {
		v, err := metrics.MAE(values, make([]float64, len(values)), w)
		return v, 0, err
	}}.Run(never)
	if err != nil || !r.BCa || !near(r.Difference.Value, r.First) {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, confidence := range []float64{0.8, 0.95, 0.98} {
		i := r.Interval(confidence)
		alpha := (1 - confidence) / 2
		if p := r.PAtLeast(i.Low); math.Abs(p-alpha) > 2.0/2000 {
			t.Errorf("p is %v at the low end of %v", p, confidence)
		}
		if p := r.PAtMost(i.High); math.Abs(p-alpha) > 2.0/2000 {
			t.Errorf("p is %v at the high end of %v", p, confidence)
		}
	}
	last := 1.0
	for at := 0.5; at < 3; at += 0.01 {
		p := r.PAtMost(at)
		if !(p <= last && p >= 0) {
			t.Fatalf("p is %v at %v, and %v before it", p, at, last)
		}
		last = p
	}
	if last > 1e-6 {
		t.Errorf("far away p is still %v", last)
	}
}

func TestBootstrapOfEqualAnswersIsNothing(t *testing.T) {
	r, err := stats.Bootstrap{Rows: 100, Confidence: 0.95, Statistic: func([]float64) (float64, float64, error) { return 0.7, 0.7, nil }}.Run(never)
	if err != nil || r.BCa || r.Difference != (stats.Interval{}) || r.PAtMost(0) != 1 || r.PAtLeast(0) != 1 {
		t.Errorf("%+v, %v, p %v and %v", r, err, r.PAtMost(0), r.PAtLeast(0))
	}
}

func TestBootstrapIsTheSameEveryTime(t *testing.T) {
	values := exponential(700) // of groups of rows
	run := func() stats.BootstrapResult {
		r, err := stats.Bootstrap{Rows: len(values), Resamples: 300, Confidence: 0.9, Statistic: func(w []float64) (float64, float64, error) {
			v, err := metrics.RMSE(values, make([]float64, len(values)), w)
			return v, 1, err
		}}.Run(never)
		if err != nil || len(r.Resamples()) != 300 {
			t.Fatalf("%d resamples, %v", len(r.Resamples()), err)
		}
		return r
	}
	if a, b := run(), run(); a.Difference != b.Difference || a.Acceleration != b.Acceleration || a.Acceleration == 0 {
		t.Errorf("%+v and %+v", a.Difference, b.Difference)
	}
}

func TestBootstrapEnds(t *testing.T) {
	stop := errors.New("stop")
	calls := 0
	b := stats.Bootstrap{Rows: 20, Confidence: 0.95, Statistic: func([]float64) (float64, float64, error) { return 0, 0, nil }}
	if _, err := b.Run(func() error {
		if calls++; calls == 3 {
			return stop
		}
		return nil
	}); !errors.Is(err, stop) || calls != 3 {
		t.Errorf("after %d calls: %v", calls, err)
	}
	if _, err := stats.QuantileRatio([]float64{1}, []float64{1}, 0.5, 0.9, func() error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}

	// One positive row is missing from more than a third of the resamples, which are
	// drawn again; of a statistic that only the whole sample has none can be drawn.
	rare := make([]bool, 50)
	rare[7] = true
	scores := metrics.NewScores(rare, exponential(50))
	b = stats.Bootstrap{Rows: 50, Confidence: 0.95, Statistic: func(w []float64) (float64, float64, error) {
		v, err := scores.ROCAUC(w)
		return v, 0, err
	}}
	if r, err := b.Run(never); err != nil || len(r.Resamples()) != 2000 || r.BCa {
		t.Errorf("%+v, %v", r.Difference, err)
	}
	first := true
	b.Statistic = func([]float64) (float64, float64, error) {
		if first {
			first = false
			return 1, 1, nil
		}
		return 0, 0, metrics.ErrUndefined
	}
	if _, err := b.Run(never); !errors.Is(err, metrics.ErrUndefined) {
		t.Errorf("%v", err)
	}
}
