package git

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

// object writes any object into the bare repository, however broken.
func (a *author) object(kind string, content []byte) string {
	a.t.Helper()
	c := exec.Command("git", "hash-object", "-t", kind, "--literally", "-w", "--stdin")
	c.Dir, c.Env, c.Stdin = a.bare, gitEnv(), bytes.NewReader(content)
	out, err := c.Output()
	if err != nil {
		a.t.Fatalf("git hash-object: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// entry is one of a tree that git itself would not write.
type entry struct{ mode, name, id string }

func (a *author) tree(entries ...entry) string {
	a.t.Helper()
	var b bytes.Buffer
	for _, e := range entries {
		id, err := hex.DecodeString(e.id)
		if err != nil {
			a.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\x00%s", e.mode, e.name, id)
	}
	return a.object("tree", b.Bytes())
}

// head makes a tree the content of main.
func (a *author) head(tree string) string {
	a.t.Helper()
	id := a.run(a.bare, "commit-tree", tree, "-m", "A tree")
	a.run(a.bare, "update-ref", "refs/heads/main", id)
	return id
}

func TestTreesThatAreRefused(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "a.example"))
	first := a.push("Begin")
	good := a.object("blob", []byte(model("a", "hostile.example")))
	link := a.object("blob", []byte("/etc"))
	inner := a.tree(entry{"100644", "passwd", good})
	deep := inner
	for range maxDepth + 2 {
		deep = a.tree(entry{"40000", "d", deep})
	}
	// A few objects that are thousands of files and millions of folders.
	bomb := a.tree(entry{"100644", "a", good})
	for range 7 {
		var ten []entry
		for i := range 10 {
			ten = append(ten, entry{"40000", fmt.Sprint(i), bomb})
		}
		bomb = a.tree(ten...)
	}
	o := a.options()
	o.MaxFiles, o.MaxBytes = 2000, 4<<20
	w := watchIt(t, o, policy.Set{})
	w.in(first)
	for says, tree := range map[string]string{
		`"A.yaml" and "a.yaml" are one file on some disks`: a.tree(entry{"100644", "A.yaml", good}, entry{"100644", "a.yaml", good}),
		`are one file on some disks; rename one`:           a.tree(entry{"100644", "\u00e9.yaml", good}, entry{"100644", "e\u0301.yaml", good}),
		`"a" and "a" are one file`:                         a.tree(entry{"120000", "a", link}, entry{"40000", "a", inner}),
		`".." in folder / is no name`:                      a.tree(entry{"40000", "..", inner}),
		`"../x.yaml" in folder / has a slash`:              a.tree(entry{"100644", "../x.yaml", good}),
		`".GIT" in folder / is git's own`:                  a.tree(entry{"40000", ".GIT", inner}),
		`"passwd\\x" in folder / has a slash`:              a.tree(entry{"100644", `passwd\x`, good}),
		`is nested deeper than 64 folders`:                 deep,
		`holds more than 2000 files`:                       bomb,
		`holds more than 4 MiB`:                            a.tree(entry{"100644", "zeros", a.object("blob", make([]byte, 5<<20))}),
		`link l leads to no name`:                          a.tree(entry{"120000", "l", a.object("blob", nil)}),
		`link l is longer than`:                            a.tree(entry{"120000", "l", a.object("blob", make([]byte, maxLink+1))}),
	} {
		id := a.head(tree)
		if set := w.trouble(says, "commit "+id[:10]+" is not taken"); set.Origin.Commit.ID != first || w.host(set, "a") != "a.example" {
			t.Errorf("%s: %+v", says, set)
		}
	}
	if got := names(t, o.Folder); got != listing(first, "current") {
		t.Errorf("the folder holds %s", got)
	}
	w.stop()
	// The name is fine where nobody needs the folder.
	o.Path = "sub"
	id := a.head(a.tree(entry{"40000", "SUB", inner}, entry{"40000", "sub", a.tree(entry{"100644", "a.yaml", good})}))
	watchIt(t, o, policy.Set{}).in(id)
}

func TestLinks(t *testing.T) {
	a := newAuthor(t)
	a.write("policies/data/a.yaml", model("a", "a.example"))
	secret := filepath.Join(t.TempDir(), "secret.yaml")
	writeFile(t, secret, model("stolen", "stolen.example"))
	symlink := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(a.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	symlink("data/a.yaml", "policies/link.txt")
	symlink("../outside.txt", "policies/dangling.txt")
	first := a.push("Links inside")
	o := a.options()
	o.Path = "policies"
	w := watchIt(t, o, policy.Set{})
	w.in(first)
	for _, target := range []string{secret, filepath.Dir(secret), "../../../../../../../../" + secret} {
		symlink(target, "policies/b.yaml")
		id := a.push("A link out")
		if set := w.trouble("commit "+id[:10]+" is not taken", "[file-outside]"); set.Origin.Commit.ID != first || set.Models["stolen"].Model != nil {
			t.Errorf("%+v", set)
		}
		a.git("rm", "--quiet", "policies/b.yaml")
		w.in(a.push("No link out"))
		first = a.git("rev-parse", "HEAD")
	}
	if content := text(t, secret); content != strings.TrimSpace(model("stolen", "stolen.example")) {
		t.Errorf("a file outside was written to: %s", content)
	}
}

func TestSubmodulesAreLeftOut(t *testing.T) {
	a := newAuthor(t)
	a.write("policies/a.yaml", model("a", "a.example"))
	a.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",policies/sub")
	a.git("add", "policies/a.yaml")
	a.git("commit", "--quiet", "-m", "A submodule")
	a.git("push", "--quiet", "origin", "HEAD")
	o := a.options()
	o.Path = "policies"
	w := watchIt(t, o, policy.Set{})
	if set := w.in(a.git("rev-parse", "HEAD")); len(set.Problems) > 0 {
		t.Errorf("%v", set.Problems)
	}
	if log := w.log.String(); !strings.Contains(log, "submodules are not fetched") || !strings.Contains(log, "policies/sub") {
		t.Errorf("log:\n%s", log)
	}
}

func TestLFSPointers(t *testing.T) {
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	a := newAuthor(t)
	a.write("a.yaml", model("a", "a.example"))
	a.write("unused.bin", pointer)
	a.write("cases.jsonl", pointer)
	o := a.options()
	w := watchIt(t, o, policy.Set{})
	w.in(a.push("A pointer that no policy names"))
	a.write("a.yaml", model("a", "a.example")+"  validate: [golden: {file: cases.jsonl}]\n")
	a.push("One that a policy names")
	w.trouble("a.yaml:7:29", "cases.jsonl is a Git LFS pointer", "git lfs migrate export")
	a.write("cases.jsonl", "{}")
	w.in(a.push("The file itself"))
	a.write("b.yaml", pointer)
	a.push("A policy that is a pointer")
	w.trouble("b.yaml: the file is a Git LFS pointer")
}

func TestTextsOfOtherEditors(t *testing.T) {
	a := newAuthor(t)
	a.write("bom.yaml", "\uFEFF"+model("bom", "bom.example"))
	a.write("crlf.yaml", strings.ReplaceAll(model("crlf", "crlf.example"), "\n", "\r\n"))
	a.git("config", "core.autocrlf", "false")
	w := watchIt(t, a.options(), policy.Set{})
	if set := w.in(a.push("Begin")); w.host(set, "bom") != "bom.example" || w.host(set, "crlf") != "crlf.example" {
		t.Errorf("%+v", set)
	}
}

func TestAnAliasBombIsRefusedQuickly(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "a.example"))
	w := watchIt(t, a.options(), policy.Set{})
	w.in(a.push("Begin"))
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	a.write("bomb.yaml", bomb)
	begin := time.Now()
	a.push("A bomb")
	w.trouble("bomb.yaml:1:", "[no-aliases]")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// Of a large repository only the folder of the policies gets onto the disk.
func TestALargeRepository(t *testing.T) {
	a := newAuthor(t)
	var everything []entry
	for i := range 100 {
		var files []entry
		for j := range 100 {
			files = append(files, entry{"100644", fmt.Sprintf("f%02d", j), ""})
		}
		for j := range files {
			files[j].id = a.blobs()[(i+j)%len(a.blobs())]
		}
		everything = append(everything, entry{"40000", fmt.Sprintf("d%02d", i), a.tree(files...)})
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 3*largeObject/16)
	policies := a.tree(
		entry{"100644", "a.yaml", a.object("blob", []byte(model("a", "a.example")))},
		entry{"100755", "cases.jsonl", a.object("blob", large)},
	)
	everything = append(everything, entry{"40000", "policies", policies})
	id := a.head(a.tree(everything...))
	o := a.options()
	o.Path, o.MaxFiles = "policies", 10
	w := watchIt(t, o, policy.Set{})
	w.in(id)
	if content, err := os.ReadFile(filepath.Join(o.Folder, id, "policies", "cases.jsonl")); err != nil || !bytes.Equal(content, large) {
		t.Errorf("a large file has %d bytes, %v", len(content), err)
	}
	entries, err := os.ReadDir(filepath.Join(o.Folder, id))
	if err != nil || len(entries) != 1 {
		t.Errorf("the checkout holds %v, %v", entries, err)
	}
}

// blobs are a few files that trees may be made of.
func (a *author) blobs() []string {
	if len(a.some) == 0 {
		for i := range 10 {
			a.some = append(a.some, a.object("blob", []byte(strings.Repeat("x", i+1))))
		}
	}
	return a.some
}
