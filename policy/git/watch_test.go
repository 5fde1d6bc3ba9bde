package git

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

func TestACommitComesIntoForce(t *testing.T) {
	a := newAuthor(t)
	a.write("fraud.yaml", model("fraud", "old.example"))
	first := a.push("Begin")
	o := a.options()
	w := watchIt(t, o, policy.Set{})

	set := w.in(first)
	if c := set.Origin.Commit; c.Repository != a.bare || c.Ref != "main" || c.Author != "Ann Smith <ann@example.org>" || c.Committer != "" ||
		c.Subject != "Begin" || c.At.IsZero() || c.SignedBy != "" {
		t.Errorf("commit %+v", c)
	}
	if s := set.Models["fraud"].Model.Source; s.String() != "fraud.yaml:1@"+first[:10] {
		t.Errorf("source %s", s)
	}
	w.silent()

	a.write("fraud.yaml", model("fraud", "new.example"))
	second := a.push("Move")
	if set = w.in(second); w.host(set, "fraud") != "new.example" {
		t.Errorf("%+v", set.Models["fraud"].Model.Route)
	}
	if content, err := os.ReadFile(filepath.Join(o.Folder, "current", "fraud.yaml")); err != nil || !strings.Contains(string(content), "new.example") {
		t.Errorf("current has %q, %v", content, err)
	}

	a.write("fraud.yaml", model("fraud", "newer.example"))
	third := a.push("Move again")
	w.in(third)
	eventually(t, "the first checkout is removed", func() bool { return names(t, o.Folder) == listing(third, second, "current", "previous") })
}

// An unchanged policy is the same one over commits, although it names a file of the checkout.
// An author is whom a commit names; who made it is told beside.
func TestACommitNamesWhoCommittedIt(t *testing.T) {
	a := newAuthor(t)
	a.write("fraud.yaml", model("fraud", "a.example"))
	id := a.push("for somebody else", "--author", "Bob <bob@example.org>")
	c := watchIt(t, a.options(), policy.Set{}).in(id).Origin.Commit
	if c.Author != "Bob <bob@example.org>" || c.Committer != "Ann Smith <ann@example.org>" {
		t.Errorf("%+v", c)
	}
}

func TestWhatACommitLeavesAloneStays(t *testing.T) {
	a := newAuthor(t)
	a.write("team/policies/fraud.yaml", model("fraud", "fraud.example")+"  validate: [golden: {file: cases.jsonl}]\n")
	a.write("team/policies/cases.jsonl", `{"old": 1}`)
	o := a.options()
	o.Path = "team/policies"
	w := watchIt(t, o, policy.Set{})
	before := w.in(a.push("Begin"))
	a.write("team/policies/cases.jsonl", `{"new": 1}`)
	a.write("team/policies/churn.yaml", model("churn", "churn.example"))
	a.write("elsewhere/big.bin", strings.Repeat("x", 1<<16))
	id := a.push("Other cases")
	after := w.in(id)
	m := after.Models["fraud"].Model
	if m != before.Models["fraud"].Model {
		t.Error("fraud changed with a commit that does not change it")
	}
	if m.Source.File != "team/policies/fraud.yaml" || m.Source.Commit.ID == id {
		t.Errorf("source %+v", m.Source)
	}
	file := ""
	for _, c := range m.Validate {
		if c.Golden != nil {
			file = c.Golden.File
		}
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != `{"new": 1}` || !strings.HasPrefix(file, filepath.Join(o.Folder, "current")) {
		t.Errorf("%s holds %q, %v", file, content, err)
	}
	if _, err := os.Stat(filepath.Join(o.Folder, "current", "elsewhere")); !os.IsNotExist(err) {
		t.Errorf("more than the path was checked out: %v", err)
	}
}

// What is doubtful about a commit is looked for in its own files, not in those that it
// replaces.
func TestWarningsAreOfTheCommitItself(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "a.example")+"  validate: [golden: {file: cases.jsonl}]\n")
	a.write("cases.jsonl", "")
	w := watchIt(t, a.options(), policy.Set{})
	empty := func(s policy.Set) bool {
		return slices.ContainsFunc(s.Warnings, func(p policy.Problem) bool { return p.Rule == policy.RuleEmptyData && p.File == "a.yaml" })
	}
	if set := w.in(a.push("No case")); !empty(set) {
		t.Errorf("nothing is said of a file without cases: %v", set.Warnings)
	}
	if !strings.Contains(w.log.String(), "policy warning") {
		t.Errorf("the log has no warning:\n%s", w.log)
	}
	a.write("cases.jsonl", "{}\n")
	if set := w.in(a.push("A case")); empty(set) {
		t.Errorf("a file with a case is said to be empty: %v", set.Warnings)
	}
}

func TestABrokenCommitIsNotTaken(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "a.example"))
	a.write("b.yaml", model("b", "b.example"))
	first := a.push("Begin")
	o := a.options()
	w := watchIt(t, o, policy.Set{})
	good := w.in(first)

	a.write("a.yaml", model("a", "new.example"))
	a.write("b.yaml", "kind: Model\n")
	second := a.push("Break b")
	set := w.trouble("commit " + second[:10] + " is not taken: b.yaml:1:1")
	if set.Origin.Commit.ID != first || set.Models["a"].Model != good.Models["a"].Model || set.Models["b"].Model != good.Models["b"].Model {
		t.Errorf("something changed: %+v", set)
	}
	if strings.Contains(set.Problems[0].String(), o.Folder) {
		t.Errorf("a problem names the checkout: %s", set.Problems[0])
	}
	w.silent()
	if got := names(t, o.Folder); got != listing(first, "current") {
		t.Errorf("the folder holds %s", got)
	}

	a.write("b.yaml", model("b", "b.example"))
	set = w.in(a.push("Mend b"))
	if w.host(set, "a") != "new.example" || len(set.Problems) > 0 || set.Models["b"].Model != good.Models["b"].Model {
		t.Errorf("%+v", set)
	}
}

func TestABranchThatIsRewrittenRemovedAndBack(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	first := a.push("One")
	a.write("a.yaml", model("a", "two.example"))
	second := a.push("Two")
	o := a.options()
	o.Ref = "main"
	w := watchIt(t, o, policy.Set{})
	w.in(second)

	a.git("reset", "--quiet", "--hard", first)
	a.write("a.yaml", model("a", "three.example"))
	third := a.push("Three")
	if set := w.in(third); w.host(set, "a") != "three.example" {
		t.Errorf("%+v", set)
	}
	eventually(t, "the log says that the branch was rewritten", func() bool { return strings.Contains(w.log.String(), "was rewritten") })

	a.git("push", "--quiet", "origin", "HEAD:refs/heads/other", ":main")
	if set := w.trouble(`no branch and no tag "main"`, "the last good policies stand"); set.Origin.Commit.ID != third || w.host(set, "a") != "three.example" {
		t.Errorf("%+v", set.Origin)
	}
	a.git("push", "--quiet", "origin", "HEAD:main")
	w.in(third)

	// Two commits at once are no rewriting.
	a.commit("Four")
	w.in(a.push("Five"))
	if n := strings.Count(w.log.String(), "was rewritten"); n != 1 {
		t.Errorf("it is said %d times that the branch was rewritten\n%s", n, w.log)
	}
}

func TestTags(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	first := a.push("One")
	a.git("tag", "light")
	a.git("tag", "-a", "-m", "a release", "release")
	a.git("tag", "-a", "-m", "a tag of a tag", "again", "release")
	a.git("push", "--quiet", "origin", "--tags")
	a.write("a.yaml", model("a", "two.example"))
	second := a.push("Two")
	for _, ref := range []string{"light", "release", "again", "refs/tags/release"} {
		o := a.options()
		o.Ref = ref
		w := watchIt(t, o, policy.Set{})
		if set := w.in(first); set.Origin.Commit.Ref != ref {
			t.Errorf("%s: %+v", ref, set.Origin.Commit)
		}
		if ref == "release" {
			a.git("tag", "-f", "-a", "-m", "moved", "release", second)
			a.git("push", "--quiet", "--force", "origin", "release")
			w.in(second)
			a.git("tag", "-f", "-a", "-m", "back", "release", first)
			a.git("push", "--quiet", "--force", "origin", "release")
			w.in(first)
		}
		w.stop()
	}
	o := a.options()
	o.Ref = "refs/heads/none"
	watchIt(t, o, policy.Set{}).trouble("no branch and no tag")
}

func TestAnEmptyRepositoryAndOneWithoutTheFolder(t *testing.T) {
	a := newAuthor(t)
	o := a.options()
	o.Path = "policies"
	w := watchIt(t, o, policy.Set{})
	w.trouble("no commit yet")
	a.write("README", "nothing here")
	id := a.push("Begin")
	w.trouble("commit " + id[:10] + " is not taken: it has no folder policies")
	a.write("policies", "a file")
	w.trouble("commit " + a.push("A file")[:10])
	a.git("rm", "--quiet", "policies")
	a.write("policies/a.yaml", model("a", "a.example"))
	w.in(a.push("A folder"))
}

// listing is what names answers with, in its order.
func listing(ids ...string) string {
	var all []string
	for _, id := range ids {
		all = append(all, id)
		if commitName.MatchString(id) {
			all = append(all, id+".json")
		}
	}
	return sorted(all)
}

func names(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished+"fetch") {
			all = append(all, e.Name())
		}
	}
	return sorted(all)
}

// A problem that a restart does not end has begun before it.
func TestAProblemIsAsOldAsItWasBeforeARestart(t *testing.T) {
	a := newAuthor(t)
	a.write("fraud.yaml", model("fraud", "a.example"))
	id := a.push("first")
	o := a.options()
	first := watchIt(t, o, policy.Set{})
	prev := first.in(id)
	first.stop()

	since := time.Now().Add(-time.Hour)
	prev.Origin = policy.Origin{Problem: "the server was away", Since: since}
	away := a.bare + ".away"
	if err := os.Rename(a.bare, away); err != nil {
		t.Fatal(err)
	}
	w := watchIt(t, o, prev)
	if now := w.trouble("can't be fetched"); !now.Origin.Since.Equal(since) || now.Origin.Commit.ID != id {
		t.Errorf("%+v; want it since %s", now.Origin, since)
	}
	if err := os.Rename(away, a.bare); err != nil {
		t.Fatal(err)
	}
	w.in(id)
	if err := os.Rename(a.bare, away); err != nil {
		t.Fatal(err)
	}
	if now := w.trouble("can't be fetched"); !now.Origin.Since.After(since) {
		t.Errorf("a new problem began with the old one: %+v", now.Origin)
	}
}
