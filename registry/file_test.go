package registry

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"greenlight/rollout"
)

// services writes a definition file's text with so many instances of each color.
func services(blue, green int) string {
	var list []string
	for color, n := range map[string]int{"blue": blue, "green": green} {
		for i := range n {
			list = append(list, fmt.Sprintf(
				`{"id": "%s-%d", "name": "fraud", "address": "127.0.0.1", "port": %d, "meta": {"color": %q}}`, color, i, 9000+i, color))
		}
	}
	return `{"services": [` + strings.Join(list, ",") + `]}`
}

// watchFile watches path until the test ends.
func watchFile(t testing.TB, path string) *seen {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, done := newSeen(), make(chan struct{})
	f := NewFile(path, quiet())
	f.Settle = 300 * time.Millisecond
	go func() {
		defer close(done)
		f.Watch(ctx, "fraud", byMeta, nil, out.emit)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return out
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replace renames a new file over path, as one should.
func replace(t testing.TB, path, text string) {
	t.Helper()
	write(t, path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestFileFollowsChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.json")
	write(t, path, services(2, 0))
	out := watchFile(t, path)
	out.until(t, "the first set", has(2, 0))
	replace(t, path, services(2, 2))
	out.until(t, "a renamed file", has(2, 2))
	write(t, path, services(3, 2))
	out.until(t, "a file written in place", has(3, 2))
	for _, set := range out.all() {
		if set.Problem != "" {
			t.Errorf("writing in place was a problem: %q", set.Problem)
		}
	}
}

func TestFileBrokenLeavesTheLastGood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.json")
	write(t, path, services(2, 1))
	out := watchFile(t, path)
	out.until(t, "the first set", has(2, 1))
	write(t, path, `{"services": [`)
	set := out.until(t, "the problem", stands(2, 1))
	if !strings.HasPrefix(set.Problem, "file: "+path+":1:15: ") {
		t.Errorf("problem %q", set.Problem)
	}
	replace(t, path, services(0, 1))
	out.until(t, "the repaired file", has(0, 1))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	set = out.until(t, "the missing file", stands(0, 1))
	if !strings.Contains(set.Problem, "no such file") {
		t.Errorf("problem %q", set.Problem)
	}
	write(t, path, `{"services": []}`)
	set = out.until(t, "the emptied file", func(s rollout.EndpointSet) bool { return strings.Contains(s.Problem, "no ready instance") })
	if !stands(0, 1)(set) {
		t.Errorf("emitted %+v", set)
	}
}

func TestFileThatComesLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.json")
	out := watchFile(t, path)
	write(t, path, services(1, 1))
	out.until(t, "the file", has(1, 1))
	if out.count() != 1 {
		t.Errorf("emitted before there was anything: %+v", out.all())
	}
}

func TestFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "registry.d")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(folder, name) }
	write(t, in("blue.json"), services(2, 0))
	write(t, in("notes.txt"), "not a definition")
	write(t, in(".green.json.swp"), "{")
	write(t, in(".hidden.json"), "{")
	if err := os.Mkdir(in("old.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := watchFile(t, folder)
	out.until(t, "one file", has(2, 0))
	replace(t, in("green.json"), services(0, 2))
	out.until(t, "both files", has(2, 2))
	write(t, in("more.json"), services(0, 1))
	set := out.until(t, "ids that clash", stands(2, 2))
	if !strings.Contains(set.Problem, `service id "green-0" is taken by the service at `+in("green.json")) {
		t.Errorf("problem %q", set.Problem)
	}
	os.Remove(in("more.json"))
	os.Remove(in("green.json"))
	out.until(t, "one file again", has(2, 0))
}

// A folder that Kubernetes mounts is swapped by one rename of a symbolic link.
func TestFolderSwappedByLink(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"..1": services(1, 1), "..2": services(2, 2)} {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, name, "registry.json"), text)
	}
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..1", "..data")
	link("..data/registry.json", "registry.json")
	out := watchFile(t, filepath.Join(root, "registry.json"))
	out.until(t, "the first set", has(1, 1))
	link("..2", "..data_tmp")
	if err := os.Rename(filepath.Join(root, "..data_tmp"), filepath.Join(root, "..data")); err != nil {
		t.Fatal(err)
	}
	out.until(t, "the swapped set", has(2, 2))
}

func TestFileSharedByWatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.json")
	write(t, path, services(1, 0))
	f := NewFile(path, quiet())
	ctx, cancel := context.WithCancel(context.Background())
	var outs []*seen
	done := make(chan struct{})
	for range 20 {
		out := newSeen()
		outs = append(outs, out)
		go func() {
			f.Watch(ctx, "fraud", byMeta, nil, out.emit)
			done <- struct{}{}
		}()
	}
	for _, out := range outs {
		out.until(t, "the set", has(1, 0))
	}
	cancel()
	for range outs {
		<-done
	}
	if len(f.source.hub.feeds) != 0 {
		t.Error("feeds are left")
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.json")
	if err := os.WriteFile(big, make([]byte, maxBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		big:                          "larger than 16 MiB",
		pipe:                         "is not a regular file",
		filepath.Join(dir, "absent"): "no such file",
	} {
		if _, err := NewFile(path, nil).load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

// A file that is broken only for a moment is being written.
func TestReadingHasPatience(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.json")
	var got []answer
	r := reading{file: NewFile(path, quiet()), publish: func(a answer) { got = append(got, a) }}
	check := func(ms int, wantWait time.Duration, wantAnswers int) {
		t.Helper()
		wait := r.refresh(epoch.Add(time.Duration(ms) * time.Millisecond))
		if wait != wantWait || len(got) != wantAnswers {
			t.Fatalf("at %d ms: wait %s and %d answers, want %s and %d", ms, wait, len(got), wantWait, wantAnswers)
		}
	}
	check(0, 0, 1) // no file at the start: said at once
	check(1, 0, 1) // and once
	write(t, path, services(1, 0))
	check(2, 0, 2)
	check(3, 0, 2) // nothing changed
	write(t, path, "{")
	check(4, grace, 2)
	check(54, grace/2, 2)
	write(t, path, services(1, 0))
	check(60, 0, 3) // it was being written
	write(t, path, "{")
	check(70, grace, 3)
	check(170, 0, 4)
	check(500, 0, 4)
	if got[3].err == nil || !strings.Contains(got[3].err.Error(), path+":1:2: ") {
		t.Errorf("published %+v", got[3])
	}
}

func BenchmarkFileChangeToEmit(b *testing.B) {
	path := filepath.Join(b.TempDir(), "registry.json")
	write(b, path, services(1, 1))
	out := watchFile(b, path)
	out.until(b, "the first set", has(1, 1))
	n := 1
	for b.Loop() {
		n = 3 - n
		replace(b, path, services(n, 1))
		out.until(b, "the change", has(n, 1))
	}
}
