package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"greenlight/policy"
)

// doubtful are problems of all sorts: with a place and without, whose policy is
// known and is not, with signs that formats give a meaning, of an unknown rule.
var doubtful = []policy.Problem{
	{File: "/repo/policies/fraud.yaml", Line: 7, Column: 12, Rule: policy.RuleWeightRange, Message: "shift.steps[1] = 120%; a weight is 0% to 100%", Model: "fraud"},
	{File: "/repo/policies/fraud.yaml", Line: 9, Column: 3, Rule: policy.RuleJudgeBlind, Message: "judge: 100% of\r\nnothing, says \"<1%\"", Model: "fraud"},
	{File: "/repo/policies/team a, b:c/50%.yaml", Rule: policy.RuleTooLarge, Message: "the file is larger than a policy file may be"},
	{File: "/elsewhere/edge.yaml", Line: 1, Column: 1, Rule: "a:rule,later", Message: "ü is told of", Fleet: "edge"},
}

// The formats for other tools, as they are written.
func TestLintFormats(t *testing.T) {
	result := lintResultOf(doubtful)
	sarif, err := indented(sarifOf(result.Problems, policy.Rules()[:2], "/repo", "1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := indented(result)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{
		"result.json": plain, "result.sarif": sarif, "result.github": githubCommands(result.Problems, "/repo"),
	} {
		golden := filepath.Join("testdata", "lint", name)
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

func TestGithubEscapes(t *testing.T) {
	const signs = "a%b\r\nc:d,e"
	if got, want := githubText(signs), "a%25b%0D%0Ac:d,e"; got != want {
		t.Errorf("a message is %s, want %s", got, want)
	}
	if got, want := githubProperty(signs), "a%25b%0D%0Ac%3Ad%2Ce"; got != want {
		t.Errorf("a property is %s, want %s", got, want)
	}
}

func TestRelativeTo(t *testing.T) {
	for file, want := range map[string]string{
		"a.yaml": "a.yaml", "./x/../a.yaml": "a.yaml", "/repo/p/a.yaml": "p/a.yaml", "/b.yaml": "../b.yaml", "../b.yaml": "../b.yaml",
	} {
		if got := relativeTo("/repo", file); got != want {
			t.Errorf("%s is %s, want %s", file, got, want)
		}
	}
}

func TestLintSummary(t *testing.T) {
	for want, r := range map[string]lintResult{
		"no problem": {}, "1 problem": {Errors: 1}, "2 problems, 1 warning": {Errors: 2, Warnings: 1}, "no problem, 3 warnings": {Warnings: 3},
	} {
		if got := r.summary(); got != want {
			t.Errorf("%+v is %q, want %q", r, got, want)
		}
	}
}

// A log is what the schema of SARIF 2.1.0 asks of the objects that are used:
// sarifShapes says which keys each must and may have.
func TestSarifKeepsToTheSchema(t *testing.T) {
	for name, problems := range map[string][]policy.Problem{"none": nil, "some": doubtful} {
		raw, err := indented(sarifOf(lintResultOf(problems).Problems, policy.Rules(), "/repo", "1.2.3"))
		if err != nil {
			t.Fatal(err)
		}
		var log map[string]any
		if err := json.Unmarshal(raw, &log); err != nil {
			t.Fatal(err)
		}
		c := &sarifChecker{t: t}
		c.object(name, "log", log)
		if c.rules != len(policy.Rules()) || c.results != len(problems) {
			t.Errorf("%s: %d rules and %d results, want %d and %d", name, c.rules, c.results, len(policy.Rules()), len(problems))
		}
	}
}

// sarifShape is an object of the schema: its required keys, its others of which
// use is made, and what those hold that are objects or lists of them.
type sarifShape struct {
	required, optional []string
	holds              map[string]string
}

var sarifShapes = map[string]sarifShape{
	"log":              {[]string{"version", "runs"}, []string{"$schema"}, map[string]string{"runs": "run"}},
	"run":              {[]string{"tool"}, []string{"columnKind", "results"}, map[string]string{"tool": "tool", "results": "result"}},
	"tool":             {[]string{"driver"}, nil, map[string]string{"driver": "toolComponent"}},
	"toolComponent":    {[]string{"name"}, []string{"version", "rules"}, map[string]string{"rules": "rule"}},
	"rule":             {[]string{"id"}, []string{"shortDescription", "help", "defaultConfiguration"}, map[string]string{"shortDescription": "text", "help": "text", "defaultConfiguration": "configuration"}},
	"text":             {[]string{"text"}, nil, nil},
	"configuration":    {nil, []string{"level"}, nil},
	"result":           {[]string{"message"}, []string{"ruleId", "ruleIndex", "level", "locations"}, map[string]string{"message": "text", "locations": "location"}},
	"location":         {nil, []string{"physicalLocation", "logicalLocations"}, map[string]string{"physicalLocation": "physicalLocation", "logicalLocations": "logicalLocation"}},
	"physicalLocation": {[]string{"artifactLocation"}, []string{"region"}, map[string]string{"artifactLocation": "artifactLocation", "region": "region"}},
	"artifactLocation": {[]string{"uri"}, nil, nil},
	"region":           {[]string{"startLine"}, []string{"startColumn"}, nil},
	"logicalLocation":  {nil, []string{"name", "kind"}, nil},
}

type sarifChecker struct {
	t              *testing.T
	rules, results int
	ids            []string
}

func (c *sarifChecker) object(path, kind string, object map[string]any) {
	c.t.Helper()
	shape := sarifShapes[kind]
	for _, key := range shape.required {
		if object[key] == nil {
			c.t.Errorf("%s: %s lacks %s", path, kind, key)
		}
	}
	known := slices.Concat(shape.required, shape.optional)
	for _, key := range slices.Sorted(maps.Keys(object)) {
		at := path + "." + key
		if !slices.Contains(known, key) {
			c.t.Errorf("%s is not a key of %s", at, kind)
		}
		switch value := object[key].(type) {
		case map[string]any:
			c.object(at, shape.holds[key], value)
		case []any:
			for i, element := range value {
				held, ok := element.(map[string]any)
				if !ok {
					c.t.Errorf("%s[%d] is no object", at, i)
					continue
				}
				c.object(fmt.Sprintf("%s[%d]", at, i), shape.holds[key], held)
			}
		case nil:
			c.t.Errorf("%s is null", at)
		default:
			c.value(at, key, value)
		}
	}
	c.sum(path, kind, object)
}

// value checks what the schema says of single values.
func (c *sarifChecker) value(at, key string, value any) {
	c.t.Helper()
	text, _ := value.(string)
	number, _ := value.(float64)
	var good bool
	switch key {
	case "version":
		good = text == "2.1.0" || strings.Contains(at, "driver")
	case "columnKind":
		good = text == "unicodeCodePoints" || text == "utf16CodeUnits"
	case "level":
		good = slices.Contains([]string{"none", "note", "warning", "error"}, text)
	case "startLine", "startColumn":
		good = number >= 1
	case "ruleIndex":
		good = number >= 0
	case "uri":
		address, err := url.Parse(text)
		good = err == nil && !address.IsAbs() && !strings.HasPrefix(address.Path, "/")
	default:
		good = text != ""
	}
	if !good {
		c.t.Errorf("%s = %v is not what the schema asks", at, value)
	}
}

// sum checks what objects say of each other.
func (c *sarifChecker) sum(path, kind string, object map[string]any) {
	c.t.Helper()
	switch kind {
	case "rule":
		c.rules++
		id, _ := object["id"].(string)
		if slices.Contains(c.ids, id) {
			c.t.Errorf("%s: the rule %s is there twice", path, id)
		}
		c.ids = append(c.ids, id)
	case "result":
		c.results++
	case "run":
		rules := policy.Rules()
		for i, element := range object["results"].([]any) {
			result := element.(map[string]any)
			if at, has := result["ruleIndex"].(float64); has && (int(at) >= len(rules) || rules[int(at)].Name != result["ruleId"]) {
				c.t.Errorf("%s.results[%d]: ruleIndex %v is not %v", path, i, at, result["ruleId"])
			}
		}
	}
}
