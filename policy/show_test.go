package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/policy"
)

func show(t testing.TB, path, name string) *policy.Effective {
	t.Helper()
	e, err := policy.Show(path, name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// goodFolders are all policies of the examples and of the test data, each in a
// folder of its own that may be written to.
func goodFolders(t *testing.T) []string {
	t.Helper()
	examples := filepath.Join(t.TempDir(), "policies")
	if err := os.CopyFS(examples, os.DirFS("../examples/policies")); err != nil {
		t.Fatal(err)
	}
	folders := []string{examples}
	for _, file := range list(t, "testdata/good/*.yml") {
		dir := t.TempDir()
		for _, file := range append(list(t, "testdata/good/*sv"), file, "testdata/good/cases.jsonl") {
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), read(t, file), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		folders = append(folders, dir)
	}
	return folders
}

// What show prints is a clean policy that means the same: by itself, and in the
// model's place with the Defaults around it. Shown again it is the same text.
func TestShownPoliciesSayTheSame(t *testing.T) {
	for _, dir := range goodFolders(t) {
		models := policy.Read(dir).Models()
		texts := map[string]string{}
		for _, m := range models {
			text := show(t, dir, m.Name).YAML()
			texts[m.Name] = string(text)
			alone, _, problems := policy.Parse(m.Source.File, text, dir)
			if len(alone) != 1 || said(t, alone[0]) != said(t, m) {
				t.Fatalf("%s of %s is shown as another policy: %v\n%s\n%+v\n%s", m.Name, m.Source.File, problems, text, alone, said(t, m))
			}
		}
		for _, m := range models {
			onlyInherited(t, m.Source.File)
			if err := os.WriteFile(filepath.Join(filepath.Dir(m.Source.File), m.Name+".shown.yaml"), []byte(texts[m.Name]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range policy.Lint([]string{dir}) {
			if p.Severity() == policy.SeverityError { // what is doubtful was so before
				t.Error(p)
			}
		}
		for _, m := range models {
			again := show(t, dir, m.Name)
			if said(t, again.Model) != said(t, m) {
				t.Errorf("%s: in its place the shown policy is another:\n%s\nwant\n%s", m.Name, said(t, again.Model), said(t, m))
			}
			if got := uncommented(again.YAML()); got != uncommented([]byte(texts[m.Name])) {
				t.Errorf("%s is shown as\n%s\nand that as\n%s", m.Name, texts[m.Name], got)
			}
		}
	}
}

// onlyInherited takes the models out of a file.
func onlyInherited(t *testing.T, file string) {
	t.Helper()
	documents := marker.Split(string(read(t, file)), -1)
	documents = slices.DeleteFunc(documents, func(d string) bool { return ofModel.MatchString(d) })
	if err := os.WriteFile(file, []byte(strings.Join(documents, "---\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

var (
	comment = regexp.MustCompile(`(?m) *# .*$`)
	ofModel = regexp.MustCompile(`kind["']?: *["']?Model`)
	marker  = regexp.MustCompile(`(?m)^(---|\.\.\.).*\n`)
)

func uncommented(text []byte) string { return comment.ReplaceAllString(string(text), "") }

// Every key of a model's format is shown for some policy.
func TestShowKnowsEveryKey(t *testing.T) {
	var all strings.Builder
	for _, dir := range goodFolders(t) {
		for _, m := range policy.Read(dir).Models() {
			all.Write(show(t, dir, m.Name).YAML())
		}
	}
	for key := range schemaKeys(t) {
		if !regexp.MustCompile(`(?m)^[ -]*`+key+`:`).MatchString(all.String()) && !slices.Contains(ofFleets, key) {
			t.Errorf("no policy is shown with the key %s", key)
		}
	}
}

var ofFleets = []string{"routes", "listener", "telemetry", "entry", "sample", "address"}

func TestShowSaysWhereValuesComeFrom(t *testing.T) {
	for _, name := range []string{"feed", "similar"} {
		e := show(t, "../examples/policies", name)
		golden(t, "testdata/show/"+name+".yaml", e.YAML())
		text, err := e.JSON()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/show/"+name+".json", text)
		var shown struct {
			Policy any
			From   map[string]string
		}
		if err := json.Unmarshal(text, &shown); err != nil {
			t.Fatal(err)
		}
		if says := fits(schema(t), schema(t), shown.Policy); says != "" {
			t.Errorf("%s: %s", name, says)
		}
	}
}

// What was taken back stays taken back.
func TestShowKeepsNulls(t *testing.T) {
	f := newFolder(t)
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: s, datacenter: dc1}, route: {fleets: [edge], sticky: {header: h}}, cost: {spare: 1}, judge: {}, bake: {for: 1m}}`))
	f.write("a/a.yaml", heir("a", `{discovery: {datacenter: null}, route: {sticky: null}, cost: {spare: null}, judge: null, bake: null}`))
	before := show(t, f.dir, "a")
	f.write("a/a.yaml", string(before.YAML()))
	if after := show(t, f.dir, "a"); said(t, after.Model) != said(t, before.Model) {
		t.Errorf("shown as\n%s", before.YAML())
	}
}

func TestShowOfWhatIsNotThere(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("fraud", "a")+"---\n"+model("bad", "b")+"  bakee: {}\n")
	for name, says := range map[string]string{"frauds": `"frauds" (did you mean fraud?)`, "bad": "bakee is not a key"} {
		_, err := policy.Show(f.dir, name)
		if err == nil || !strings.Contains(err.Error(), says) || errors.Is(err, policy.ErrUnknownModel) != (name == "frauds") {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
	if _, err := policy.Show(filepath.Join(f.dir, "nowhere"), "fraud"); err == nil || !strings.Contains(err.Error(), "can't be read") {
		t.Error(err)
	}
}

// Any text is read as it was written.
func TestTextsAreShownAsTheyAre(t *testing.T) {
	f := newFolder(t)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-?:,\[\]{}#&*!|>'"%@$ 0-9a-z.~=<]{1,12}`), rapid.SampledFrom([]string{
			"null", "True", "no", "~", "1e3", "0x1f", "1_000", ".5", "-", "a: b", "a #b", "30s", "5%", "2026-11-01", "é", "a\u202eb", "<<", "=", "1:30", "0o7", ".inf", "+1", "x\x7f", "\u0085",
		})).Draw(r, "text")
		if !strings.HasPrefix(text, "\ufeff") && strings.ToValidUTF8(text, "") == text {
			literal, err := json.Marshal(text)
			if err != nil {
				r.Fatal(err)
			}
			f.write("a.yaml", model("fraud", "a")+fmt.Sprintf("  predict: {parameters: {x: %s}}\n", escapeOdd(string(literal))))
			e, err := policy.Show(f.dir, "fraud")
			if err != nil {
				r.Skip(err)
			}
			again, _, problems := policy.Parse("a.yaml", e.YAML(), "")
			if len(again) != 1 || again[0].Predict.Parameters["x"] != text {
				r.Fatalf("%q: %v\n%s", text, problems, e.YAML())
			}
		}
	})
}

// escapeOdd writes what policy files do not hold as it is.
func escapeOdd(literal string) string {
	var out strings.Builder
	for _, r := range literal {
		if r < 0x7f {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, `\U%08X`, r)
		}
	}
	return out.String()
}
