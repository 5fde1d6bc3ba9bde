package policy_test

import (
	"slices"
	"strings"
	"testing"

	"greenlight/policy"
)

// checkOf builds the one check that line writes, beside an endpoints check.
func checkOf(t *testing.T, line string) policy.Check {
	t.Helper()
	text := model("fraud", "a") + "  validate: [" + line + "]\n"
	models, _, problems := policy.Parse("testdata/good/a.yaml", []byte(text), "testdata/good")
	if len(models) != 1 {
		t.Fatalf("%s: %v", line, problems)
	}
	return models[0].Validate[len(models[0].Validate)-1]
}

func TestFiguresOfEveryKind(t *testing.T) {
	const quantiles = "p50.idle p90.idle p95.idle p99.idle mean.idle count.idle errors.idle"
	for line, want := range map[string]string{
		"endpoints: {min: 2}":         "ready needed live",
		"ready: {path: /}":            "endpoints ready failed",
		"golden: {file: cases.jsonl}": "cases endpoints passed failed unasked maxError",
		"quality: {data: rows.csv, label: y, gates: {f1: {min: 0}, rocAuc: {min: 0}}}": "rows errors.idle f1.idle rocAuc.idle",
		"quality: {data: rows.csv, label: y, gates: {f1: {notWorseThanLive: true}, brier: {max: 1}}}": "rows errors.idle errors.live " +
			"f1.idle f1.live f1.difference f1.low f1.high brier.idle brier.live brier.difference brier.low brier.high",
		"drift: {data: rows.csv}":                       "rows agreement psi ks ksP js chi2 chi2P cramersV errors.idle errors.live",
		"drift: {data: rows.csv, baseline: {label: y}}": "rows agreement psi ks ksP js chi2 chi2P cramersV errors.idle",
		"latency: {data: rows.csv, p99: 1s}":            quantiles,
		"latency: {data: rows.csv}": quantiles + " p50.live p90.live p95.live p99.live mean.live count.live errors.live " +
			"p50.ratio p90.ratio p95.ratio p99.ratio",
		"prometheus: {server: 'http://p', query: up, max: 1}":            "value.idle",
		"prometheus: {server: 'http://p', query: 'up$color', ofLive: 1}": "value.idle value.live ratio",
		"webhook: {url: 'http://gate'}":                                  "",
		"expression: endpoints.ready > 0":                                "",
	} {
		got, expected := checkOf(t, line).Figures(), strings.Fields(want)
		slices.Sort(got)
		slices.Sort(expected)
		if !slices.Equal(got, expected) {
			t.Errorf("%s gives %v, want %v", line, got, expected)
		}
	}
	if name := checkOf(t, "{name: my-own-check, ready: {path: /}}").FigureName("failed"); name != "my_own_check.failed" {
		t.Errorf("the figure is called %s", name)
	}
}

// What the steps and the bake check by default is what is cheap, and nothing
// of it fails a switch for want of an answer.
func TestRepeatedChecksByDefault(t *testing.T) {
	text := model("fraud", "a") + `  validate:
    - golden: {file: cases.jsonl}
    - endpoints: {min: 2, ofLive: 80%}
    - {ready: {path: /}, onInconclusive: pass}
    - quality: {data: rows.csv, label: y, gates: {f1: {min: 0}}}
    - drift: {data: rows.csv}
    - latency: {data: rows.csv}
    - prometheus: {server: "http://p", query: up, max: 1}
    - webhook: {url: "http://gate"}
    - expression: golden.failed < 1
`
	models, _, problems := policy.Parse("testdata/good/a.yaml", []byte(text), "testdata/good")
	if len(models) != 1 {
		t.Fatal(problems)
	}
	for _, checks := range [][]policy.Check{models[0].StepChecks.Checks, models[0].Bake.Checks} {
		var got []string
		for _, c := range checks {
			got = append(got, c.Name+":"+string(c.OnInconclusive))
			if e := c.Endpoints; e != nil && (e.Min != 2 || e.OfLive != 0) {
				t.Errorf("of the endpoints %+v is asked again; want only the least number", *e)
			}
		}
		if want := "golden:hold endpoints:hold ready:pass prometheus:hold"; strings.Join(got, " ") != want {
			t.Errorf("repeated are %v, want %s", got, want)
		}
	}
	for _, c := range models[0].Validate {
		if e := c.Endpoints; e != nil && e.OfLive != 8000 {
			t.Errorf("validate asks for %+v", *e)
		}
		if want := policy.InconclusiveFails; c.OnInconclusive != want && c.Name != "ready" {
			t.Errorf("%s: %s, want %s", c.Name, c.OnInconclusive, want)
		}
	}
}

// A ratio means the same in percent and as a number.
func TestRatiosComeBack(t *testing.T) {
	for text, want := range map[string]float64{
		"120%": 1.2, "1.2": 1.2, "100%": 1, "1": 1, "133.33%": 1.3333, "1000%": 10, `"1.5"`: 1.5,
	} {
		l := checkOf(t, "latency: {data: rows.csv, p99OfLive: "+text+"}").Latency
		if got := l.Quantiles[0].OfLive; got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
	for text, rule := range map[string]string{
		"99%": policy.RuleWeightRange, "120": policy.RuleWeightRange, "-1": policy.RuleWeightSyntax, "1e1": policy.RuleWeightSyntax,
		"12 %": policy.RuleWeightSyntax, "%": policy.RuleWeightSyntax, ".inf": policy.RuleWeightSyntax, "[1]": policy.RuleWrongType,
	} {
		line := model("fraud", "a") + "  validate: [latency: {data: rows.csv, p99OfLive: " + text + "}]\n"
		_, _, problems := policy.Parse("testdata/good/a.yaml", []byte(line), "testdata/good")
		if len(problems) != 1 || problems[0].Rule != rule {
			t.Errorf("%s: %v, want %s", text, problems, rule)
		}
	}
}
