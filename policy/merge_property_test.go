package policy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
)

// Whatever happens to a folder's files, Merge keeps its word: what was good
// once stands for ever (nothing may be removed here), no two models have the
// same place, and what is in force is what some file said at some time.
func TestMergeKeepsItsWord(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "policies")
		if err != nil {
			r.Fatal(err)
		}
		defer os.RemoveAll(dir)
		set, now := policy.Set{}, time.Unix(1_800_000_000, 0)
		for range rapid.IntRange(1, 8).Draw(r, "readings") {
			for range rapid.IntRange(1, 3).Draw(r, "changes") {
				changeFile(r, dir)
			}
			now = now.Add(time.Second)
			next := policy.Merge(set, policy.Read(dir), now)
			checkStep(r, set, next, now)
			if again := policy.Merge(next, policy.Read(dir), now.Add(time.Hour)); !again.Same(next) {
				r.Fatalf("the same files give another set:\n%+v\n%+v", next, again)
			}
			set = next
		}
	})
}

// changeFile writes, breaks or removes one of a few files, in which a few
// models fight for a few hosts.
func changeFile(r *rapid.T, dir string) {
	path := filepath.Join(dir, rapid.SampledFrom([]string{"a.yaml", "b.yaml", "c.yml"}).Draw(r, "file"))
	text := ""
	for range rapid.IntRange(0, 3).Draw(r, "documents") {
		name := fmt.Sprintf("m%d", rapid.IntRange(0, 3).Draw(r, "model"))
		host := fmt.Sprintf("h%d", rapid.IntRange(0, 2).Draw(r, "host"))
		document := model(name, host)
		switch rapid.IntRange(0, 6).Draw(r, "mistake") {
		case 0:
			document += "  bakee: {}\n"
		case 1:
			document = "a: [\n"
		}
		text += document + "---\n"
	}
	var err error
	if rapid.IntRange(0, 5).Draw(r, "remove") == 0 {
		err = os.RemoveAll(path)
	} else {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		r.Fatal(err)
	}
}

func checkStep(r *rapid.T, before, after policy.Set, now time.Time) {
	places := map[string]string{}
	for name, e := range after.Models {
		if (e.Problem == "") != e.Since.IsZero() || e.Since.After(now) {
			r.Fatalf("%s: problem %q since %v", name, e.Problem, e.Since)
		}
		if e.Model == nil {
			if e.Problem == "" {
				r.Fatalf("%s has neither policy nor problem", name)
			}
			continue
		}
		if e.Model.Name != name {
			r.Fatalf("%s stands under the name %s", e.Model.Name, name)
		}
		for _, host := range e.Model.Route.Hosts {
			if other, taken := places[host]; taken {
				r.Fatalf("%s and %s both have %s", name, other, host)
			}
			places[host] = name
		}
	}
	for name, e := range before.Models {
		if e.Model != nil && after.Models[name].Model == nil {
			r.Fatalf("%s was good and is gone", name)
		}
	}
	if len(after.Problems) == 0 {
		for name, e := range after.Models {
			if e.Problem != "" {
				r.Fatalf("%s has a problem that no file has: %s", name, e.Problem)
			}
		}
	}
}
