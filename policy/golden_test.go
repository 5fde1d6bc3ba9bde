package policy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"greenlight/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file, or writes the file with -update.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", file, got, want)
	}
}

// Every file in testdata/bad breaks rules, and is told so in the words of the
// file beside it.
func TestBadPolicies(t *testing.T) {
	told := map[string]bool{}
	for _, file := range list(t, "testdata/bad/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content := read(t, file)
			_, _, problems := policy.Parse(file, content, "testdata/bad")
			if len(problems) == 0 {
				t.Fatal("no problem was found")
			}
			var text strings.Builder
			for _, p := range problems {
				told[p.Rule] = true
				fmt.Fprintln(&text, p.Render(content))
			}
			golden(t, strings.TrimSuffix(file, ".yml")+".txt", []byte(text.String()))
		})
	}
	for _, rule := range documentRules {
		if !told[rule] {
			t.Errorf("no file in testdata/bad breaks the rule %s", rule)
		}
	}
}

// documentRules are the rules that a single file can break.
var documentRules = []string{
	policy.RuleTooLarge, policy.RuleNotText, policy.RuleFileOutside, policy.RuleFileMissing, policy.RuleLFSPointer,
	policy.RuleSyntax, policy.RuleNoAliases, policy.RuleNoTags, policy.RuleTooDeep,
	policy.RuleUnknownKey, policy.RuleDoubledKey, policy.RuleWrongType, policy.RuleEmptyValue,
	policy.RuleAPIVersion, policy.RuleUnknownKind, policy.RuleRequired, policy.RuleUnknownValue,
	policy.RuleNameSyntax, policy.RuleHostSyntax, policy.RuleHeaderSyntax, policy.RuleCookieSyntax, policy.RulePathSyntax,
	policy.RuleURLSyntax, policy.RuleTextSyntax, policy.RuleAddressSyntax, policy.RuleDurationSyntax,
	policy.RuleDurationRange, policy.RuleWeightSyntax, policy.RuleWeightRange, policy.RuleNumberRange,
	policy.RuleRetryCondition, policy.RuleDuplicateValue, policy.RuleContradiction,
	policy.RuleStepsIncreasing, policy.RuleStepsComplete, policy.RuleCheckKind, policy.RuleDuplicateCheck,
	policy.RuleDataKind, policy.RuleSecret, policy.RuleTemplate, policy.RuleJSONPath,
	policy.RuleExpression, policy.RuleUnknownFigure,
	policy.RuleTimeZone, policy.RuleDays, policy.RuleTime, policy.RuleCron,
}

func TestGoodPolicies(t *testing.T) {
	for _, file := range list(t, "testdata/good/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			models, fleets, problems := policy.Parse(file, read(t, file), "testdata/good")
			for _, p := range problems {
				t.Error(p)
			}
			for _, m := range models {
				checkInvariants(t, m)
			}
			got, err := json.MarshalIndent(map[string]any{"models": models, "fleets": fleets}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yml")+".json", append(got, '\n'))
		})
	}
}

func TestExamplePoliciesAreClean(t *testing.T) {
	for _, p := range policy.Lint([]string{"../examples/policies"}) {
		t.Error(p)
	}
	for _, file := range append(list(t, "../examples/policies/*.yaml"), list(t, "../examples/policies/*/*.yaml")...) {
		line, rest, _ := strings.Cut(string(read(t, file)), "\n")
		if !strings.HasPrefix(line, "# yaml-language-server: $schema=") || !strings.HasSuffix(line, "greenlight.schema.json") {
			t.Errorf("%s does not begin with the line by which editors find the schema", file)
		}
		if !strings.HasPrefix(rest, "# ") {
			t.Errorf("%s does not say what it is for", file)
		}
	}
	schema, err := policy.Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../examples/policies/greenlight.schema.json", schema)
}

// Every key of the format is in its reference.
func TestReferenceNamesEveryKey(t *testing.T) {
	reference := string(read(t, "../docs/policy.md"))
	for key := range schemaKeys(t) {
		if !regexp.MustCompile("(`|\\.|#.* )" + key + "\\b").MatchString(reference) {
			t.Errorf("docs/policy.md does not name the key %s", key)
		}
	}
}

func list(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	slices.Sort(files)
	return files
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
