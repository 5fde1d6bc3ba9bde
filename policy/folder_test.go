package policy

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds the wait for what should happen soon.
const patience = 20 * time.Second

const churn = `apiVersion: greenlight/v1
kind: Model
metadata: {name: churn}
spec:
  discovery: {service: churn}
  route: {fleets: [edge], hosts: [HOST]}
`

// watched is a real folder under Watch.
type watched struct {
	t    *testing.T
	dir  string
	sets chan Set
}

// watch starts on dir. Without events (poll only) the poll is quick; with them
// it is so slow that only events explain what is seen.
func watch(t *testing.T, dir string, prev Set, poll time.Duration) *watched {
	t.Helper()
	f := NewFolder(dir, false, slog.New(slog.NewTextHandler(io.Discard, nil)))
	f.quiet, f.poll = 20*time.Millisecond, poll
	return watchFolder(t, f, prev)
}

func watchFolder(t *testing.T, f *Folder, prev Set) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watched{t: t, dir: f.dir, sets: make(chan Set, 1000)}
	done := make(chan error, 1)
	go func() { done <- f.Watch(ctx, prev, func(s Set) { w.sets <- s }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("watch: %v", err)
		}
	})
	return w
}

// next waits for a set of which ok is true.
func (w *watched) next(what string, ok func(Set) bool) Set {
	w.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case s := <-w.sets:
			if ok(s) {
				return s
			}
		case <-limit:
			w.t.Fatalf("%s did not come", what)
		}
	}
}

func (w *watched) host(host string) Set {
	w.t.Helper()
	return w.next("host "+host, func(s Set) bool {
		m := s.Models["churn"].Model
		return m != nil && m.Route.Hosts[0] == host && len(s.Problems) == 0
	})
}

func write(t *testing.T, path, host string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(churn, "HOST", host, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestWatchSeesEveryWayToWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "churn.yaml")
	write(t, path, "a")
	w := watch(t, dir, Set{}, time.Hour)
	w.host("a")

	write(t, path, "b") // in place
	w.host("b")

	write(t, filepath.Join(dir, ".churn.swp"), "c") // beside, then renamed over
	must(t, os.Rename(filepath.Join(dir, ".churn.swp"), path))
	w.host("c")

	must(t, os.Remove(path)) // removed, then new
	w.next("the loss", func(s Set) bool { return s.Models["churn"].Problem != "" && s.Models["churn"].Model != nil })
	write(t, path, "d")
	w.host("d")

	must(t, os.Remove(path)) // in a folder that is new
	write(t, filepath.Join(dir, "team", "risk", "churn.yml"), "e")
	w.host("e")
	write(t, filepath.Join(dir, "team", "risk", "churn.yml"), "f")
	w.host("f")

	must(t, os.Rename(filepath.Join(dir, "team"), filepath.Join(dir, "other"))) // in a renamed folder
	write(t, filepath.Join(dir, "other", "risk", "churn.yml"), "g")
	w.host("g")

	must(t, os.WriteFile(filepath.Join(dir, "other", "risk", "churn.yml"), []byte("spec: ["), 0o644))
	broken := w.next("the problem", func(s Set) bool { return len(s.Problems) > 0 })
	if e := broken.Models["churn"]; e.Model == nil || e.Model.Route.Hosts[0] != "g" || e.Since.IsZero() {
		t.Errorf("the last good policy does not stand: %+v", e)
	}
}

// A Kubernetes volume swaps all its files at once by one link.
func TestWatchSeesAVolumeSwap(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "..one", "churn.yaml"), "a")
	write(t, filepath.Join(dir, "..one", "sub", "x.txt"), "")
	must(t,
		os.Symlink("..one", filepath.Join(dir, "..data")),
		os.Symlink("..data/churn.yaml", filepath.Join(dir, "churn.yaml")),
		os.Symlink("..data/sub", filepath.Join(dir, "sub")))
	w := watch(t, dir, Set{}, time.Hour)
	w.host("a")

	write(t, filepath.Join(dir, "..two", "churn.yaml"), "b")
	must(t,
		os.Symlink("..two", filepath.Join(dir, "..data_tmp")),
		os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	w.host("b")
}

// The policy folder itself may be a link that is pointed elsewhere.
func TestWatchSeesTheFolderSwapped(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, "v1", "churn.yaml"), "a")
	write(t, filepath.Join(base, "v2", "churn.yaml"), "b")
	current := filepath.Join(base, "current")
	must(t, os.Symlink("v1", current))
	w := watch(t, current, Set{}, time.Hour)
	w.host("a")
	must(t, os.Symlink("v2", current+".new"), os.Rename(current+".new", current))
	w.host("b")
	write(t, filepath.Join(base, "v2", "churn.yaml"), "c")
	w.host("c")
}

// The slow poll finds what no event told: here a folder that comes only later.
func TestWatchPolls(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	last := &Model{Name: "churn", Route: Route{Hosts: []string{"old"}, Fleets: []string{"edge"}}, Source: Source{File: filepath.Join(dir, "churn.yaml")}}
	w := watch(t, dir, Set{Models: map[string]Entry{"churn": {Model: last}}}, 20*time.Millisecond)
	first := w.next("the first set", func(Set) bool { return true })
	if e := first.Models["churn"]; e.Model != last || !strings.Contains(e.Problem, "no such file") {
		t.Errorf("without a folder: %+v", e)
	}
	write(t, filepath.Join(dir, "churn.yaml"), "a")
	w.host("a")
	must(t, os.RemoveAll(dir))
	w.next("the loss of the folder", func(s Set) bool { return s.Models["churn"].Problem != "" })
	write(t, filepath.Join(dir, "churn.yaml"), "b")
	w.host("b")
}

// A file that is no policy, or a change that changes nothing, is not worth a set.
func TestWatchIsQuietAboutNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "churn.yaml"), "a")
	w := watch(t, dir, Set{}, time.Hour)
	first := w.host("a")
	must(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("x"), 0o644))
	write(t, filepath.Join(dir, "churn.yaml"), "a")
	write(t, filepath.Join(dir, ".hidden", "churn.yaml"), "z")
	write(t, filepath.Join(dir, "marker.yaml"), "m") // a duplicate: the next set
	next := <-w.sets
	if len(next.Problems) == 0 || next.Models["churn"].Model != first.Models["churn"].Model {
		t.Errorf("a set came without need: %+v", next)
	}
}

// Who writes slowly empties a file before it is filled: even where removal is allowed,
// nothing is removed before the folder has settled.
func TestWatchRemovesOnlyFromASettledFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "churn.yaml")
	write(t, path, "a")
	f := NewFolder(dir, true, slog.New(slog.DiscardHandler))
	f.quiet, f.poll, f.remove = 20*time.Millisecond, time.Hour, time.Hour
	w := watchFolder(t, f, Set{})
	w.host("a")

	must(t, os.WriteFile(path, nil, 0o644))
	half := w.next("the emptied file", func(s Set) bool { return len(s.Problems) > 0 })
	if e := half.Models["churn"]; e.Model == nil || !strings.Contains(e.Problem, "removed once nothing has changed") {
		t.Errorf("half written: %+v", e)
	}
	write(t, path, "b")
	w.host("b")
}

func TestWatchRemovesWhatStaysAway(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "churn.yaml")
	write(t, path, "a")
	must(t, os.WriteFile(filepath.Join(dir, "none.yaml"), nil, 0o644))
	f := NewFolder(dir, true, slog.New(slog.DiscardHandler))
	f.quiet, f.poll, f.remove = 20*time.Millisecond, time.Hour, 50*time.Millisecond
	w := watchFolder(t, f, Set{})
	w.host("a")
	must(t, os.Remove(path))
	w.next("the removal", func(s Set) bool { return len(s.Models) == 0 && len(s.Problems) == 0 })
}
