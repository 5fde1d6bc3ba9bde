// Package greenlight holds nothing but the tests of the house as a whole, first
// which package may import which. docs/architecture.md explains why.
package greenlight

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// allowed lists, for each folder, the folders of this module that its code
// (tests aside) may import. A folder that is missing here fails the test: a new
// one is a decision about the design.
var allowed = map[string][]string{
	"policy":    {"policy"},
	"rollout":   {"policy", "rollout"},
	"reconcile": {"rollout", "policy"},
	"registry":  {"rollout", "policy"},
	"check":     {"rollout", "policy", "check"},
	"report":    {"rollout", "policy"},
	"xds":       {"rollout", "policy", "xds"},
	"telemetry": {"rollout", "policy"},
	"retire":    {"rollout", "policy"},
	"store":     {"rollout", "policy"},
	"api":       {"rollout", "policy", "api"},
	"examples":  {"examples", "policy", "xds", "api"},
	"cmd":       {"cmd", "policy", "rollout", "reconcile", "registry", "check", "report", "xds", "telemetry", "retire", "store", "api", "examples"},
	"e2e":       {"e2e", "cmd", "policy", "rollout", "reconcile", "registry", "check", "xds", "store", "api", "examples"},
}

// impure is what rollout may not import: a decision has no I/O, no lock and no clock.
var impure = []string{"context", "net", "os", "sync", "io", "log", "math/rand"}

func TestArrows(t *testing.T) {
	eachFile(t, ".", func(file string) {
		folder := strings.Split(file, "/")[0]
		if !strings.Contains(file, "/") || strings.HasSuffix(file, "_test.go") {
			return
		}
		may, known := allowed[folder]
		if !known {
			t.Errorf("%s: no arrows are defined for %s/; name what it may import in arch_test.go and docs/architecture.md", file, folder)
			return
		}
		for _, imported := range imports(t, file) {
			if to, ours := strings.CutPrefix(imported, "greenlight/"); ours && !slices.Contains(may, strings.Split(to, "/")[0]) {
				t.Errorf("%s imports %s; %s may import only %v", file, imported, folder, may)
			}
		}
	})
}

// Where policies come from is wiring: decisions and adapters see only what they say.
func TestOnlyWiringKnowsSourcesOfPolicies(t *testing.T) {
	eachFile(t, ".", func(file string) {
		folder := strings.Split(file, "/")[0]
		if folder == "cmd" || folder == "e2e" {
			return
		}
		for _, imported := range imports(t, file) {
			if imported == "greenlight/policy/git" {
				t.Errorf("%s imports %s; only cmd does", file, imported)
			}
		}
	})
}

func TestResourceBuildersKnowNoServer(t *testing.T) {
	eachFile(t, "xds/resource", func(file string) {
		for _, imported := range imports(t, file) {
			if imported == "greenlight/xds" {
				t.Errorf("%s imports %s; builders are pure and are used by the server, not the other way", file, imported)
			}
		}
	})
}

func TestCalendarStandsAlone(t *testing.T) {
	eachFile(t, "policy/calendar", func(file string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		for _, imported := range imports(t, file) {
			if strings.HasPrefix(imported, "greenlight/") || slices.Contains(impure, imported) && imported != "sync" {
				t.Errorf("%s imports %s; a calendar is told the time, and knows no policy", file, imported)
			}
		}
		readsNoClock(t, file)
	})
}

func TestRolloutIsPure(t *testing.T) {
	eachFile(t, "rollout", func(file string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		for _, imported := range imports(t, file) {
			if slices.Contains(impure, strings.Split(imported, "/")[0]) || slices.Contains(impure, imported) {
				t.Errorf("%s imports %s; rollout decides and does nothing else", file, imported)
			}
		}
		readsNoClock(t, file)
	})
}

// readsNoClock fails when a file reads a clock or waits for one.
func readsNoClock(t *testing.T, file string) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, clock := range []string{"time.Now(", "time.Since(", "time.Until(", "time.After(", "time.NewTimer(", "go func"} {
		if strings.Contains(string(source), clock) {
			t.Errorf("%s uses %s; time is an argument of what decides", file, clock)
		}
	}
}

// eachFile calls f for every Go file below root, generated code included,
// testdata and hidden folders left out.
func eachFile(t *testing.T, root string, f func(file string)) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if path.Ext(name) == ".go" && !d.IsDir() {
			seen++
			f(filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatalf("no Go files below %s", root)
	}
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, spec := range parsed.Imports {
		out = append(out, strings.Trim(spec.Path.Value, `"`))
	}
	return out
}
