package policy_test

import (
	"encoding/json"
	"testing"

	"greenlight/policy"
)

func TestProblemText(t *testing.T) {
	p := policy.Problem{File: "a.yaml", Line: 2, Column: 4, Rule: "weight-range", Message: "too much"}
	if got := p.String(); got != "a.yaml:2:4: too much [weight-range]" {
		t.Errorf("string %q", got)
	}
	if got := (policy.Problem{File: "a.yaml", Rule: "too-large", Message: "big"}).String(); got != "a.yaml: big [too-large]" {
		t.Errorf("string %q", got)
	}
	// A file's name is whatever somebody pushes: it begins no line of a log, a terminal
	// or a comment.
	if got := (policy.Problem{File: "a\n````\n\x1b[31m::add-mask::x\u009b.yaml", Rule: "r", Message: "m\rn"}).String(); got != "a\uFFFD````\uFFFD\uFFFD[31m::add-mask::x\uFFFD.yaml: m\uFFFDn [r]" {
		t.Errorf("string %q", got)
	}
	text, err := json.Marshal(p)
	if want := `{"file":"a.yaml","line":2,"column":4,"rule":"weight-range","message":"too much"}`; err != nil || string(text) != want {
		t.Errorf("JSON %s, %v", text, err)
	}
}

func TestRenderShowsTheLine(t *testing.T) {
	p := policy.Problem{File: "a.yaml", Line: 2, Column: 4, Rule: "r", Message: "m"}
	head := "a.yaml:2:4: m [r]"
	cases := map[string]string{
		"one\nabcdef\n":             "\n    2 | abcdef\n      |    ^",
		"one\r\nabcdef\r\n":         "\n    2 | abcdef\n      |    ^",
		"one\n\ta\tcdef":            "\n    2 | \ta\tcdef\n      | \t \t^",
		"one\nü\x1b[31mcdef":        "\n    2 | ü\ufffd[31mcdef\n      |    ^",
		"one\nab":                   "\n    2 | ab\n      |   ^",
		"one":                       "",
		"one\n\xff\xfe":             "",
		"":                          "",
		"one\n" + longLine() + "\n": "",
	}
	for source, below := range cases {
		if got := p.Render([]byte(source)); got != head+below {
			t.Errorf("render of %.40q: %q, want %q", source, got, head+below)
		}
	}
}

func longLine() string {
	line := make([]byte, 1000)
	for i := range line {
		line[i] = 'x'
	}
	return string(line)
}

func TestWeightText(t *testing.T) {
	for w, want := range map[policy.Weight]string{0: "0%", 1: "0.01%", 550: "5.5%", 2500: "25%", policy.Full: "100%"} {
		if w.String() != want {
			t.Errorf("%d is %s, want %s", uint16(w), w, want)
		}
	}
}
