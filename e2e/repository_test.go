package e2e

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// repository is a git repository of policies, whose work tree is the world's policy
// folder, behind git's own http-backend.
type repository struct {
	w       *world
	bare    string
	address string
	server  *http.Server
}

// newRepository makes one of what the policy folder holds, and serves it.
func newRepository(w *world) *repository {
	w.t.Helper()
	r := &repository{w: w, bare: filepath.Join(w.dir, "git", "policies.git"), address: "127.0.0.1:0"}
	must(w.t, os.MkdirAll(filepath.Dir(r.bare), 0o755))
	must(w.t, os.WriteFile(r.secretFile(), []byte("hooked"), 0o600))
	r.git("init", "--quiet", "--bare", "--initial-branch=main", r.bare)
	r.git("init", "--quiet", "--initial-branch=main", w.policies())
	r.git("remote", "add", "origin", r.bare)
	r.push("the first policies")
	r.serve()
	w.t.Cleanup(r.away)
	return r
}

func (r *repository) secretFile() string { return filepath.Join(r.w.dir, "hook-secret") }

// env tells a server to take its policies from here. It looks by itself only once an
// hour: what is seen before was told by a push hook or by a start.
func (r *repository) env() []string {
	return []string{
		"GREENLIGHT_POLICY_GIT=http://" + r.address + "/policies.git", "GREENLIGHT_POLICY_GIT_REF=main",
		"GREENLIGHT_POLICY_GIT_INTERVAL=1h", "GREENLIGHT_POLICY_GIT_HOOK_SECRET_FILE=" + r.secretFile(),
	}
}

// git runs git in the policy folder, untouched by whatever is configured here.
func (r *repository) git(args ...string) string {
	r.w.t.Helper()
	cmd := exec.CommandContext(r.w.ctx, "git", args...)
	cmd.Dir = r.w.policies()
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.w.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// push commits what the policy folder holds and pushes it; the answer is the commit.
func (r *repository) push(subject string) string {
	r.w.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--message", subject)
	r.git("push", "--quiet", "origin", "main")
	return r.git("rev-parse", "HEAD")
}

// revert takes a commit back and pushes that.
func (r *repository) revert(commit string) string {
	r.w.t.Helper()
	r.git("revert", "--no-edit", commit)
	r.git("push", "--quiet", "origin", "main")
	return r.git("rev-parse", "HEAD")
}

// hook calls the server's push hook.
func (r *repository) hook() {
	r.w.t.Helper()
	q, err := http.NewRequestWithContext(r.w.ctx, http.MethodPost, "http://"+r.w.server.HTTP+"/hooks/git", strings.NewReader(`{"ref": "refs/heads/main"}`))
	must(r.w.t, err)
	q.Header.Set("Authorization", "Bearer hooked")
	q.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(q)
	must(r.w.t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		text, _ := io.ReadAll(resp.Body)
		r.w.t.Fatalf("the hook answers %s: %s", resp.Status, text)
	}
}

// serve makes the repository reachable, at the address that it had.
func (r *repository) serve() {
	r.w.t.Helper()
	var l net.Listener
	var err error
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if l, err = net.Listen("tcp", r.address); err == nil || time.Now().After(end) {
			break
		}
	}
	must(r.w.t, err)
	r.address = l.Addr().String()
	out, err := exec.Command("git", "--exec-path").Output()
	must(r.w.t, err)
	quiet := log.New(io.Discard, "", 0)
	r.server = &http.Server{ErrorLog: quiet, Handler: &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"), Stderr: io.Discard, Logger: quiet,
		Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(r.bare), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"},
	}}
	server := r.server
	go func() { _ = server.Serve(l) }()
}

// away takes the server of the repository down.
func (r *repository) away() { _ = r.server.Close() }
