package policy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"greenlight/policy"
)

func names(r policy.Reading) string {
	var all []string
	for _, m := range r.Models() {
		all = append(all, m.Name)
	}
	return strings.Join(all, " ")
}

func TestReadFindsPolicyFiles(t *testing.T) {
	f := newFolder(t)
	f.write("b.yaml", model("b", "b"))
	f.write("a.yml", model("a", "a"))
	f.write("team/deep/c.yaml", model("c", "c"))
	f.write("notes.txt", model("no", "n"))
	f.write(".hidden/d.yaml", model("no", "n"))
	f.write(".e.yaml", model("no", "n"))
	f.write("empty.yaml", "")
	r := policy.Read(f.dir)
	if got := names(r); got != "a b c" || r.Files != 4 || r.Err != nil || len(r.Problems) > 0 {
		t.Errorf("models %q in %d files, %v %v", got, r.Files, r.Err, r.Problems)
	}
	if got := r.Models()[2].Source.File; got != filepath.Join(f.dir, "team/deep/c.yaml") {
		t.Errorf("the source is %s", got)
	}
}

func TestReadFollowsLinksInsideOnly(t *testing.T) {
	f := newFolder(t)
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret.yaml")
	if err := os.WriteFile(secret, []byte("root:x:0:0"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.write("..data/a.yaml", model("a", "a"))
	f.write("..data/sub/b.yaml", model("b", "b"))
	for link, target := range map[string]string{
		"a.yaml": "..data/a.yaml", "sub": "..data/sub", "again": "sub", "loop": ".",
		"out.yaml": secret, "outside": outside, "gone.yaml": "nowhere", "gone.txt": "nowhere",
		"circle.yaml": "circle.yaml",
	} {
		if err := os.Symlink(target, filepath.Join(f.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	r := policy.Read(f.dir)
	if names(r) != "a b" || r.Err != nil {
		t.Errorf("models %q, %v", names(r), r.Err)
	}
	rules := map[string]string{}
	for _, p := range r.Problems {
		rules[filepath.Base(p.File)] = p.Rule
		if strings.Contains(p.String(), "root:x") {
			t.Errorf("a problem shows what is outside: %s", p)
		}
	}
	want := map[string]string{
		"out.yaml": policy.RuleFileOutside, "outside": policy.RuleFileOutside,
		"gone.yaml": policy.RuleUnreadable, "circle.yaml": policy.RuleUnreadable,
	}
	if fmt.Sprint(rules) != fmt.Sprint(want) {
		t.Errorf("problems %v, want %v", rules, want)
	}
}

// A golden file is not read through a link that leaves the folder.
func TestGoldenFileBehindALink(t *testing.T) {
	f := newFolder(t)
	outside := filepath.Join(t.TempDir(), "cases.jsonl")
	if err := os.WriteFile(outside, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f.write("real.jsonl", "")
	for link, target := range map[string]string{"out.jsonl": outside, "in.jsonl": "real.jsonl", "up": "..", "gone.jsonl": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(f.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]string{
		"in.jsonl":                      "",
		"team/../real.jsonl":            "",
		"out.jsonl":                     policy.RuleFileOutside,
		"up/x.jsonl":                    policy.RuleFileMissing,
		"up/" + filepath.Base(f.dir):    policy.RuleFileMissing,
		"../" + filepath.Base(outside):  policy.RuleFileOutside,
		"gone.jsonl":                    policy.RuleFileMissing,
		"real.jsonl/":                   policy.RuleFileMissing,
		"real.jsonl/x":                  policy.RuleFileMissing,
		strings.Repeat("x", 300):        policy.RuleFileMissing,
		strings.Repeat("d/", 5000) + "": policy.RuleFileMissing,
	}
	for file, rule := range cases {
		text := model("a", "a") + fmt.Sprintf("  validate: [golden: {file: %q}]\n", file)
		models, _, problems := policy.Parse(filepath.Join(f.dir, "a.yaml"), []byte(text), f.dir)
		switch {
		case rule == "" && len(models) != 1:
			t.Errorf("%s: %v", file, problems)
		case rule != "" && (len(problems) != 1 || problems[0].Rule != rule):
			t.Errorf("%s: %v, want %s", file, problems, rule)
		}
	}
}

// Devices and pipes with a policy's name hold nothing up.
func TestReadOfOddFiles(t *testing.T) {
	f := newFolder(t)
	if err := syscall.Mkfifo(filepath.Join(f.dir, "pipe.yaml"), 0o644); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(filepath.Join(f.dir, "folder.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := policy.Read(f.dir)
	if len(r.Problems) != 1 || r.Problems[0].Rule != policy.RuleUnreadable {
		t.Errorf("problems %v", r.Problems)
	}
}

func TestReadRefusesDeepFolders(t *testing.T) {
	f := newFolder(t)
	f.write(strings.Repeat("d/", 40)+"a.yaml", model("a", "a"))
	if r := policy.Read(f.dir); r.Err == nil || !strings.Contains(r.Err.Error(), "deeper than 32") {
		t.Errorf("err %v", r.Err)
	}
}

// A large file is refused before it is read, and the worst small ones in a
// time that a control plane can spare.
func TestHostileFilesAreRefusedFast(t *testing.T) {
	const full = 1 << 18
	fill := func(s string) string { return strings.Repeat(s, full/len(s)) }
	cases := map[string]string{
		"10 MB of YAML": strings.Repeat(model("a", "a")+"---\n", 80_000),
		"brackets":      strings.Repeat("[", 1<<20), "braces": fill("{"), "list entries": fill("- "), "questions": fill("? "),
		"colons": fill("a: "), "lines": fill("a: bcd\n"), "flow": "a: [" + fill("1,") + "]",
		"quotes": fill(`"`), "tags": fill("!a "), "anchors": fill("&a "), "documents": fill("---\n"),
		"small documents": fill("a: b\n---\n"), "wide keys": fill("a") + ": b", "comments": fill("#\n"),
		"blank lines in text": "a: |\n  " + fill("\n"),
		"tabs in quotes":      `a: "` + fill("x\t"),
		"many such texts":     strings.Repeat("a: |\n"+strings.Repeat("\n", 450)+"  x\n---\n", 500),
		"one large document":  "a: |\n" + fill("  x\n"),
		"a bomb":              "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write("a.yaml", text)
			started := time.Now()
			r := policy.Read(f.dir)
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if len(r.Models()) > 0 {
				t.Error("it became a model")
			}
			if name != "documents" && name != "comments" && len(r.Problems) == 0 {
				t.Error("it is no problem")
			}
		})
	}
}

func TestLint(t *testing.T) {
	f := newFolder(t)
	f.write("one/a.yaml", model("a", "x"))
	f.write("one/b.yaml", model("b", "x"))
	f.write("two/a.txt", model("a", "y")+"  bakee: {}\n")
	f.write("empty/readme.md", "")
	at := func(name string) string { return filepath.Join(f.dir, name) }
	cases := []struct {
		paths []string
		rules string
	}{
		{[]string{at("one/a.yaml")}, ""},
		{[]string{at("one")}, "route-conflict route-conflict"},
		{[]string{at("two/a.txt")}, "unknown-key"},
		{[]string{at("one/a.yaml"), at("two/a.txt")}, "duplicate-model duplicate-model unknown-key"},
		{[]string{at("empty")}, "no-policies"},
		{[]string{at("nowhere"), at("one/b.yaml")}, "unreadable"},
		{nil, ""},
	}
	for _, c := range cases {
		var rules []string
		for _, p := range policy.Lint(c.paths) {
			rules = append(rules, p.Rule)
		}
		if got := strings.Join(rules, " "); got != c.rules {
			t.Errorf("lint %v: %q, want %q", c.paths, got, c.rules)
		}
	}
}

func BenchmarkRead1000(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		name := fmt.Sprintf("model-%d", i)
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(model(name, name)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	set := policy.Set{}
	for b.Loop() {
		r := policy.Read(dir)
		set = policy.Merge(set, r, time.Time{})
		if len(set.Models) != 1000 || len(set.Problems) > 0 {
			b.Fatal(set.Problems)
		}
	}
}

// A path that is named twice is read twice, and what is wrong there is told once.
func TestLintOfOnePathTwice(t *testing.T) {
	f := newFolder(t)
	f.write("a.yaml", model("a", "x")+"  bakee: {}\n")
	at := filepath.Join(f.dir, "a.yaml")
	for _, p := range policy.Lint([]string{at, at}) {
		if p.Rule == "" {
			t.Errorf("an empty problem: %+v", p)
		}
	}
}
