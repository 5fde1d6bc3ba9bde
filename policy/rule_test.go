package policy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"greenlight/policy"
)

// ruleNames are the values of the constants in the files that name rules.
func ruleNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, file := range []string{"rules.go", "warnrules.go"} {
		for _, found := range regexp.MustCompile(`(?m)^\tRule\w+ += "([^"]+)"`).FindAllStringSubmatch(string(read(t, file)), -1) {
			names = append(names, found[1])
		}
	}
	return names
}

// Every rule is described, once, for tools that show rules apart from problems.
func TestEveryRuleIsDescribed(t *testing.T) {
	var described []string
	for _, r := range policy.Rules() {
		described = append(described, r.Name)
		for _, text := range []string{r.Short, r.Help} {
			if !strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
				t.Errorf("%s: %q is no sentence on one line", r.Name, text)
			}
		}
		if got := (policy.Problem{Rule: r.Name}).Severity(); got != r.Severity {
			t.Errorf("a problem of %s is %s, and the rule %s", r.Name, got, r.Severity)
		}
	}
	named := ruleNames(t)
	slices.Sort(named)
	slices.Sort(described)
	if !slices.Equal(named, described) {
		t.Errorf("described in ruletable*.go are\n%v\nand named in rules.go and warnrules.go\n%v", described, named)
	}
	if got := (policy.Problem{Rule: "unheard-of"}).Severity(); got != policy.SeverityError {
		t.Errorf("a problem of an unknown rule is %s", got)
	}
}

// Every rule is in the reference.
func TestReferenceNamesEveryRule(t *testing.T) {
	reference := string(read(t, "../docs/policy.md"))
	for _, rule := range ruleNames(t) {
		if !strings.Contains(reference, "`"+rule+"`") {
			t.Errorf("docs/policy.md does not name the rule %s", rule)
		}
	}
}
