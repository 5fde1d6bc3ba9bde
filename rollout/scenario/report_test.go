package scenario_test

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"greenlight/rollout/scenario"
)

// mixed is a report of a test that passed and one that failed.
func mixed(t *testing.T) scenario.Report {
	t.Helper()
	tests, problems := parse("testdata/mixed.yaml", []byte(`
policies: policies/plain.yaml
tests:
  - name: it gets there
    timeline: [{at: 1m, command: switch}, {at: 20m, expect: {phase: baking}}]
  - name: "it does not <get> there & \"says\" so"
    timeline: [{at: 1m, command: switch}, {at: 2m, expect: {phase: baking}}]
`))
	for _, p := range problems {
		t.Fatal(p)
	}
	r := scenario.Report{Took: 12 * time.Millisecond}
	for _, one := range tests {
		r.Results = append(r.Results, one.Run())
	}
	return r
}

func TestSummary(t *testing.T) {
	r := mixed(t)
	if got := r.Summary(); got != "2 tests: 1 passed, 1 failed; 22m simulated in 12ms" {
		t.Errorf("got %s", got)
	}
	stories := map[bool]int{}
	for _, one := range r.Results {
		for _, verbose := range []bool{false, true} {
			stories[verbose] += strings.Count(one.Text(verbose), "what happened")
		}
	}
	if stories[false] != 1 || stories[true] != 2 {
		t.Errorf("only failures tell their story, unless all are asked for: %v", stories)
	}
}

func TestJUnit(t *testing.T) {
	raw, err := mixed(t).JUnit()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suites   []struct {
			Name     string  `xml:"name,attr"`
			Tests    int     `xml:"tests,attr"`
			Failures int     `xml:"failures,attr"`
			Time     float64 `xml:"time,attr"`
			Cases    []struct {
				Name    string  `xml:"name,attr"`
				Class   string  `xml:"classname,attr"`
				Time    float64 `xml:"time,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
				Out string `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(raw, &got); err != nil {
		t.Fatalf("%v:\n%s", err, raw)
	}
	if got.Tests != 2 || got.Failures != 1 || len(got.Suites) != 1 || len(got.Suites[0].Cases) != 2 {
		t.Fatalf("got %+v", got)
	}
	s := got.Suites[0]
	if s.Name != "testdata/mixed.yaml" || s.Tests != 2 || s.Failures != 1 || s.Time != 22*60 {
		t.Errorf("suite %+v", s)
	}
	passed, failed := s.Cases[0], s.Cases[1]
	if passed.Failure != nil || passed.Time != 20*60 || passed.Class != "testdata/mixed.fraud" || !strings.Contains(passed.Out, "5% to green") {
		t.Errorf("passed %+v", passed)
	}
	if failed.Failure == nil || failed.Name != `it does not <get> there & "says" so` ||
		!strings.Contains(failed.Failure.Message, "phase: expected baking, got holding") ||
		!strings.Contains(failed.Failure.Text, "testdata/mixed.yaml:7") {
		t.Errorf("failed %+v", failed)
	}
}

func TestJSON(t *testing.T) {
	raw, err := mixed(t).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Passed, Failed int
		Tests          []struct {
			Name     string
			Passed   bool
			Failures []struct {
				Line        int
				Differences []scenario.Difference
			}
			Story []struct {
				Transition *struct{ To string }
			}
		}
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Passed != 1 || got.Failed != 1 || len(got.Tests) != 2 || !got.Tests[0].Passed || len(got.Tests[0].Story) < 5 {
		t.Errorf("got %s", raw)
	}
	want := scenario.Difference{Field: "phase", Expected: "baking", Got: "holding"}
	if f := got.Tests[1].Failures; len(f) != 1 || f[0].Line != 7 || len(f[0].Differences) != 1 || f[0].Differences[0] != want {
		t.Errorf("failures %+v", f)
	}
}
