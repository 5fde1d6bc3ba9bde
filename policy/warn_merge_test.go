package policy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"greenlight/policy"
)

const unwatched = "  bake: {for: 1s}\n"

// warned wants exactly these rules among the warnings, and that they are no problem
// of any kind.
func (f *folder) warned(rules ...string) {
	f.t.Helper()
	var got []string
	for _, p := range f.set.Warnings {
		got = append(got, p.Rule)
	}
	if !slices.Equal(got, rules) {
		f.t.Errorf("warnings %v, want %v", f.set.Warnings, rules)
	}
	for _, p := range f.set.Problems {
		if p.Severity() != policy.SeverityError {
			f.t.Errorf("a warning is among the errors: %s", p)
		}
	}
	for name, e := range f.set.Models {
		for _, p := range f.set.Warnings {
			if strings.Contains(e.Problem, p.Rule) {
				f.t.Errorf("a warning is the problem of %s: %s", name, e.Problem)
			}
		}
	}
}

// A warning keeps nothing out of force, and goes when its reason does.
func TestWarningsKeepNothingOutOfForce(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("a", "a")+unwatched)
	f.clean()
	f.stands("a", "a")
	f.warned(policy.RuleBakeUnwatched)
	first := f.set
	f.clean()
	if !f.set.Same(first) {
		t.Error("the same files do not give the same set")
	}
	f.write("a.yaml", model("a", "a"))
	f.clean()
	f.warned()
	if f.set.Same(first) {
		t.Error("a set without the warning is the same")
	}
}

// A last good policy that stands in for a broken one has been warned of before.
func TestWarningsAreOfWhatTheFilesSay(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("a", "a")+unwatched)
	f.write("b.yaml", model("b", `"*"`))
	f.clean()
	f.warned(policy.RuleBakeUnwatched, policy.RuleHostOverlap)
	f.write("a.yaml", model("a", "a")+"  bake: {for: soon}\n")
	f.merge()
	f.warned(policy.RuleHostOverlap) // by the host that a still has
	f.write("a.yaml", model("a", "a")+unwatched)
	f.clean()
	f.warned(policy.RuleBakeUnwatched, policy.RuleHostOverlap)
}

// A data file that gets rows takes its warning away, though no policy changed.
func TestWarningsFollowTheDataFiles(t *testing.T) {
	f := newFolder(t)
	f.write("cases.jsonl", "")
	f.write("a.yaml", model("a", "a")+"  validate: [golden: {file: cases.jsonl}]\n")
	f.clean()
	f.warned(policy.RuleEmptyData)
	held := f.set.Models["a"].Model
	f.write("cases.jsonl", "{}\n")
	f.clean()
	f.warned()
	if f.set.Models["a"].Model != held {
		t.Error("the policy is another one, though nothing of it changed")
	}
}

// A folder that can't be read changes nothing of what is known.
func TestWarningsStandWhileTheFolderIsUnreadable(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("a", "a")+unwatched)
	f.clean()
	if err := os.Rename(f.dir, f.dir+".away"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(f.dir + ".away") })
	f.merge()
	f.warned(policy.RuleBakeUnwatched)
}

// Warnings and errors come in one list, by their places.
func TestLintTellsErrorsAndWarnings(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("a", "a")+unwatched)
	f.write("b.yaml", model("b", "b")+"  bake: {for: soon}\n")
	f.write("c.yaml", model("c", "c")+unwatched)
	var got []string
	for _, p := range policy.Lint([]string{f.dir}) {
		got = append(got, filepath.Base(p.File)+" "+string(p.Severity())+" "+p.Rule)
	}
	want := []string{"a.yaml warning bake-unwatched", "b.yaml error duration-syntax", "c.yaml warning bake-unwatched"}
	if !slices.Equal(got, want) {
		t.Errorf("lint tells %v, want %v", got, want)
	}
}

// A commit that is not taken brings no warning of what it wanted, and takes none
// away; its files are named as the repository names them.
func TestWarningsOfACommit(t *testing.T) {
	f := newFolder(t)
	f.write("nothing.jsonl", "")
	f.write("a.yaml", model("a", "a")+"  validate: [golden: {file: nothing.jsonl}]\n")
	f.commit("1111111111111")
	f.warned(policy.RuleEmptyData)
	for _, p := range f.set.Warnings {
		if text := p.String(); p.File != "a.yaml" || strings.Contains(text, f.dir) {
			t.Errorf("a warning names what is only on this machine: %s", text)
		}
	}
	f.write("a.yaml", model("a", "a")+unwatched)
	f.write("b.yaml", "kind: Model\n")
	f.commit("2222222222222")
	f.warned(policy.RuleEmptyData)
	f.remove("b.yaml")
	f.commit("3333333333333")
	f.warned(policy.RuleBakeUnwatched)
}
