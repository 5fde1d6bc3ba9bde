package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"greenlight/policy"
)

// Every section of a policy says when a change of it is felt: a new one has to be put
// into the table, and not to be told wrongly.
func TestEverySectionHasAnEffect(t *testing.T) {
	raw, err := policy.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, d := range schema.Defs {
		if d.Properties["discovery"] == nil || d.Properties["bake"] == nil {
			continue
		}
		found = true
		for section := range d.Properties {
			if _, known := effects["spec."+section]; !known {
				t.Errorf("spec.%s has no effect", section)
			}
		}
	}
	if !found {
		t.Fatal("the schema has no spec")
	}
}

// The keys of all that policies can say are keys of the format.
func TestFieldsAreNamedAsInFiles(t *testing.T) {
	known := keysOf(t)
	for _, m := range goodModels(t) {
		all, _ := leaves(m, &policy.Model{}, modelKey)
		for _, l := range all {
			for part := range strings.FieldsFuncSeq(outsideBrackets(l.path), func(r rune) bool { return r == '.' }) {
				if !slices.Contains(known, part) && !strings.Contains(l.path, "parameters."+part) {
					t.Errorf("%s: %s = %s; %s is no key of the format", m.Name, l.path, l.value, part)
				}
			}
		}
	}
}

// outsideBrackets is a path without the names of checks and inputs.
func outsideBrackets(path string) string {
	for {
		from, to := strings.IndexByte(path, '['), strings.IndexByte(path, ']')
		if from < 0 || to < from {
			return path
		}
		path = path[:from] + path[to+1:]
	}
}

// keysOf is every key that the schema has anywhere.
func keysOf(t *testing.T) []string {
	t.Helper()
	raw, err := policy.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	var keys []string
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				visit(item)
			}
		case map[string]any:
			if properties, ok := v["properties"].(map[string]any); ok {
				for key := range properties {
					keys = append(keys, key)
				}
			}
			for _, item := range v {
				visit(item)
			}
		}
	}
	visit(schema)
	return keys
}

// goodModels is all models of the good policies, read file by file: what they inherit
// excludes each other.
func goodModels(t *testing.T) []*policy.Model {
	t.Helper()
	var out []*policy.Model
	for _, folder := range goodFolders(t, t.TempDir()) {
		out = append(out, policy.Read(folder).Models()...)
	}
	if len(out) < 20 {
		t.Fatalf("only %d models are good", len(out))
	}
	return out
}

// goodFolders copies each file of the good policies into a folder of its own, with the
// files that they use.
func goodFolders(t *testing.T, root string) []string {
	t.Helper()
	const good = "../../../policy/testdata/good"
	files, err := filepath.Glob(good + "/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no policies", err)
	}
	var out []string
	for _, file := range files {
		folder := filepath.Join(root, strings.TrimSuffix(filepath.Base(file), ".yml"))
		for _, name := range []string{filepath.Base(file), "cases.jsonl", "rows.csv"} {
			text, err := os.ReadFile(filepath.Join(good, name))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(folder, name), string(text))
		}
		out = append(out, folder)
	}
	return out
}

// The same folder under another name says the same, whatever files its policies name.
func TestAnotherFolderIsNoChange(t *testing.T) {
	here, there := goodFolders(t, t.TempDir()), goodFolders(t, t.TempDir())
	for i := range here {
		r := policy.Read(here[i])
		b := throughJSON(t, Against(policy.Read(there[i]), false, clock))
		if p := Make(b, r); len(p.Problems) == 0 && (p.Changed || len(p.Models) > 0) {
			t.Errorf("%s:\n%s", here[i], p.Text(false, read))
		}
	}
}
