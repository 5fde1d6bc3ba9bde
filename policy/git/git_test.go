package git

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greenlight/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds the wait for what should happen soon.
const patience = 30 * time.Second

// author is a bare repository and somebody's clone of it, made with the real git.
type author struct {
	t         *testing.T
	bare, dir string
	some      []string // blobs
}

func newAuthor(t *testing.T) *author {
	t.Helper()
	root := t.TempDir()
	a := &author{t: t, bare: filepath.Join(root, "policies.git"), dir: filepath.Join(root, "clone")}
	a.run(root, "init", "--quiet", "--bare", "--initial-branch=main", a.bare)
	a.run(root, "init", "--quiet", "--initial-branch=main", a.dir)
	a.run(a.bare, "config", "receive.denyDeleteCurrent", "ignore")
	a.git("remote", "add", "origin", a.bare)
	return a
}

func (a *author) run(dir string, args ...string) string {
	a.t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	c.Env = gitEnv()
	out, err := c.CombinedOutput()
	if err != nil {
		a.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// gitEnv keeps the configuration of whoever runs the tests out of them.
func gitEnv() []string {
	return append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ann Smith", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Ann Smith", "GIT_COMMITTER_EMAIL=ann@example.org",
		"GIT_TERMINAL_PROMPT=0", "GNUPGHOME=/nonexistent")
}

func (a *author) git(args ...string) string {
	a.t.Helper()
	return a.run(a.dir, args...)
}

func (a *author) write(name, text string) {
	a.t.Helper()
	writeFile(a.t, filepath.Join(a.dir, name), text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// push commits all that was written and pushes it; it answers with the commit.
func (a *author) push(subject string, args ...string) string {
	a.t.Helper()
	id := a.commit(subject, args...)
	a.git("push", "--quiet", "--force", "origin", "HEAD")
	return id
}

func (a *author) commit(subject string, args ...string) string {
	a.t.Helper()
	a.git("add", "--all")
	a.git(append([]string{"commit", "--quiet", "--allow-empty", "-m", subject}, args...)...)
	return a.git("rev-parse", "HEAD")
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

// watched is a Source under Watch.
type watched struct {
	t      *testing.T
	source *Source
	sets   chan policy.Set
	log    *logged
	stop   func()
}

// options are quick ones for tests.
func (a *author) options() Options {
	return Options{URL: a.bare, Interval: 20 * time.Millisecond, Timeout: patience, Folder: a.t.TempDir()}
}

func watchIt(t *testing.T, o Options, prev policy.Set) *watched {
	t.Helper()
	w := &watched{t: t, sets: make(chan policy.Set, 1000), log: &logged{}}
	o.Log = slog.New(slog.NewTextHandler(w.log, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.source = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Watch(ctx, prev, func(s policy.Set) { w.sets <- s }) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("watch: %v", err)
			}
		case <-time.After(patience):
			t.Error("Watch does not end")
		}
	})
	t.Cleanup(w.stop)
	return w
}

// next waits for a set of which ok is true.
func (w *watched) next(what string, ok func(policy.Set) bool) policy.Set {
	w.t.Helper()
	limit := time.After(patience)
	last := "none"
	for {
		select {
		case s := <-w.sets:
			if ok(s) {
				return s
			}
			last = fmt.Sprintf("%+v, problems %v", s.Origin, s.Problems)
		case <-limit:
			w.t.Fatalf("%s did not come; the last set was %s\n%s", what, last, w.log)
		}
	}
}

// in waits until a commit is in force and nothing is wrong.
func (w *watched) in(id string) policy.Set {
	w.t.Helper()
	return w.next("commit "+id, func(s policy.Set) bool {
		return s.Origin.Commit != nil && s.Origin.Commit.ID == id && s.Origin.Problem == ""
	})
}

// trouble waits until the origin says all of texts.
func (w *watched) trouble(texts ...string) policy.Set {
	w.t.Helper()
	return w.next("trouble "+strings.Join(texts, ", "), func(s policy.Set) bool {
		for _, text := range texts {
			if !strings.Contains(s.Origin.Problem, text) {
				return false
			}
		}
		return true
	})
}

func (w *watched) host(s policy.Set, name string) string {
	w.t.Helper()
	m := s.Models[name].Model
	if m == nil {
		w.t.Fatalf("there is no model %s in %+v", name, s)
	}
	return m.Route.Hosts[0]
}

// silent makes sure that nothing is emitted while the source looks a few times more.
func (w *watched) silent() {
	w.t.Helper()
	for range 3 {
		before := w.source.Fetched()
		eventually(w.t, "another look", func() bool { return w.source.Fetched().After(before) })
	}
	select {
	case s := <-w.sets:
		w.t.Errorf("it said something again: %+v, problems %v", s.Origin, s.Problems)
	default:
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func sorted(all []string) string {
	slices.Sort(all)
	return strings.Join(all, " ")
}
