package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"greenlight/policy"
)

// said is a model without where it was read, and without its name's number.
func said(t testing.TB, m *policy.Model) string {
	t.Helper()
	if m == nil {
		t.Fatal("no model")
	}
	plain := *m
	plain.Source = policy.Source{}
	text, err := json.MarshalIndent(plain, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`\bm2\b`).ReplaceAllString(string(text), "m")
}

// written is a Model document of the test data, and the folder that its files are in.
type written struct {
	folder string
	body   map[string]any
}

func goodDocuments(t *testing.T) []written {
	t.Helper()
	var all []written
	for _, file := range slices.Concat(list(t, "testdata/good/*.yml"), list(t, "../examples/policies/*.yaml")) {
		if strings.Contains(string(read(t, file)), "kind: Defaults") {
			continue
		}
		for text := range strings.SplitSeq(string(read(t, file)), "\n---\n") {
			var body map[string]any
			if err := yaml.Unmarshal([]byte(text), &body); err == nil && body["kind"] == "Model" {
				all = append(all, written{filepath.Dir(file), body})
			}
		}
	}
	return all
}

// levels are the folders that a policy is spread over.
var levels = []string{"", "a", "a/b"}

// A policy gives the same whether its values are all in the model's document or
// inherited from any of the folders above it.
func TestDefaultsSplitOverTheLevels(t *testing.T) {
	documents := goodDocuments(t)
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		d := rapid.SampledFrom(documents).Draw(r, "document")
		root, err := os.MkdirTemp(dir, "policies")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(root)
		for _, level := range levels {
			copyFiles(r, d.folder, filepath.Join(root, level))
		}
		save(r, filepath.Join(root, "a/b/model.yaml"), d.body)
		whole := only(r, root)

		parts := make([]map[string]any, len(levels)+1)
		for i := range parts {
			parts[i] = map[string]any{}
		}
		spread(r, d.body["spec"].(map[string]any), parts)
		for i, level := range levels {
			if part := escaped(parts[i]); len(part.(map[string]any)) > 0 || rapid.Bool().Draw(r, "an empty one") {
				save(r, filepath.Join(root, level, "defaults.yaml"), map[string]any{"apiVersion": policy.APIVersion, "kind": "Defaults", "spec": part})
			}
		}
		own := map[string]any{"apiVersion": policy.APIVersion, "kind": "Model", "metadata": d.body["metadata"]}
		if last := parts[len(levels)]; len(last) > 0 {
			own["spec"] = last
		}
		save(r, filepath.Join(root, "a/b/model.yaml"), own)
		if split := only(r, root); split != whole {
			r.Fatalf("spread over the levels as %v it is\n%s\nwant\n%s", parts, split, whole)
		}
	})
}

// A Defaults document that gives nothing changes nothing, in whatever folder it is.
func TestEmptyDefaultsChangeNothing(t *testing.T) {
	documents := goodDocuments(t)
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		d := rapid.SampledFrom(documents).Draw(r, "document")
		root, err := os.MkdirTemp(dir, "policies")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(root)
		copyFiles(r, d.folder, filepath.Join(root, "a/b"))
		save(r, filepath.Join(root, "a/b/model.yaml"), d.body)
		before := only(r, root)
		for _, level := range rapid.SliceOfDistinct(rapid.SampledFrom(levels), rapid.ID[string]).Draw(r, "levels") {
			body := map[string]any{"apiVersion": policy.APIVersion, "kind": "Defaults"}
			if rapid.Bool().Draw(r, "spec") {
				body["spec"] = map[string]any{}
			}
			save(r, filepath.Join(root, level, "defaults.yaml"), body)
		}
		if after := only(r, root); after != before {
			r.Fatalf("with empty Defaults it is\n%s\nwant\n%s", after, before)
		}
	})
}

// A policy that inherits is shown as one that says the same by itself, and what is
// shown is shown again as it is.
func TestShowOfWhatIsInherited(t *testing.T) {
	documents := goodDocuments(t)
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		d := rapid.SampledFrom(documents).Draw(r, "document")
		if d.body["spec"].(map[string]any)["dependsOn"] != nil {
			return // it is not alone
		}
		root, err := os.MkdirTemp(dir, "policies")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(root)
		for _, level := range levels {
			copyFiles(r, d.folder, filepath.Join(root, level))
		}
		parts := []map[string]any{{}, {}}
		spread(r, d.body["spec"].(map[string]any), parts)
		save(r, filepath.Join(root, "defaults.yaml"), map[string]any{"apiVersion": policy.APIVersion, "kind": "Defaults", "spec": escaped(parts[0])})
		file := filepath.Join(root, "a/model.yaml")
		save(r, file, map[string]any{"apiVersion": policy.APIVersion, "kind": "Model", "metadata": d.body["metadata"], "spec": parts[1]})
		before := only(r, root)
		name := d.body["metadata"].(map[string]any)["name"].(string)
		shown, err := policy.Show(root, name)
		if err != nil {
			r.Fatal(err)
		}
		if err := os.WriteFile(file, shown.YAML(), 0o644); err != nil {
			r.Fatal(err)
		}
		if after := only(r, root); after != before {
			r.Fatalf("shown as\n%s\nit is\n%s\nwant\n%s", shown.YAML(), after, before)
		}
		again, err := policy.Show(root, name)
		if err != nil || uncommented(again.YAML()) != uncommented(shown.YAML()) {
			r.Fatalf("%v: shown again it is\n%s\nwant\n%s", err, again.YAML(), shown.YAML())
		}
	})
}

// spread gives each value of a mapping to one of the parts; to farther ones it
// may give null, which counts for nothing there.
func spread(r *rapid.T, from map[string]any, parts []map[string]any) {
	keys := make([]string, 0, len(from))
	for key := range from {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		below, isMapping := from[key].(map[string]any)
		if isMapping && len(below) > 0 && rapid.Bool().Draw(r, "divide") {
			under := make([]map[string]any, len(parts))
			for i := range under {
				under[i] = map[string]any{}
			}
			spread(r, below, under)
			for i := range under {
				if len(under[i]) > 0 {
					parts[i][key] = under[i]
				}
			}
			continue
		}
		at := rapid.IntRange(0, len(parts)-1).Draw(r, "level")
		parts[at][key] = from[key]
		if at > 0 && rapid.IntRange(0, 4).Draw(r, "null above") == 0 {
			parts[rapid.IntRange(0, at-1).Draw(r, "level of null")][key] = nil
		}
	}
}

// escaped doubles what would be a placeholder in Defaults.
func escaped(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			if out[key] = value; key != "request" && key != "query" {
				out[key] = escaped(value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = escaped(v[i])
		}
		return out
	case string:
		return strings.ReplaceAll(v, "${", "$${")
	}
	return value
}

func copyFiles(r *rapid.T, from, to string) {
	if err := os.MkdirAll(to, 0o755); err != nil {
		r.Fatal(err)
	}
	for _, ending := range []string{"*.jsonl", "*.csv"} {
		files, err := filepath.Glob(filepath.Join(from, ending))
		if err != nil {
			r.Fatal(err)
		}
		for _, file := range files {
			if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), nil, 0o644); err != nil {
				r.Fatal(err)
			}
		}
	}
}

func save(r *rapid.T, file string, body any) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
		r.Fatal(err)
	}
}

// only is the one model of a folder, wherever its files are.
func only(r *rapid.T, root string) string {
	read := policy.Read(root)
	models := read.Models()
	if len(models) != 1 || len(read.Problems) > 0 {
		r.Fatalf("%d models, %v", len(models), read.Problems)
	}
	text, err := json.Marshal(models[0])
	if err != nil {
		r.Fatal(err)
	}
	plain := regexp.MustCompile(regexp.QuoteMeta(root)+`/(a/)?(b/)?`).ReplaceAllString(string(text), "")
	return regexp.MustCompile(`"source":\{[^}]*\}`).ReplaceAllString(plain, "")
}

// A thousand models and one Defaults document.
func BenchmarkRead1000WithDefaults(b *testing.B) {
	dir := b.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	put("defaults.yaml", defaultsOf(`
  discovery: {service: "${model}", version: {meta: release}}
  route: {fleets: [edge], hosts: ["${model}.models.internal"], timeout: 2s, retries: {attempts: 1}}
  predict: {answer: {label: predict, scores: predict_proba}}
  validate: [endpoints: {min: 2}, ready: {path: /ready}, golden: {file: cases.jsonl}]
  shift: {steps: [{weight: 5%, hold: 10m}, {weight: 25%, hold: 10m}, 100%], checkEvery: 30s}
  judge: {errorRate: <1%, p99: <300ms, minRequests: 500}
  bake: {for: 1h}
  retire: {after: 24h, webhook: "https://deploy.internal/retire"}`))
	put("cases.jsonl", "")
	for i := range 1000 {
		name := fmt.Sprintf("model-%d", i)
		put(name+".yaml", fmt.Sprintf("apiVersion: greenlight/v1\nkind: Model\nmetadata: {name: %s}\n", name))
	}
	set := policy.Set{}
	for b.Loop() {
		set = policy.Merge(set, policy.Read(dir), time.Time{})
		if len(set.Models) != 1000 || len(set.Problems) > 0 {
			b.Fatal(set.Problems)
		}
	}
}

// Whatever two good policies write in a section, the one over the other is good:
// nothing of it excludes anything.
func TestSectionsOfAnyTwoPoliciesGoTogether(t *testing.T) {
	documents := goodDocuments(t)
	for _, far := range documents {
		for _, near := range documents {
			for _, section := range []string{"discovery", "route", "predict", "shift", "judge", "retire", "cost"} {
				above, below := far.body["spec"].(map[string]any)[section], near.body["spec"].(map[string]any)[section]
				if above == nil || below == nil {
					continue
				}
				spec := map[string]any{"discovery": map[string]any{"service": "s"}, "route": map[string]any{"fleets": []any{"edge"}}}
				if section == "shift" {
					spec["retire"] = map[string]any{"consul": map[string]any{}} // rolling needs it
				}
				spec[section] = above
				text := func(kind string, spec map[string]any) string {
					raw, err := json.Marshal(map[string]any{"apiVersion": policy.APIVersion, "kind": kind, "metadata": map[string]any{"name": "m"}, "spec": spec})
					if err != nil {
						t.Fatal(err)
					}
					return string(raw) + "\n"
				}
				defaults := strings.Replace(text("Defaults", escaped(spec).(map[string]any)), `"metadata":{"name":"m"},`, "", 1)
				_, _, problems := policy.Parse("testdata/good/x.yml", []byte(defaults+"---\n"+text("Model", map[string]any{section: below})), "")
				for _, p := range problems {
					// Figures are of checks in another section, and a value may not fit another one.
					if p.Rule == policy.RuleUnknownFigure || strings.Contains(p.Message, "it is none of the classes") {
						continue
					}
					t.Errorf("%v over %v: %s", below, above, p)
				}
			}
		}
	}
}
