package scenario

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"greenlight/policy"
	"greenlight/rollout"
)

// Single words of a scenario, and how each is written.

// span is a duration.
type span time.Duration

// longest bounds a test.
const longest = 10 * 365 * 24 * time.Hour

// Read implements policy.Word.
func (d *span) Read(word string) (rule, says string) {
	v, err := time.ParseDuration(word)
	switch {
	case err != nil:
		return policy.RuleDurationSyntax, "a duration is written like 500ms, 30s, 5m or 168h"
	case v < 0 || v > longest:
		return policy.RuleDurationRange, "it is 0 or more, and ten years at most"
	}
	*d = span(v)
	return "", ""
}

// JSONSchema describes how it is written.
func (span) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`},
			{Type: "integer", Enum: []any{0}},
		},
		Examples: []any{"30s", "1h30m", "168h"},
	}
}

// moment is a point in time.
type moment time.Time

// Read implements policy.Word.
func (m *moment) Read(word string) (rule, says string) {
	v, err := time.Parse(time.RFC3339, word)
	if err != nil || v.Year() < 1970 || v.Year() > 2200 {
		return policy.RuleWrongType, "a time is written like 2026-11-02T09:00:00Z"
	}
	*m = moment(v)
	return "", ""
}

// JSONSchema describes how it is written.
func (moment) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Format: "date-time"}
}

// portion is a share of all, with as many decimals as it takes: 0.1%.
type portion float64

var portionText = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,9})?%$`)

// Read implements policy.Word.
func (p *portion) Read(word string) (rule, says string) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(word, "%"), 64)
	if word == "0" {
		v, err = 0, nil
	} else if !portionText.MatchString(word) {
		return policy.RuleWeightSyntax, "a share is written like 0.1% or 50%"
	}
	if err != nil || v > 100 {
		return policy.RuleWeightRange, "a share is 0% to 100%"
	}
	*p = portion(v / 100)
	return "", ""
}

// JSONSchema describes how it is written.
func (portion) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^[0-9]{1,3}(\.[0-9]{1,9})?%$`},
			{Type: "integer", Enum: []any{0}},
		},
		Examples: []any{"0.1%", "50%"},
	}
}

// weight is a color's share of the requests, as policies write it.
type weight policy.Weight

var weightText = regexp.MustCompile(`^([0-9]{1,3})(?:\.([0-9]{1,2}))?%?$`)

// Read implements policy.Word.
func (w *weight) Read(word string) (rule, says string) {
	parts := weightText.FindStringSubmatch(word)
	if parts == nil {
		return policy.RuleWeightSyntax, "a weight is written like 95%, 12.5% or 95"
	}
	// Neither conversion can fail: the pattern lets digits through, and few.
	whole, _ := strconv.Atoi(parts[1])
	hundredths, _ := strconv.Atoi((parts[2] + "00")[:2])
	value := whole*100 + hundredths
	if value > int(policy.Full) {
		return policy.RuleWeightRange, "a weight is 0% to 100%"
	}
	*w = weight(value)
	return "", ""
}

// JSONSchema describes how it is written.
func (weight) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{
		OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^[0-9]{1,3}(\.[0-9]{1,2})?%?$`},
			{Type: "number", Minimum: "0", Maximum: "100"},
		},
		Examples: []any{"95%", "12.5%"},
	}
}

// rate is a number of requests a second.
type rate float64

// maxRate bounds what is simulated; beyond it a window's times are not told apart any more.
const maxRate = 1_000_000

// Read implements policy.Word.
func (r *rate) Read(word string) (rule, says string) {
	v, err := strconv.ParseFloat(word, 64)
	if err != nil || !(v >= 0 && v <= maxRate) || strings.ContainsAny(word, "xX_") {
		return policy.RuleNumberRange, "it is a number of requests a second, 0 to 1000000"
	}
	*r = rate(v)
	return "", ""
}

// JSONSchema describes how it is written.
func (rate) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "number", Minimum: "0", Maximum: "1000000"}
}

// number is a whole number, 0 or more.
type number int

// maxNumber bounds instances and nodes.
const maxNumber = 10_000

// Read implements policy.Word.
func (n *number) Read(word string) (rule, says string) {
	v, err := strconv.Atoi(word)
	if err != nil || v < 0 || v > maxNumber {
		return policy.RuleNumberRange, "it is a whole number, 0 to 10000"
	}
	*n = number(v)
	return "", ""
}

// JSONSchema describes how it is written.
func (number) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: "10000"}
}

// oneOf reads a word that is one of a few.
func oneOf[T ~string](to *T, word string, all ...T) (rule, says string) {
	if slices.Contains(all, T(word)) {
		*to = T(word)
		return "", ""
	}
	var names []string
	for _, a := range all {
		names = append(names, string(a))
	}
	return policy.RuleUnknownValue, "it is one of " + strings.Join(names, ", ") + policy.DidYouMean(word, names)
}

// enum is the schema of a word that is one of a few.
func enum[T ~string](all []T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, a := range all {
		s.Enum = append(s.Enum, string(a))
	}
	return s
}

// color is blue or green.
type color policy.Color

var colors = []color{color(policy.Blue), color(policy.Green)}

// Read implements policy.Word.
func (c *color) Read(word string) (rule, says string) { return oneOf(c, word, colors...) }

// JSONSchema describes how it is written.
func (color) JSONSchema() *jsonschema.Schema { return enum(colors) }

// phase is one of rollout's.
type phase rollout.Phase

var phases = []phase{
	phase(rollout.Idle), phase(rollout.Preparing), phase(rollout.Validating), phase(rollout.Shadowing),
	phase(rollout.Confirming), phase(rollout.Holding), phase(rollout.Baking), phase(rollout.Paused),
	phase(rollout.Held), phase(rollout.RollingBack), phase(rollout.Retiring), phase(rollout.Drilling),
	phase(rollout.Waiting), phase(rollout.Approving),
}

// Read implements policy.Word.
func (p *phase) Read(word string) (rule, says string) { return oneOf(p, word, phases...) }

// JSONSchema describes how it is written.
func (phase) JSONSchema() *jsonschema.Schema { return enum(phases) }

// ending is an outcome, or that there is none.
type ending string

const (
	noSwitch  ending = "none"    // there was no switch
	stillRuns ending = "running" // it has none yet
)

var endings = []ending{
	ending(rollout.Succeeded), ending(rollout.Refused), ending(rollout.RolledBack), ending(rollout.Aborted), stillRuns, noSwitch,
}

// Read implements policy.Word.
func (e *ending) Read(word string) (rule, says string) { return oneOf(e, word, endings...) }

// JSONSchema describes how it is written.
func (ending) JSONSchema() *jsonschema.Schema { return enum(endings) }

// result is a check's.
type result rollout.Result

var results = []result{result(rollout.Pass), result(rollout.Fail), result(rollout.Inconclusive)}

// Read implements policy.Word.
func (r *result) Read(word string) (rule, says string) { return oneOf(r, word, results...) }

// JSONSchema describes how it is written.
func (result) JSONSchema() *jsonschema.Schema { return enum(results) }

// verb is a command's.
type verb rollout.Verb

var verbs = []verb{
	verb(rollout.Start), verb(rollout.Promote), verb(rollout.Pause), verb(rollout.Resume),
	verb(rollout.Abort), verb(rollout.RollBack), verb(rollout.Practise), verb(rollout.Approve),
}

// Read implements policy.Word.
func (v *verb) Read(word string) (rule, says string) { return oneOf(v, word, verbs...) }

// JSONSchema describes how it is written.
func (verb) JSONSchema() *jsonschema.Schema { return enum(verbs) }

// text is what a sentence should hold: a part of it, or /a regular expression/. The
// empty text is held by no sentence but the empty one.
type text struct {
	written string
	match   *regexp.Regexp
}

// Read implements policy.Word.
func (t *text) Read(word string) (rule, says string) {
	t.written = word
	if len(word) < 2 || word[0] != '/' || word[len(word)-1] != '/' {
		return "", ""
	}
	match, err := regexp.Compile(word[1 : len(word)-1])
	if err != nil {
		return policy.RuleTextSyntax, "it is no regular expression: " + err.Error()
	}
	t.match = match
	return "", ""
}

func (t text) in(sentence string) bool {
	switch {
	case t.written == "":
		return sentence == ""
	case t.match != nil:
		return t.match.MatchString(sentence)
	default:
		return strings.Contains(sentence, t.written)
	}
}

// String is what was asked, in words.
func (t text) String() string {
	switch {
	case t.written == "":
		return "nothing"
	case t.match != nil:
		return "what matches " + t.written
	default:
		return "what holds " + strconv.Quote(t.written)
	}
}

// JSONSchema describes how it is written.
func (text) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Description: "A part of the sentence, or /a regular expression/; empty: there is none."}
}
