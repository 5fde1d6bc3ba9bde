package policy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

// folder is a policy folder for a test, and what is in force by it.
type folder struct {
	t     *testing.T
	dir   string
	now   time.Time
	allow bool
	set   policy.Set
}

func newFolder(t *testing.T) *folder {
	return &folder{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
}

func (f *folder) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) remove(name string) {
	f.t.Helper()
	if err := os.RemoveAll(filepath.Join(f.dir, name)); err != nil {
		f.t.Fatal(err)
	}
}

// merge reads the folder, a minute later, and merges.
func (f *folder) merge() policy.Set {
	f.now = f.now.Add(time.Minute)
	r := policy.Read(f.dir)
	r.AllowRemoval = f.allow
	before := fmt.Sprint(f.set)
	set := policy.Merge(f.set, r, f.now)
	if fmt.Sprint(f.set) != before {
		f.t.Errorf("merge changed what it was given")
	}
	f.set = set
	return f.set
}

// clean merges and wants no problem anywhere.
func (f *folder) clean() {
	f.t.Helper()
	f.merge()
	for _, p := range f.set.Problems {
		f.t.Error(p)
	}
	for name, e := range f.set.Models {
		if e.Problem != "" || !e.Since.IsZero() || e.Model == nil {
			f.t.Errorf("%s: %+v", name, e)
		}
	}
}

// stands wants model name in force with host, and a problem with all of says
// (no problem if there are none).
func (f *folder) stands(name, host string, says ...string) {
	f.t.Helper()
	e, ok := f.set.Models[name]
	if !ok {
		f.t.Fatalf("%s is not in the set", name)
	}
	if got := hostOf(e.Model); got != host {
		f.t.Errorf("%s stands with host %q, want %q", name, got, host)
	}
	if (e.Problem == "") != (len(says) == 0) || (e.Problem == "") != e.Since.IsZero() {
		f.t.Errorf("%s: problem %q since %v, want %q", name, e.Problem, e.Since, says)
	}
	for _, want := range says {
		if !strings.Contains(e.Problem, want) {
			f.t.Errorf("%s: problem %q does not say %q", name, e.Problem, want)
		}
	}
}

func hostOf(m *policy.Model) string {
	if m == nil {
		return ""
	}
	return m.Route.Hosts[0]
}

func model(name, host string) string {
	return fmt.Sprintf(`apiVersion: greenlight/v1
kind: Model
metadata: {name: %s}
spec:
  discovery: {service: %s}
  route: {fleets: [edge], hosts: [%s]}
`, name, name, host)
}

func fleet(name string, port int) string {
	return fmt.Sprintf("apiVersion: greenlight/v1\nkind: Fleet\nmetadata: {name: %s}\nspec: {listener: {port: %d}}\n", name, port)
}

func TestMergeKeepsTheLastGoodPolicyOfABrokenFile(t *testing.T) {
	broken := map[string]string{
		"a rule":          strings.Replace(model("fraud", "b"), "spec:\n", "spec:\n  shift: {steps: [120%]}\n", 1),
		"syntax":          "apiVersion: [",
		"not text":        "\x00\x01",
		"too large":       model("fraud", "b") + strings.Repeat("# padding\n", 1<<17),
		"another version": strings.Replace(model("fraud", "b"), "v1", "v9", 1),
		"no name":         strings.Replace(model("fraud", "b"), "{name: fraud}", "{}", 1),
		"no kind":         strings.Replace(model("fraud", "b"), "kind: Model\n", "", 1),
	}
	for name, text := range broken {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write("fraud.yaml", model("fraud", "a"))
			f.write("other.yaml", model("other", "o"))
			f.clean()
			good := f.set.Models["fraud"].Model

			f.write("fraud.yaml", text)
			f.merge()
			began := f.now
			f.stands("fraud", "a", "fraud.yaml", "the last good policy stands")
			f.stands("other", "o")
			f.merge()
			if e := f.set.Models["fraud"]; e.Model != good || !e.Since.Equal(began) {
				t.Errorf("the last good policy is another one, or stands since %v, want %v", e.Since, began)
			}

			f.write("fraud.yaml", model("fraud", "c"))
			f.clean()
			f.stands("fraud", "c")
		})
	}
}

func TestMergeShowsAModelThatNeverWasGood(t *testing.T) {
	f := newFolder(t)
	f.write("fraud.yaml", strings.Replace(model("fraud", "a"), "  route", "  baake: {}\n  roote", 1))
	f.merge()
	f.stands("fraud", "", "baake", "did you mean bake?", "(and 1 more)")
	f.remove("fraud.yaml")
	f.clean()
	if len(f.set.Models) != 0 {
		t.Errorf("a model that never was good outlives its file: %v", f.set.Models)
	}
}

func TestMergeKeepsPointersOfWhatDidNotChange(t *testing.T) {
	f := newFolder(t)
	f.write("all.yaml", model("fraud", "a")+"---\n"+model("price", "b"))
	f.write("fleet.yaml", fleet("edge", 80))
	f.clean()
	before := f.set
	f.clean()
	if !before.Same(f.set) {
		t.Error("a second look at the same files gives another set")
	}
	f.write("all.yaml", "# moved down\n"+model("fraud", "a")+"---\n"+model("price", "c"))
	f.clean()
	if f.set.Models["fraud"].Model != before.Models["fraud"].Model {
		t.Error("a document that only moved gives a new model")
	}
	if f.set.Models["price"].Model == before.Models["price"].Model {
		t.Error("a changed document gives the old model")
	}
	if f.set.Fleets["edge"].Fleet != before.Fleets["edge"].Fleet || before.Same(f.set) {
		t.Error("fleets or sets are not compared as they should be")
	}
}

func TestMergeKeepsWhatVanished(t *testing.T) {
	f := newFolder(t)
	f.write("fraud.yaml", model("fraud", "a"))
	f.write("two.yaml", model("price", "b")+"---\n"+model("churn", "c"))
	f.write("fleet.yaml", fleet("edge", 80))
	f.clean()
	f.remove("fraud.yaml")
	f.remove("fleet.yaml")
	f.write("two.yaml", model("price", "b"))
	f.merge()
	f.stands("fraud", "a", "fraud.yaml is gone; the last good policy stands; remove models with allowRemoval")
	f.stands("churn", "c", "no longer describes model churn")
	f.stands("price", "b")
	if e := f.set.Fleets["edge"]; e.Fleet == nil || !strings.Contains(e.Problem, "fleet.yaml is gone") {
		t.Errorf("the vanished fleet: %+v", e)
	}
}

// What is wrong in a folder may be of nobody who has a status: a file that never held
// a policy, or a fleet.
func TestMergeSaysThatNotAllOfAFolderIsInForce(t *testing.T) {
	f := newFolder(t)
	f.write("fraud.yaml", model("fraud", "a"))
	f.clean()
	f.write("new.yaml", "a: [")
	f.merge()
	since := f.now
	f.write("fleet.yaml", fleet("edge", 0))
	f.merge()
	f.stands("fraud", "a")
	if o := f.set.Origin; !strings.Contains(o.Problem, "number-range") || !strings.HasSuffix(o.Problem, "(and 1 more)") || !o.Since.Equal(since) {
		t.Errorf("%+v; want both problems since %s", o, since)
	}
	f.remove("new.yaml")
	f.remove("fleet.yaml")
	f.clean()
	if f.set.Origin != (policy.Origin{}) {
		t.Errorf("all is in force, and still %+v", f.set.Origin)
	}
}

func TestMergeRemovesOnlyWhenItMay(t *testing.T) {
	f := newFolder(t)
	f.allow = true
	f.write("fraud.yaml", model("fraud", "a"))
	f.write("price.yaml", model("price", "b"))
	f.clean()
	f.write("price.yaml", "a: [")
	f.remove("fraud.yaml")
	f.merge()
	f.stands("fraud", "a", "removed once the broken files are mended")
	f.stands("price", "b", "yaml-syntax")
	f.write("price.yaml", model("price", "b"))
	f.clean()
	if _, ok := f.set.Models["fraud"]; ok {
		t.Error("the removed model is still in force")
	}
	f.remove("price.yaml")
	f.merge()
	f.stands("price", "b", "no policy file at all")
	f.write("empty.yaml", "# no model\n")
	f.clean()
	if len(f.set.Models) != 0 {
		t.Errorf("models outlive their removal: %v", f.set.Models)
	}
}

func TestMergeFollowsAPolicyToAnotherFile(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("fraud", "a"))
	f.clean()
	f.write("sub/b.yaml", model("fraud", "a"))
	f.merge()
	f.stands("fraud", "a", "sub/b.yaml", "a.yaml:3")
	f.remove("a.yaml")
	f.clean()
	f.stands("fraud", "a")
}

func TestMergeOfDuplicates(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("fraud", "a"))
	f.write("b.yaml", model("fraud", "b"))
	f.write("c.yaml", fleet("edge", 80))
	f.write("d.yaml", fleet("edge", 81))
	f.merge()
	f.stands("fraud", "", "has another document at")
	if e := f.set.Fleets["edge"]; e.Fleet != nil || !strings.Contains(e.Problem, "duplicate-fleet") {
		t.Errorf("two documents for a fleet: %+v", e)
	}
	if n := len(f.set.Problems); n != 4 {
		t.Errorf("%d problems, want one at each place: %v", n, f.set.Problems)
	}
	f.remove("b.yaml")
	f.remove("d.yaml")
	f.clean()
	f.write("b.yaml", model("fraud", "b"))
	f.write("a.yaml", model("fraud", "a2"))
	f.merge()
	f.stands("fraud", "a2", "b.yaml", "a.yaml")
	f.write("a.yaml", "x: [")
	f.merge()
	f.stands("fraud", "b")
}

func TestMergeOfConflicts(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("one", "x"))
	f.write("b.yaml", model("two", "X"))
	f.merge()
	f.stands("one", "", "fleet edge, host x, prefix /", "model two", "b.yaml:6")
	f.stands("two", "", "model one", "a.yaml:6")

	f.write("b.yaml", model("two", "y"))
	f.clean()
	f.write("b.yaml", model("two", "x"))
	f.merge()
	f.stands("one", "x")
	f.stands("two", "y", "route-conflict", "the last good policy stands")
	f.write("c.yaml", model("three", "y"))
	f.merge()
	f.stands("three", "", "model two")
	f.remove("c.yaml")

	f.write("a.yaml", model("one", "y"))
	f.write("b.yaml", model("two", "x"))
	f.clean() // they changed places at once
	f.stands("one", "y")
	f.stands("two", "x")
}

// A policy that is taken back may itself be in the way of others.
func TestMergeOfConflictsThatFollowEachOther(t *testing.T) {
	f := newFolder(t)
	for i := range 5 {
		f.write(fmt.Sprintf("m%d.yaml", i), model(fmt.Sprintf("m%d", i), fmt.Sprintf("h%d", i)))
	}
	f.clean()
	for i := range 4 {
		f.write(fmt.Sprintf("m%d.yaml", i), model(fmt.Sprintf("m%d", i), fmt.Sprintf("h%d", i+1)))
	}
	f.merge()
	for i := range 4 {
		f.stands(fmt.Sprintf("m%d", i), fmt.Sprintf("h%d", i), "route-conflict")
	}
	f.stands("m4", "h4")
}

// A renamed model is a newcomer on the old one's place.
func TestMergeOfARename(t *testing.T) {
	f := newFolder(t)
	f.write("fraud.yaml", model("fraud", "x"))
	f.clean()
	f.write("fraud.yaml", model("fraud2", "x"))
	f.merge()
	f.stands("fraud", "x", "no longer describes model fraud")
	f.stands("fraud2", "", "model fraud")
	f.allow = true
	f.clean()
	f.stands("fraud2", "x")
}

func TestMergeOfAnUnreadableFolderChangesNothing(t *testing.T) {
	f := newFolder(t)
	f.write("fraud.yaml", model("fraud", "a"))
	f.write("fleet.yaml", fleet("edge", 80))
	f.allow = true
	f.clean()
	good := f.set.Models["fraud"].Model
	f.remove(".")
	if err := os.RemoveAll(f.dir); err != nil {
		t.Fatal(err)
	}
	f.merge()
	f.stands("fraud", "a", "read policy folder", "the last good policy stands")
	if f.set.Models["fraud"].Model != good || len(f.set.Problems) != 1 {
		t.Errorf("%+v", f.set)
	}
	if e := f.set.Fleets["edge"]; e.Fleet == nil || e.Problem == "" || e.Since.IsZero() {
		t.Errorf("fleet: %+v", e)
	}
}

// An empty set of policies and an empty folder are no problem at a first start.
func TestMergeOfNothing(t *testing.T) {
	f := newFolder(t)
	f.clean()
	if len(f.set.Models) != 0 || f.set.Models == nil {
		t.Errorf("%+v", f.set)
	}
}

// Two fleets may have the same listener: they are on different machines.
func TestFleetsMayShareAPort(t *testing.T) {
	f := newFolder(t)
	f.write("fleets.yaml", fleet("edge", 80)+"---\n"+fleet("inner", 80))
	f.write("model.yaml", model("edge", "x"))
	f.clean()
	if names := slices.Sorted(maps.Keys(f.set.Fleets)); !slices.Equal(names, []string{"edge", "inner"}) {
		t.Errorf("fleets %v", names)
	}
}
