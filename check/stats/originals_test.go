package stats_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"greenlight/check/metrics"
	"greenlight/check/stats"
	"greenlight/examples/lab"
)

// python runs a script with input as JSON on its standard input, and decodes the JSON that it prints.
func python(t *testing.T, script string, input, output any) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs SciPy")
	}
	path, err := lab.FindPython()
	if err != nil {
		t.Fatal(err)
	}
	given, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), path, script)
	command.Stdin, command.Stderr = bytes.NewReader(given), os.Stderr
	printed, err := command.Output()
	if err != nil {
		t.Fatalf("run %s: %v", script, err)
	}
	if err := json.Unmarshal(printed, output); err != nil {
		t.Fatal(err)
	}
}

func TestAgreesWithSciPy(t *testing.T) {
	var cases []struct {
		Kind                string
		Numbers, A, B, Want []float64
	}
	python(t, "testdata/originals.py", nil, &cases)
	figures := 0
	for _, c := range cases {
		got := original(t, c.Kind, c.Numbers, c.A, c.B)
		if len(got) != len(c.Want) {
			t.Fatalf("%s: %d figures, want %d", c.Kind, len(got), len(c.Want))
		}
		for i, want := range c.Want {
			if !(math.Abs(got[i]-want) <= 1e-6) {
				t.Errorf("%s of %v, %d and %d values: figure %d is %v, in SciPy %v", c.Kind, c.Numbers, len(c.A), len(c.B), i, got[i], want)
			}
			figures++
		}
	}
	t.Logf("%d figures of %d cases were compared", figures, len(cases))
	if figures < 500 {
		t.Errorf("only %d figures were compared", figures)
	}
}

func original(t *testing.T, kind string, numbers, a, b []float64) []float64 {
	whole := func(i int) int { return int(numbers[i]) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s of %v: %v", kind, numbers, err)
		}
	}
	interval := func(i stats.Interval) []float64 { return []float64{i.Value, i.Low, i.High} }
	switch kind {
	case "mcnemar":
		less, twoSided := stats.McNemar(whole(0), whole(1))
		return []float64{less, twoSided}
	case "pairedPWorse":
		return []float64{stats.PairedPWorse(whole(0), whole(1), whole(2), numbers[3])}
	case "pairedProportions":
		return interval(stats.PairedProportions(whole(0), whole(1), whole(2), numbers[3]))
	case "wilson":
		return interval(stats.Wilson(whole(0), whole(1), numbers[2]))
	case "holm":
		return stats.Holm(a)
	case "ks":
		statistic, p, err := stats.KS(a, b)
		must(err)
		return []float64{statistic, p}
	case "kolmogorov":
		return []float64{stats.Kolmogorov(whole(0), numbers[1])}
	case "chiSquare":
		statistic, p, v, dof, err := stats.ChiSquare(a, b)
		must(err)
		return []float64{statistic, p, v, float64(dof)}
	case "jensenShannon":
		v, err := stats.JensenShannon(a, b)
		must(err)
		return []float64{v}
	case "psi":
		v, err := stats.PSI(a, b)
		must(err)
		return []float64{v}
	case "quantile":
		return []float64{stats.Quantile(a, numbers[0])}
	case "quantileInterval":
		i, ok := stats.QuantileInterval(a, numbers[0], numbers[1])
		if ok {
			return append(interval(i), 1)
		}
		return append(interval(i), 0)
	}
	t.Fatalf("originals.py names what this test doesn't know: %s", kind)
	return nil
}

func TestBootstrapIntervalsAgreeWithSciPy(t *testing.T) {
	type given struct {
		Statistic   string    `json:"statistic"`
		Method      string    `json:"method"`
		Truth       []float64 `json:"truth"`
		First       []float64 `json:"first"`
		Second      []float64 `json:"second"`
		Resamples   []float64 `json:"resamples"`
		Confidences []float64 `json:"confidences"`
	}
	source := rand.New(rand.NewPCG(5, 6))
	var cases []given
	var results []stats.BootstrapResult
	for _, name := range []string{"accuracy", "rmse", "r2"} {
		for _, rows := range []int{30, 200, 500} { // up to 500 the jackknife leaves out single rows, as SciPy's
			c := given{Statistic: name, Method: "BCa", Confidences: []float64{0.5, 0.9, 0.95, 0.999}}
			for range rows {
				truth := source.ExpFloat64()
				first, second := truth+0.2*source.ExpFloat64(), truth+0.3*source.NormFloat64()
				if name == "accuracy" {
					truth = float64(source.IntN(2))
					first, second = float64(source.IntN(2)), float64(source.IntN(4)%2)
				}
				c.Truth, c.First, c.Second = append(c.Truth, truth), append(c.First, first), append(c.Second, second)
			}
			of := map[string]func(truth, predicted, w []float64) (float64, error){
				"accuracy": equal, "rmse": metrics.RMSE, "r2": metrics.R2,
			}[name]
			result, err := stats.Bootstrap{Rows: rows, Confidence: 0.95, Statistic: func(w []float64) (float64, float64, error) {
				first, err := of(c.Truth, c.First, w)
				if err != nil {
					return 0, 0, err
				}
				second, err := of(c.Truth, c.Second, w)
				return first, second, err
			}}.Run(never)
			if err != nil {
				t.Fatal(err)
			}
			if !result.BCa || result.Acceleration == 0 {
				t.Errorf("%s of %d rows: no BCa interval: %+v", name, rows, result.Difference)
			}
			c.Resamples = result.Resamples()
			cases, results = append(cases, c), append(results, result)
		}
	}
	var want [][][2]float64
	python(t, "testdata/bootstrap.py", cases, &want)
	for i, c := range cases {
		for k, confidence := range c.Confidences {
			got := results[i].Interval(confidence)
			if math.Abs(got.Low-want[i][k][0]) > 1e-6 || math.Abs(got.High-want[i][k][1]) > 1e-6 {
				t.Errorf("%s of %d rows at %v: %+v, in SciPy %v", c.Statistic, len(c.Truth), confidence, got, want[i][k])
			}
		}
	}
}

// equal is the weighted share of rows with the same numbers.
func equal(truth, predicted, w []float64) (float64, error) {
	sum, all := 0.0, 0.0
	for i, v := range w {
		all += v
		if truth[i] == predicted[i] {
			sum += v
		}
	}
	return sum / all, nil
}

func never() error { return nil }
