package scenario

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"greenlight/policy/calendar"
	"greenlight/rollout/simulate"
)

// Report is what became of the tests of some files.
type Report struct {
	Results []Result
	Took    time.Duration // real time
}

// Failed counts the tests that failed.
func (r Report) Failed() int {
	n := 0
	for _, t := range r.Results {
		if !t.Passed() {
			n++
		}
	}
	return n
}

// Simulated is all tests' simulated time.
func (r Report) Simulated() time.Duration {
	var d time.Duration
	for _, t := range r.Results {
		d += t.Ended.Sub(t.Began)
	}
	return d
}

// Summary is the last line.
func (r Report) Summary() string {
	n, failed := len(r.Results), r.Failed()
	word := "tests"
	if n == 1 {
		word = "test"
	}
	return fmt.Sprintf("%d %s: %d passed, %d failed; %s simulated in %s",
		n, word, n-failed, failed, calendar.PlainDuration(r.Simulated()), calendar.PlainDuration(r.Took.Round(time.Millisecond)))
}

// jsonReport is Report as JSON; its names are part of the command's contract.
type jsonReport struct {
	Tests            []jsonTest `json:"tests"`
	Passed           int        `json:"passed"`
	Failed           int        `json:"failed"`
	SimulatedSeconds float64    `json:"simulatedSeconds"`
	TookSeconds      float64    `json:"tookSeconds"`
}

type jsonTest struct {
	Name     string          `json:"name"`
	Model    string          `json:"model"`
	File     string          `json:"file"`
	Line     int             `json:"line"`
	Passed   bool            `json:"passed"`
	Began    time.Time       `json:"began"`
	Ended    time.Time       `json:"ended"`
	Failures []jsonFailure   `json:"failures"`
	Story    []simulate.Line `json:"story"`
}

type jsonFailure struct {
	Line        int          `json:"line"`
	At          time.Time    `json:"at"`
	What        string       `json:"what"`
	Differences []Difference `json:"differences"`
}

// JSON is the report for programs.
func (r Report) JSON() ([]byte, error) {
	out := jsonReport{
		Tests: []jsonTest{}, Failed: r.Failed(), Passed: len(r.Results) - r.Failed(),
		SimulatedSeconds: r.Simulated().Seconds(), TookSeconds: r.Took.Seconds(),
	}
	for _, t := range r.Results {
		one := jsonTest{
			Name: t.Name, Model: t.Model, File: t.File, Line: t.Line, Passed: t.Passed(),
			Began: t.Began, Ended: t.Ended, Failures: []jsonFailure{}, Story: append([]simulate.Line{}, t.Story...),
		}
		for _, f := range t.Failures {
			one.Failures = append(one.Failures, jsonFailure(f))
		}
		out.Tests = append(out.Tests, one)
	}
	raw, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return append(raw, '\n'), nil
}

// The JUnit report, as CI systems read it: a suite for each file.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit is the report for CI systems. The time of a case is simulated.
func (r Report) JUnit() ([]byte, error) {
	out := junitSuites{Name: "greenlight policy test", Tests: len(r.Results), Failures: r.Failed(), Time: seconds(r.Simulated())}
	for _, t := range r.Results {
		if n := len(out.Suites); n == 0 || out.Suites[n-1].Name != t.File {
			out.Suites = append(out.Suites, junitSuite{Name: t.File})
		}
		s := &out.Suites[len(out.Suites)-1]
		s.Tests++
		c := junitCase{
			Name: t.Name, Class: strings.TrimSuffix(t.File, ".yaml") + "." + t.Model, File: t.File, Line: t.Line,
			Time: seconds(t.Ended.Sub(t.Began)), Out: t.story(""),
		}
		if !t.Passed() {
			s.Failures++
			c.Failure = &junitFailure{Type: "expectation", Message: t.message()}
			for _, f := range t.Failures {
				c.Failure.Text += t.failure(f, "")
			}
		}
		s.Cases = append(s.Cases, c)
	}
	for i := range out.Suites {
		out.Suites[i].Time = out.Suites[i].total(r)
	}
	raw, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JUnit XML: %w", err)
	}
	return append([]byte(xml.Header), append(raw, '\n')...), nil
}

// total is the simulated time of a suite's tests.
func (s junitSuite) total(r Report) string {
	var d time.Duration
	for _, t := range r.Results {
		if t.File == s.Name {
			d += t.Ended.Sub(t.Began)
		}
	}
	return seconds(d)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// message is the first failure in one line.
func (r Result) message() string {
	f := r.Failures[0]
	out := fmt.Sprintf("line %d, at %s, %s", f.Line, clock(f.At, r.Began), f.What)
	for _, d := range f.Differences {
		out += fmt.Sprintf("; %s: expected %s, got %s", d.Field, d.Expected, d.Got)
	}
	return out
}
