package git

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

// The process that TestKilledInTheMiddleOfACheckout kills is this test binary.
const killedFolder, killedURL = "GREENLIGHT_TEST_FOLDER", "GREENLIGHT_TEST_URL"

const manyFiles = 2000

func TestToBeKilled(t *testing.T) {
	folder := os.Getenv(killedFolder)
	if folder == "" {
		return // it is nobody's child
	}
	s, err := New(Options{URL: os.Getenv(killedURL), Folder: folder, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Watch(ctx, policy.Set{}, func(policy.Set) {}); err != nil {
		t.Fatal(err)
	}
}

func TestKilledInTheMiddleOfACheckout(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "a.example"))
	first := a.push("Begin")
	o := a.options()
	w := watchIt(t, o, policy.Set{})
	w.in(first)
	w.stop()

	var cases []entry
	for i := range manyFiles {
		cases = append(cases, entry{"100644", fmt.Sprintf("%05d.jsonl", i), a.blobs()[0]})
	}
	changed := a.object("blob", []byte(model("a", "new.example")))
	second := a.head(a.tree(entry{"40000", "cases", a.tree(cases...)}, entry{"100644", "z.yaml", changed}))
	c := exec.Command(os.Args[0], "-test.run=^TestToBeKilled$")
	c.Env = append(gitEnv(), killedFolder+"="+o.Folder, killedURL+"="+a.bare)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	half := func(pattern string) bool {
		found, err := filepath.Glob(filepath.Join(o.Folder, pattern))
		return err == nil && len(found) > 0
	}
	eventually(t, "half a checkout", func() bool { return half(unfinished + "checkout-*/cases/00001.jsonl") })
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if found, err := os.ReadDir(filepath.Join(o.Folder, second, "cases")); err == nil && len(found) != manyFiles {
		t.Errorf("half a checkout with %d files passes for a whole one", len(found))
	}
	began, err := os.Readlink(filepath.Join(o.Folder, current)) // the second if it was quicker than the signal
	if err != nil || began != first && began != second {
		t.Fatalf("in force is %q, %v", began, err)
	}

	w = watchIt(t, o, policy.Set{})
	if set := <-w.sets; set.Origin.Commit.ID != began {
		t.Errorf("first set: %+v", set)
	} else if began != second {
		w.in(second)
	}
	if found, err := os.ReadDir(filepath.Join(o.Folder, second, "cases")); err != nil || len(found) != manyFiles {
		t.Errorf("the checkout has %d files, %v", len(found), err)
	}
	eventually(t, "nothing half done is left", func() bool { return names(t, o.Folder) == listing(first, second, "current", "previous") })
}

// What the disk says of a commit is believed only where it is whole.
func TestADiskThatLies(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "a.example"))
	id := a.push("Begin")
	for name, spoil := range map[string]func(folder string) error{
		"no record":     func(f string) error { return os.Remove(filepath.Join(f, id+".json")) },
		"broken record": func(f string) error { return os.WriteFile(filepath.Join(f, id+".json"), []byte("{"), 0o600) },
		"no checkout":   func(f string) error { return os.RemoveAll(filepath.Join(f, id)) },
		"link elsewhere": func(f string) error {
			os.Remove(filepath.Join(f, current))
			return os.Symlink("/etc", filepath.Join(f, current))
		},
		"another commit": func(f string) error {
			record, err := os.ReadFile(filepath.Join(f, id+".json"))
			if err != nil {
				return err
			}
			other := strings.Repeat("a", 40)
			os.Remove(filepath.Join(f, current))
			os.Rename(filepath.Join(f, id), filepath.Join(f, other))
			os.Symlink(other, filepath.Join(f, current))
			return os.WriteFile(filepath.Join(f, other+".json"), []byte(strings.ReplaceAll(string(record), id, other)), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := a.options()
			w := watchIt(t, o, policy.Set{})
			w.in(id)
			w.stop()
			if err := spoil(o.Folder); err != nil {
				t.Fatal(err)
			}
			w = watchIt(t, o, policy.Set{})
			w.host(w.in(id), "a")
			if text(t, filepath.Join(o.Folder, current, "a.yaml")) != strings.TrimSpace(model("a", "a.example")) {
				t.Error("it is not mended")
			}
		})
	}
}

// A folder that was used for another source does not bring its commit into force.
func TestAnotherSourceInTheSameFolder(t *testing.T) {
	a, b := newAuthor(t), newAuthor(t)
	a.write("x/a.yaml", model("a", "a.example"))
	a.write("y/b.yaml", model("b", "b.example"))
	b.write("c.yaml", model("c", "c.example"))
	o := a.options()
	o.Path = "x"
	w := watchIt(t, o, policy.Set{})
	first := a.push("Begin")
	w.in(first)
	w.stop()
	o.Path = "y" // of the same commit
	w = watchIt(t, o, policy.Set{})
	if set := w.in(first); len(set.Models) != 1 || w.host(set, "b") != "b.example" {
		t.Errorf("%+v", set.Models)
	}
	w.stop()
	o.URL, o.Path = b.bare, ""
	w = watchIt(t, o, policy.Set{})
	if set := w.in(b.push("Begin")); len(set.Models) != 1 || w.host(set, "c") != "c.example" {
		t.Errorf("%+v", set.Models)
	}
}
