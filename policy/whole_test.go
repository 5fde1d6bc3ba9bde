package policy_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

// commit merges what the folder holds as commit id.
func (f *folder) commit(id string) policy.Set {
	f.now = f.now.Add(time.Minute)
	r := policy.Read(f.dir).Of(policy.Commit{Repository: "https://git.example/policies", Ref: "main", ID: id}, f.dir)
	r.AllowRemoval = f.allow
	f.set = policy.Merge(f.set, r, f.now)
	return f.set
}

func TestACommitIsTakenAllOrNot(t *testing.T) {
	f := newFolder(t)
	for _, name := range []string{"a", "b", "c"} {
		f.write(name+".yaml", model(name, name+".example"))
	}
	first := f.commit("1111111111111")
	if len(first.Problems) > 0 || first.Origin.Commit.ID != "1111111111111" || first.Origin.Problem != "" {
		t.Fatalf("%+v", first)
	}
	if s := first.Models["a"].Model.Source; s.File != "a.yaml" || s.String() != "a.yaml:1@1111111111" {
		t.Errorf("source %+v", s)
	}

	f.write("a.yaml", model("a", "new.example"))
	f.write("b.yaml", "kind: Model\n")
	f.write("d.yaml", model("d", "d.example"))
	broken := f.commit("2222222222222")
	for _, name := range []string{"a", "b", "c"} {
		if broken.Models[name].Model != first.Models[name].Model {
			t.Errorf("%s changed by a commit that is not taken", name)
		}
	}
	for name, want := range map[string]string{
		"a": "commit 2222222222 is not taken: b.yaml:1:1: ", "b": "b.yaml:1:1: ", "c": "", "d": "commit 2222222222 is not taken: b.yaml",
	} {
		if says := broken.Models[name].Problem; !strings.HasPrefix(says, want) || want == "" && says != "" {
			t.Errorf("%s says %q", name, says)
		}
	}
	if e := broken.Models["d"]; e.Model != nil {
		t.Errorf("a new model came with a commit that is not taken: %+v", e)
	}
	if o := broken.Origin; o.Commit.ID != "1111111111111" || !strings.Contains(o.Problem, "commit 2222222222 is not taken") || !o.Since.Equal(f.now) {
		t.Errorf("origin %+v", o)
	}

	since := f.now
	if again := f.commit("2222222222222"); !again.Same(broken) || !again.Origin.Since.Equal(since) {
		t.Errorf("the same commit once more says something else: %+v", again.Origin)
	}

	f.write("b.yaml", model("b", "b.example"))
	mended := f.commit("3333333333333")
	if len(mended.Problems) > 0 || mended.Origin.Problem != "" || mended.Models["a"].Problem != "" {
		t.Fatalf("%+v", mended)
	}
	for name, want := range map[string]string{"a": "3333333333333", "b": "1111111111111", "c": "1111111111111", "d": "3333333333333"} {
		if m := mended.Models[name].Model; m.Source.Commit.ID != want {
			t.Errorf("%s was last changed by %s, want %s", name, m.Source.Commit.ID, want)
		}
	}
}

// A model that is gone from the files is kept and told, and holds up nobody.
func TestACommitWithoutAModel(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("a", "a.example"))
	f.write("b.yaml", model("b", "b.example"))
	f.commit("1")
	f.remove("b.yaml")
	f.write("a.yaml", model("a", "new.example"))
	set := f.commit("2")
	if set.Origin.Commit.ID != "2" || set.Models["a"].Model.Route.Hosts[0] != "new.example" {
		t.Errorf("the others were not taken: %+v", set.Origin)
	}
	if e := set.Models["b"]; e.Model == nil || !strings.Contains(e.Problem, "b.yaml is gone") {
		t.Errorf("b: %+v", e)
	}
	f.allow = true
	if _, ok := f.commit("3").Models["b"]; ok {
		t.Error("b is not removed")
	}
}

func TestASourceThatCannotBeReachedChangesNothing(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("a", "a.example"))
	first := f.commit("1")
	down := first.Troubled("https://git.example/policies: connection refused", f.now)
	later := down.Troubled("https://git.example/policies: no route to host", f.now.Add(time.Hour))
	if later.Models["a"] != first.Models["a"] || later.Origin.Commit.ID != "1" || !later.Origin.Since.Equal(f.now) {
		t.Errorf("%+v", later)
	}
	if down.Same(later) || later.Same(first) {
		t.Error("the problem is not told")
	}
	f.set = later
	if up := f.commit("1"); up.Origin.Problem != "" || !up.Origin.Since.IsZero() {
		t.Errorf("%+v", up.Origin)
	}
}

// Three of a thousand are broken: none of the thousand changes, and each of the three is named.
func TestThreeOfAThousandAreBroken(t *testing.T) {
	f := newFolder(t)
	for i := range 1000 {
		f.write(fmt.Sprintf("m%d.yaml", i), model(fmt.Sprintf("m%d", i), fmt.Sprintf("m%d.example", i)))
	}
	f.commit("1")
	before := f.set
	for i := range 1000 {
		f.write(fmt.Sprintf("m%d.yaml", i), model(fmt.Sprintf("m%d", i), fmt.Sprintf("n%d.example", i)))
	}
	for _, i := range []int{7, 77, 777} {
		f.write(fmt.Sprintf("m%d.yaml", i), strings.Replace(model(fmt.Sprintf("m%d", i), "x.example"), "spec:", "spek:", 1))
	}
	set := f.commit("2")
	files := map[string]bool{}
	for _, p := range set.Problems {
		files[filepath.Base(p.File)] = true
	}
	if len(files) != 3 || !files["m7.yaml"] || !files["m77.yaml"] || !files["m777.yaml"] {
		t.Errorf("problems in %v", files)
	}
	for name, e := range set.Models {
		if e.Model != before.Models[name].Model || e.Problem == "" {
			t.Fatalf("%s: %+v", name, e)
		}
	}
	for _, i := range []int{7, 77, 777} {
		f.write(fmt.Sprintf("m%d.yaml", i), model(fmt.Sprintf("m%d", i), fmt.Sprintf("n%d.example", i)))
	}
	if set = f.commit("3"); len(set.Problems) > 0 || set.Models["m999"].Model.Route.Hosts[0] != "n999.example" {
		t.Errorf("%+v", set.Problems)
	}
}

// A commit is read where it was checked out, and named as it will be called once it
// is in force; so a file that a policy names does not change it with every commit.
func TestACommitIsNamedAsItWillBe(t *testing.T) {
	f := newFolder(t)
	next, current := filepath.Join(f.dir, "next"), filepath.Join(f.dir, "current")
	f.write("next/policies/cases.jsonl", "{}")
	f.write("next/policies/a.yaml", model("a", "a.example")+"  validate: [golden: {file: cases.jsonl}]\n")
	f.write("next/policies/b.yaml", model("b", "b.example")+"  validate: [golden: {file: ../../out.jsonl}, golden: {file: none.jsonl}]\n")
	read := func() policy.Reading {
		return policy.ReadAs(filepath.Join(next, "policies"), filepath.Join(current, "policies")).Of(policy.Commit{ID: "1"}, current)
	}
	said := ""
	for _, p := range read().Problems {
		said += p.String() + "\n"
	}
	if strings.Contains(said, f.dir) || !strings.Contains(said, "policies/b.yaml:7:") || !strings.Contains(said, "policies/none.jsonl can't be opened") {
		t.Errorf("problems:\n%s", said)
	}

	f.remove("next/policies/b.yaml")
	set := policy.Merge(policy.Set{}, read(), f.now)
	m := set.Models["a"].Model
	if m == nil {
		t.Fatalf("%+v", set)
	}
	var files []string
	for _, c := range m.Validate {
		if c.Golden != nil {
			files = append(files, c.Golden.File)
		}
	}
	if want := filepath.Join(current, "policies", "cases.jsonl"); m.Source.File != "policies/a.yaml" || len(files) != 1 || files[0] != want {
		t.Errorf("%+v names %v, want %s", m.Source, files, want)
	}
	if again := policy.Merge(set, read(), f.now); again.Models["a"].Model != m {
		t.Error("the same policy again is another one")
	}
}
