package scenario_test

import (
	"os"
	"path/filepath"
	"testing"

	"greenlight/policy"
	"greenlight/rollout/scenario"
)

const (
	examples = "../../examples/scenarios"
	policies = "../../examples/policies"
)

// readTests reads a file of tests as the command does.
func readTests(t testing.TB, file string) ([]scenario.Test, []policy.Problem) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return parse(file, raw)
}

func parse(file string, raw []byte) ([]scenario.Test, []policy.Problem) {
	return parseWith(file, raw, func(path string) policy.Reading {
		return policy.ReadPath(filepath.Join(filepath.Dir(file), path))
	})
}

func parseWith(file string, raw []byte, load scenario.Load) ([]scenario.Test, []policy.Problem) {
	return scenario.Parse(file, raw, load)
}

// good is the tests of a file without problems.
func good(t testing.TB, file string) []scenario.Test {
	t.Helper()
	tests, problems := readTests(t, file)
	for _, p := range problems {
		t.Error(p)
	}
	if len(tests) == 0 {
		t.Fatalf("%s has no test", file)
	}
	return tests
}

func exampleFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(examples + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	return files
}

// TestExamples: the example policies do what their scenarios say.
func TestExamples(t *testing.T) {
	for _, file := range exampleFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			for _, one := range good(t, file) {
				if r := one.Run(); !r.Passed() {
					t.Error(r.Text(true))
				}
			}
		})
	}
}

// TestEveryExamplePolicyHasScenarios: a good version and others.
func TestEveryExamplePolicyHasScenarios(t *testing.T) {
	tested := map[string]int{}
	for _, file := range exampleFiles(t) {
		for _, one := range good(t, file) {
			tested[one.Model]++
		}
	}
	for _, m := range policy.Read(policies).Models() {
		if tested[m.Name] < 2 {
			t.Errorf("%s: model %s has %d scenarios in %s, and needs two", m.Source.File, m.Name, tested[m.Name], examples)
		}
	}
}

// TestSameFileSameStory: nothing depends on a clock or on chance.
func TestSameFileSameStory(t *testing.T) {
	for _, name := range []string{"canary.yaml", "instant.yaml", "rolling.yaml"} {
		file := filepath.Join(examples, name)
		once, again := good(t, file), good(t, file)
		for i := range once {
			if a, b := once[i].Run().Text(true), again[i].Run().Text(true); a != b {
				t.Errorf("%s: two stories:\n%s\n%s", once[i].Name, a, b)
			}
		}
	}
}

// BenchmarkWeek is a bake of a week under 500 requests a second.
func BenchmarkWeek(b *testing.B) {
	tests := good(b, "testdata/week.yaml")
	simulated := 0.0
	for b.Loop() {
		r := tests[0].Run()
		if !r.Passed() {
			b.Fatal(r.Text(true))
		}
		simulated += r.Ended.Sub(r.Began).Seconds()
	}
	b.ReportMetric(simulated/b.Elapsed().Seconds(), "simulated-s/s")
}
