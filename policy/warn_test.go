package policy_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"greenlight/policy"
)

// Every file in testdata/warnings is valid, and is warned of in the words of the
// file beside it.
func TestWarnings(t *testing.T) {
	told := map[string]bool{}
	for _, file := range list(t, "testdata/warnings/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content := read(t, file)
			var text strings.Builder
			for _, p := range policy.Lint([]string{file}) {
				if p.Severity() != policy.SeverityWarning {
					t.Error(p)
				}
				if p.Line == 0 || p.Model == "" {
					t.Errorf("a warning without a place or a model: %+v", p)
				}
				told[p.Rule] = true
				fmt.Fprintln(&text, p.Render(content))
			}
			golden(t, strings.TrimSuffix(file, ".yml")+".txt", []byte(text.String()))
		})
	}
	for _, rule := range policy.Rules() {
		if rule.Severity == policy.SeverityWarning && !told[rule.Name] {
			t.Errorf("no file in testdata/warnings is warned of by the rule %s", rule.Name)
		}
	}
	if content := read(t, "testdata/warnings/none.txt"); len(content) > 0 {
		t.Errorf("policies that are fine are warned of:\n%s", content)
	}
}
