package policy_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/policy"
)

var someFigures = []string{"quality.accuracy.idle", "quality.accuracy.live", "latency.p99.ratio", "my_check.errors.idle"}

func TestExpressionsGiveWhatTheySay(t *testing.T) {
	figures := map[string]float64{
		"quality.accuracy.idle": 0.94, "quality.accuracy.live": 0.95, "latency.p99.ratio": 1.1,
		"my_check.errors.idle": 0, "unknown.to.all": 1,
	}
	for text, want := range map[string]bool{
		"quality.accuracy.idle >= quality.accuracy.live - 0.02 && latency.p99.ratio < 1.2":  true,
		"quality.accuracy.idle >= quality.accuracy.live - 0.002 && latency.p99.ratio < 1.2": false,
		"latency.p99.ratio > 1":                                         true, // whole numbers compare with figures
		"my_check.errors.idle <= 0":                                     true,
		"my_check.errors.idle == 0.0":                                   true,
		"!(latency.p99.ratio > 1.05) || false":                          false,
		"math.abs(quality.accuracy.idle - 1.0) < 0.1":                   true,
		"latency.p99.ratio > 1.0 ? quality.accuracy.idle > 0.9 : false": true,
		"\n  latency.p99.ratio\n  < 2 // a comment":                     true,
	} {
		e, err := policy.CompileExpression(text, someFigures)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := e.Eval(figures)
		if err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, err, want)
		}
	}
}

func TestExpressionsThatAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"":                                       "1 to 4096 bytes",
		strings.Repeat(" ", 5000) + "1":          "1 to 4096 bytes",
		"latency.p99.ratio <":                    "1:20: Syntax error",
		"latency.p99.ratio":                      "it gives a double",
		"dyn(latency.p99.ratio > 1.0)":           "it gives a dyn",
		"true":                                   "uses no figure",
		"1 < 2":                                  "uses no figure",
		"my_check.errors.idle == 0":              "write 0.0 for 0",
		"latency.p99.ratio * 2 > 3.0":            "write 0.0 for 0",
		"latency.p99.ratoi < 1.0":                "1:1: latency.p99.ratoi is unknown (did you mean latency.p99.ratio?); latency gives p99.ratio",
		"1.0 > my-check.errors.idle":             "1:7: my is unknown",
		"drift.psi < 0.2":                        "the checks with figures here are quality, latency, my_check",
		"quality.accuracy > 0.5":                 "1:1: quality.accuracy is unknown",
		"latency.p99.ratio.x > 1.0":              "latency.p99.ratio.x is unknown",
		"has(latency.p99.ratio)":                 "undeclared reference to 'has'",
		"[1.0].exists(x, x > latency.p99.ratio)": "x is unknown",
		"latency.p99.ratio < 1.0 &&\n  foo > 1":  "2:3: foo is unknown",
		strings.Repeat("(", 100) + "latency.p99.ratio < 1.0" + strings.Repeat(")", 100): "recursion",
	} {
		if _, err := policy.CompileExpression(text, someFigures); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60q: %v, want %q", text, err, says)
		}
	}
	if _, err := policy.CompileExpression("a.b > 1.0", nil); err == nil || !strings.Contains(err.Error(), "no check here gives a figure") {
		t.Errorf("without figures: %v", err)
	}
}

// A figure that could not be measured is an error, unless the rest decides.
func TestExpressionsOverMissingFigures(t *testing.T) {
	e, err := policy.CompileExpression("latency.p99.ratio < 1.2 || my_check.errors.idle > 0.5", someFigures)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"latency.p99.ratio", "my_check.errors.idle"}; !slices.Equal(e.Uses(), want) {
		t.Errorf("it uses %v", e.Uses())
	}
	if got, err := e.Eval(map[string]float64{"latency.p99.ratio": 1}); err != nil || !got {
		t.Errorf("the first half decides, but: %v %v", got, err)
	}
	if _, err := e.Eval(map[string]float64{"latency.p99.ratio": 2}); err == nil || !strings.Contains(err.Error(), "my_check.errors.idle") {
		t.Errorf("a missing figure: %v", err)
	}
	if _, err := e.Eval(nil); err == nil {
		t.Error("no figures at all, and no error")
	}
}

// Comparisons of figures are those of Go.
func TestExpressionsCompareAsGoDoes(t *testing.T) {
	compiled := map[string]*policy.Expression{}
	for _, sign := range []string{"<", "<=", ">", ">=", "==", "!="} {
		e, err := policy.CompileExpression("a.b "+sign+" c_d.e", []string{"a.b", "c_d.e"})
		if err != nil {
			t.Fatal(err)
		}
		compiled[sign] = e
	}
	rapid.Check(t, func(r *rapid.T) {
		a, b := rapid.Float64().Draw(r, "a"), rapid.Float64().Draw(r, "b")
		for sign, want := range map[string]bool{"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b} {
			if got, err := compiled[sign].Eval(map[string]float64{"a.b": a, "c_d.e": b}); err != nil || got != want {
				r.Fatalf("%v %s %v: %v %v", a, sign, b, got, err)
			}
		}
	})
}

// FuzzExpression: whatever a text holds, compiling ends; what compiles
// evaluates to true, false or an error.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"quality.accuracy.idle >= quality.accuracy.live - 0.002 && latency.p99.ratio < 1.2",
		"math.abs(latency.p99.ratio) == 1.0 ? true : [1, 2].size() > 1", "{'a': latency.p99.ratio}.a > 1.0", ".x", "a.b[0]", "\"\\u0000\" == ''", "((((",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := policy.CompileExpression(text, someFigures)
		if err != nil {
			return
		}
		for _, name := range e.Uses() {
			if !slices.Contains(someFigures, name) {
				t.Errorf("%q uses %s", text, name)
			}
		}
		_, _ = e.Eval(map[string]float64{someFigures[0]: 0.5, someFigures[1]: 0, someFigures[2]: -1, someFigures[3]: 1e300})
	})
}
