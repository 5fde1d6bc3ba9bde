package scenario_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greenlight/policy"
)

var update = flag.Bool("update", false, "rewrite testdata/bad/*.txt")

// TestBadFiles: everything that is wrong with a file is told at once, with its place.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests, problems := parse(file, raw)
		if len(tests) > 0 || len(problems) == 0 {
			t.Errorf("%s: %d tests and %d problems", file, len(tests), len(problems))
		}
		var got strings.Builder
		for _, p := range problems {
			got.WriteString(p.String() + "\n")
			if p.Line == 0 && p.Rule != policy.RuleUnreadable {
				t.Errorf("%s has no place", p)
			}
		}
		golden := strings.TrimSuffix(file, ".yaml") + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(want) != got.String() {
			t.Errorf("%s (%v): got\n%s", golden, err, got.String())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{examples + "/*.yaml", "testdata/*.yaml", "testdata/bad/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
	known := policy.ReadPath("testdata/policies/plain.yaml")
	f.Fuzz(func(t *testing.T, raw []byte) {
		tests, problems := parseWith("f.yaml", raw, func(string) policy.Reading { return known })
		if (len(tests) == 0) != (len(problems) > 0) {
			t.Fatalf("%d tests and %d problems", len(tests), len(problems))
		}
		for _, p := range problems {
			if p.File == "" || p.Rule == "" || p.Message == "" {
				t.Fatalf("a problem says too little: %+v", p)
			}
		}
	})
}
