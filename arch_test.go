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
	"unicode"
)

// allowed lists, for each package, the packages of this module that its code (tests
// aside) may import. A package that is missing here fails the test: a new one is a
// decision about the design.
var allowed = map[string][]string{
	"policy":          {"policy/calendar"},
	"policy/calendar": {},
	"policy/git":      {"policy"},

	"rollout":          {"policy", "policy/calendar", "rollout/judge"},
	"rollout/judge":    {},
	"rollout/record":   {"policy", "rollout", "rollout/judge"},
	"rollout/simulate": {"policy", "rollout", "rollout/judge"},
	"rollout/scenario": {"policy", "policy/calendar", "rollout", "rollout/simulate"},
	"rollout/replay":   {"policy", "policy/calendar", "rollout", "rollout/judge", "rollout/record", "rollout/simulate"},

	"reconcile": {"policy", "policy/calendar", "rollout", "rollout/record"},
	"registry":  {"policy", "rollout"},
	"report":    {"policy", "rollout"},
	"retire":    {"policy", "rollout"},
	"store":     {"policy", "rollout", "rollout/record"},
	"telemetry": {"policy", "rollout", "rollout/judge"},

	"check":                {"policy", "rollout", "check/dataset", "check/metrics", "check/predict", "check/shown", "check/stats"},
	"check/dataset":        {"check/shown"},
	"check/metrics":        {},
	"check/predict":        {"policy", "rollout", "check/dataset", "check/predict/oipv2", "check/shown"},
	"check/predict/oipv2":  {},
	"check/shown":          {},
	"check/stats":          {},
	"xds":                  {"policy", "rollout", "xds/resource"},
	"xds/resource":         {"policy", "rollout"},
	"api":                  {"policy", "policy/calendar", "rollout", "rollout/record", "api/adminv1"},
	"api/adminv1":          {},
	"examples/lab":         {"policy", "xds/resource", "api/adminv1"},
	"examples/models":      {},
	"examples/modelserver": {"examples/models"},

	"examples/modelserver/cmd/modelserver": {"examples/models", "examples/modelserver"},

	"cmd/greenlight":      {"cmd/greenlight/cli", "cmd/greenlight/demo", "cmd/greenlight/serve"},
	"cmd/greenlight/cli":  {"api", "api/adminv1", "cmd/greenlight/plan", "policy", "policy/calendar", "rollout", "rollout/record", "rollout/replay", "rollout/scenario", "xds/resource"},
	"cmd/greenlight/demo": {"api/adminv1", "cmd/greenlight/cli", "examples/lab", "examples/models", "examples/modelserver"},
	"cmd/greenlight/plan": {"api", "api/adminv1", "policy", "policy/calendar", "rollout", "xds/resource"},
	"cmd/greenlight/serve": {
		"api", "check", "cmd/greenlight/cli", "policy", "policy/git", "reconcile", "registry", "report", "retire",
		"rollout", "store", "telemetry", "xds",
	},
}

// impure is what a decision may not import: it has no I/O, no lock and no clock.
var impure = []string{"context", "net", "os", "sync", "io", "log", "math/rand"}

// pure is the folders of decisions, and what of impure they may have all the same.
var pure = map[string][]string{
	"check/metrics":       {"sync"}, // scores are checked and ranked once
	"check/shown":         {},
	"check/stats":         {},
	"cmd/greenlight/plan": {},
	"policy/calendar":     {"sync"}, // zones are read once
	"report":              {},
	"rollout":             {},
	"xds/resource":        {"net"}, // addresses are taken apart
}

func TestArrows(t *testing.T) {
	seen := map[string]bool{}
	eachFile(t, ".", func(file string) {
		if !strings.Contains(file, "/") || strings.HasSuffix(file, "_test.go") {
			return
		}
		from := path.Dir(file)
		may, known := allowed[from]
		if !known {
			t.Errorf("%s: no arrows are defined for %s; name what it may import in arch_test.go and docs/architecture.md", file, from)
			return
		}
		seen[from] = true
		for _, imported := range imports(t, file) {
			if to, ours := strings.CutPrefix(imported, "greenlight/"); ours && !slices.Contains(may, to) {
				t.Errorf("%s imports %s; %s may import only %v", file, imported, from, may)
			}
		}
	})
	for from := range allowed {
		if !seen[from] {
			t.Errorf("there is no package %s any more", from)
		}
	}
}

// Every package has its place in the first picture of docs/architecture.md.
func TestPackagesAreTold(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, picture, _ := strings.Cut(string(text), "## The packages")
	picture, _, found := strings.Cut(picture, "Imports point one way")
	if !found {
		t.Fatal("docs/architecture.md has no picture of the packages")
	}
	words := strings.FieldsFunc(picture, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for name := range allowed {
		if !slices.Contains(words, path.Base(name)) {
			t.Errorf("docs/architecture.md does not tell what %s is", name)
		}
	}
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

func TestDecisionsArePure(t *testing.T) {
	for folder, but := range pure {
		eachFile(t, folder, func(file string) {
			if strings.HasSuffix(file, "_test.go") {
				return
			}
			for _, imported := range imports(t, file) {
				top, _, _ := strings.Cut(imported, "/")
				if (slices.Contains(impure, top) || slices.Contains(impure, imported)) && !slices.Contains(but, imported) {
					t.Errorf("%s imports %s; %s decides and does nothing else", file, imported, folder)
				}
			}
			readsNoClock(t, file)
		})
	}
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
