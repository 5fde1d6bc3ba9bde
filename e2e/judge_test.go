package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greenlight/api/adminv1"
	"greenlight/examples/lab"
)

// KServe speaks what the others do not: tensors as raw bytes, and TensorFlow
// Serving's REST API.
func TestVersionsAtKServeAreJudged(t *testing.T) {
	g := newGallery(t, worldOptions{envoys: -1, rate: -1})
	at := g.zoo.kserve("good", "equal", "degraded")
	for name, predict := range map[string]string{
		"binary":             strings.Replace(overMLServer, "{", "{binary: true, ", 1),
		"TensorFlow Serving": "{protocol: tensorflow-serving}",
	} {
		t.Run(name, func(t *testing.T) {
			g.puts(digits{predict: predict})
			g.shows(at["good"], at["equal"], false)
			wantAllPass(t, g.check(t))
			g.shows(at["good"], at["degraded"], false)
			want(t, g.check(t, "quality"), "quality", fail, "accuracy")
		})
	}
}

// A data set that can't be used, or can't answer the question, is never a pass.
func TestDataThatCannotJudge(t *testing.T) {
	g := newGallery(t, worldOptions{envoys: -1, rate: -1})
	g.puts(digits{})
	at := g.zoo.mlserver("good")
	g.shows(at["good"], at["good"], false)
	whole, err := os.ReadFile(filepath.Join(g.policies(), "holdout.csv"))
	must(t, err)
	lines := strings.SplitAfter(string(whole), "\n")
	cases := map[string]struct {
		data  string
		words []string
	}{
		"ragged row":      {strings.Join(lines[:5], "") + "1,2,3\n", []string{"data.csv:6"}},
		"no label column": {strings.Replace(string(whole), ",digit,", ",numeral,", 1), []string{"digit", "data.csv"}},
		"a word":          {strings.Join(lines[:3], "") + "many" + lines[3][strings.Index(lines[3], ","):], []string{"data.csv:4", "many"}},
		"not UTF-8":       {strings.Join(lines[:2], "") + strings.Replace(lines[2], ",new", ",n\xff\xfew", 1), []string{"data.csv:3", "UTF-8"}},
		"no rows":         {lines[0], []string{"data.csv"}},
		"one class":       {oneClass(t, g), []string{"class"}},
	}
	policy := `[{endpoints: {min: 1}}, {quality: {data: data.csv, label: digit, slices: [source], gates: {rocAuc: {min: 0.5}}}}]`
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(filepath.Join(g.policies(), "data.csv"), []byte(c.data), 0o644))
			g.puts(digits{validate: policy})
			want(t, g.check(t, "quality"), "quality", inconclusive, c.words...)
		})
	}
	t.Run("a line of 2 GB", func(t *testing.T) {
		f, err := os.Create(filepath.Join(g.policies(), "data.jsonl"))
		must(t, err)
		_, err = f.WriteString(`{"a": "`)
		must(t, err)
		must(t, f.Truncate(2<<30))
		must(t, f.Close())
		g.puts(digits{validate: strings.Replace(policy, "data.csv", "data.jsonl", 1)})
		want(t, g.check(t, "quality"), "quality", inconclusive, "data.jsonl:1")
	})
}

func oneClass(t *testing.T, g *gallery) string {
	data, err := os.ReadFile(filepath.Join(g.policies(), "oneclass.csv"))
	must(t, err)
	return string(data)
}

// Users meet a version only after it was judged well, and the report of each
// switch says by what.
func TestSwitchBetweenVersionsAtMLServer(t *testing.T) {
	g := newGallery(t, worldOptions{envoys: 1, rate: -1})
	const patient = "30s" // users ask a server that the checks ask, too, on a machine that is busy with other tests
	g.puts(digits{timeout: patient})
	at := g.zoo.mlserver("good", "degraded", "equal")
	g.shows(at["good"], at["degraded"], false)
	const path = "/v2/models/digits/infer"
	must(t, g.envoys[0].AwaitServing(g.within(patience), g.url(g.envoys[0], "/v2/models/digits/ready"), "digits.models.internal"))
	g.load = lab.StartLoad(lab.LoadOptions{
		URLs: []string{g.url(g.envoys[0], path)}, Host: "digits.models.internal", Body: blankDigit(), Rate: 30, Timeout: patience,
		ColorOf: func(body []byte) string {
			for version := range at {
				if strings.Contains(string(body), fmt.Sprintf("%q", version)) {
					return version
				}
			}
			return ""
		},
	})
	t.Cleanup(func() { g.load.Stop() })

	refused := g.switchDigits(t, adminv1.Outcome_OUTCOME_REFUSED)
	if !strings.Contains(refused.GetCause(), "quality") && !strings.Contains(refused.GetCause(), "drift") {
		t.Errorf("refused because %q, want a check of the model", refused.GetCause())
	}
	if met := g.load.Counts().ByColor["degraded"]; met != 0 {
		t.Errorf("%d users met the degraded model", met)
	}
	g.reports(t, refused.GetId(), "validate", "degraded")

	g.puts(digits{timeout: patient, shift: "{steps: [{weight: 20%, hold: 1s}, 100%], checkEvery: 500ms, checks: [{golden: {file: golden.jsonl}}]}"})
	g.shows(at["good"], at["equal"], false)
	succeeded := g.switchDigits(t, adminv1.Outcome_OUTCOME_SUCCEEDED)
	g.onlyColor("equal", 20)
	g.reports(t, succeeded.GetId(), "20%", "equal")
	g.noFailures()
}

// blankDigit is a request for one image without ink.
func blankDigit() []byte {
	return fmt.Appendf(nil, `{"inputs": [{"name": "input", "shape": [1, 65], "datatype": "FP64", "data": [%s0]}]}`, strings.Repeat("0, ", 64))
}

// switchDigits switches digits and waits for the outcome.
func (g *gallery) switchDigits(t *testing.T, outcome adminv1.Outcome) *adminv1.Switch {
	t.Helper()
	started, err := g.server.Client.StartSwitch(g.within(patience), &adminv1.StartSwitchRequest{Model: "digits", Actor: "e2e"})
	must(t, err)
	m, err := g.server.AwaitModel(g.within(2*patience), "digits", "the end of the switch", func(m *adminv1.ModelStatus) bool {
		sw := m.GetState().GetSwitch()
		return sw.GetId() == started.GetSwitchId() && sw.GetOutcome() != adminv1.Outcome_OUTCOME_UNSPECIFIED
	})
	must(t, err)
	sw := m.GetState().GetSwitch()
	if sw.GetOutcome() != outcome {
		t.Fatalf("the switch ended as %v (%s), want %v", sw.GetOutcome(), sw.GetCause(), outcome)
	}
	return sw
}

// reports reads the report of a switch as a person would.
func (g *gallery) reports(t *testing.T, id string, words ...string) {
	t.Helper()
	file := filepath.Join(g.dir, id+".html")
	var page []byte
	// What was measured is saved beside the switch: it may come a moment after its end.
	must(t, lab.Await(g.within(patience), nil, "the report's "+words[0], func() bool {
		if code, out := g.greenlight("report", id, "--html", file); code != 0 {
			t.Fatalf("greenlight report exited with %d: %s", code, out)
		}
		var err error
		page, err = os.ReadFile(file)
		must(t, err)
		return strings.Contains(string(page), words[0])
	}))
	keepPage(t, page)
	for _, word := range append(words, "<svg", "accuracy") {
		if !strings.Contains(string(page), word) {
			t.Errorf("the report of %s says %q nowhere", id, word)
		}
	}
}

// Each version is judged as a data scientist would, by what MLServer answers.
func TestVersionsAtMLServerAreJudged(t *testing.T) {
	g := newGallery(t, worldOptions{envoys: -1, rate: -1})
	g.puts(digits{})
	at := g.zoo.mlserver("good", "equal", "degraded", "slice", "swapped", "nan", "hangs")
	against := func(version string) { g.shows(at["good"], at[version], false) }

	t.Run("equal", func(t *testing.T) {
		against("equal")
		wantAllPass(t, g.check(t))
	})
	t.Run("degraded", func(t *testing.T) {
		against("degraded")
		verdicts := g.check(t)
		want(t, verdicts, "quality", fail, "accuracy")
		want(t, verdicts, "drift", fail, "agreement")
		want(t, verdicts, "latency", pass)
		want(t, verdicts, "expression", fail, "quality.accuracy.idle")
	})
	t.Run("wrong on one slice", func(t *testing.T) {
		against("slice")
		v := g.check(t, "quality")["quality"]
		want(t, map[string]*adminv1.Verdict{"quality": v}, "quality", fail, "source", "old")
		if idle, live := v.GetFigures()["accuracy.idle"], v.GetFigures()["accuracy.live"]; idle < live {
			t.Errorf("accuracy %v over all rows, live %v: it should be right on average", idle, live)
		}
	})
	t.Run("swapped labels", func(t *testing.T) {
		against("swapped")
		verdicts := g.check(t)
		want(t, verdicts, "golden", fail)
		want(t, verdicts, "quality", fail)
		want(t, verdicts, "drift", fail)
	})
	t.Run("NaN", func(t *testing.T) {
		against("nan")
		verdicts := g.check(t, "quality", "drift", "latency")
		want(t, verdicts, "quality", fail, "null where a number")
		want(t, verdicts, "drift", fail)
		want(t, verdicts, "latency", fail)
	})
	t.Run("hangs", func(t *testing.T) {
		against("hangs")
		verdicts := g.check(t, "golden", "quality", "drift")
		want(t, verdicts, "golden", fail)
		want(t, verdicts, "quality", fail)
		want(t, verdicts, "drift", fail)
	})
	t.Run("gRPC", func(t *testing.T) {
		g.puts(digits{protocol: "grpc", predict: strings.Replace(overMLServer, "{", "{protocol: open-inference-grpc, ", 1)})
		g.shows(at["good"], at["equal"], true)
		wantAllPass(t, g.check(t))
		g.shows(at["good"], at["degraded"], true)
		verdicts := g.check(t, "quality", "drift")
		want(t, verdicts, "quality", fail, "accuracy")
		want(t, verdicts, "drift", fail)
	})
}

func TestVersionsAtMLflowAreJudged(t *testing.T) {
	g := newGallery(t, worldOptions{envoys: -1, rate: -1})
	at := g.zoo.mlflow("good", "equal", "degraded", "error")
	for _, format := range []string{"split", "records", "inputs"} {
		t.Run(format, func(t *testing.T) {
			g.puts(digits{predict: "{protocol: mlflow, format: " + format + "}"})
			g.shows(at["good"], at["equal"], false)
			wantAllPass(t, g.check(t))
		})
	}
	t.Run("degraded", func(t *testing.T) {
		g.shows(at["good"], at["degraded"], false)
		want(t, g.check(t, "quality"), "quality", fail, "accuracy")
	})
	t.Run("an error inside an answer", func(t *testing.T) {
		g.shows(at["good"], at["error"], false)
		verdicts := g.check(t)
		for _, check := range []string{"golden", "quality", "drift", "latency"} {
			want(t, verdicts, check, fail, "feature store")
		}
	})
}
