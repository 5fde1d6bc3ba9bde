package policy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"

	"greenlight/policy"
)

// FuzzParse: whatever a file holds, Parse ends, tells sound problems, and what
// it returns besides is valid.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yml", "testdata/good/*.yml", "../examples/policies/*.yaml", "../examples/policies/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		models, fleets, problems := policy.Parse("testdata/good/fuzz.yml", content, "testdata/good")
		for _, m := range models {
			checkInvariants(t, m)
		}
		for _, fleet := range fleets {
			checkFleet(t, fleet)
		}
		checkProblems(t, problems, content)
	})
}

func checkFleet(t *testing.T, f *policy.Fleet) {
	t.Helper()
	if f.Name == "" || f.Routes == "" {
		t.Errorf("fleet without a name: %+v", f)
	}
	if l := f.Listener; l != nil && (l.Name == "" || l.Address == "" || l.Port < 1 || l.Port > 65535) {
		t.Errorf("fleet with a bad listener: %+v", l)
	}
}

func checkProblems(t *testing.T, problems []policy.Problem, content []byte) {
	t.Helper()
	for i, p := range problems {
		if p.File == "" || p.Rule == "" || p.Message == "" || (p.Line == 0) != (p.Column == 0) || p.Line < 0 || p.Column < 0 {
			t.Errorf("an unsound problem: %+v", p)
		}
		if !utf8.ValidString(p.Message) {
			t.Errorf("a message is not UTF-8: %q", p.Message)
		}
		if i > 0 && p.Line < problems[i-1].Line {
			t.Errorf("problems are not sorted: %v", problems)
		}
		if _, err := json.Marshal(p); err != nil {
			t.Error(err)
		}
		_ = p.Render(content)
	}
	if len(slices.Compact(slices.Clone(problems))) != len(problems) {
		t.Errorf("a problem is told twice: %v", problems)
	}
}
