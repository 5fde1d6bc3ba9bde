package serve_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"greenlight/cmd/greenlight/serve"
)

// gitIn runs the real git, without the configuration of whoever runs the tests.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// running is a server in this process.
type running struct {
	t    *testing.T
	http string
	stop func()
}

func run(t *testing.T, config serve.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listening, done := make(chan serve.Addresses, 1), make(chan error, 1)
	go func() {
		done <- serve.Run(ctx, config, serve.Options{Listening: func(a serve.Addresses) { listening <- a }})
	}()
	r := &running{t: t}
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		r.stop = func() {}
	}
	t.Cleanup(func() { r.stop() })
	select {
	case a := <-listening:
		r.http = "http://" + a.HTTP
	case err := <-done:
		done <- nil
		t.Fatalf("it ended: %v", err)
	}
	return r
}

// shows waits until /metrics has all of lines, and answers with it.
func (r *running) shows(lines ...string) string {
	r.t.Helper()
	missing := func(body string) bool {
		return slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(body, line) })
	}
	body := r.page()
	for limit := time.Now().Add(30 * time.Second); missing(body); body = r.page() {
		if time.Now().After(limit) {
			r.t.Fatalf("/metrics does not show %q:\n%s", lines, body)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return body
}

// page is what /metrics says now.
func (r *running) page() string {
	r.t.Helper()
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(r.http + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(content)
}

func TestServesThePoliciesOfARepository(t *testing.T) {
	dir := t.TempDir()
	bare, clone := filepath.Join(dir, "policies.git"), filepath.Join(dir, "clone")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	push := func(host string) string {
		t.Helper()
		write(filepath.Join(clone, "policies", "fraud.yaml"), `apiVersion: greenlight/v1
kind: Model
metadata: {name: fraud}
spec:
  discovery: {service: fraud}
  route: {fleets: [edge], hosts: [`+host+`]}
`)
		gitIn(t, clone, "add", "--all")
		gitIn(t, clone, "commit", "--quiet", "-m", "fraud goes to "+host)
		gitIn(t, clone, "push", "--quiet", "origin", "HEAD")
		return gitIn(t, clone, "rev-parse", "HEAD")
	}
	gitIn(t, dir, "init", "--quiet", "--bare", "--initial-branch=main", bare)
	gitIn(t, dir, "init", "--quiet", "--initial-branch=main", clone)
	gitIn(t, clone, "remote", "add", "origin", bare)
	first := push("one.example")
	write(filepath.Join(dir, "instances.json"), `{"services": []}`)
	write(filepath.Join(dir, "secret"), "s3cret\n")
	config := serve.Defaults()
	config.Policies, config.PolicyGit, config.PolicyGitPath = "", "file://"+bare, "policies"
	config.PolicyGitInterval, config.PolicyGitHookSecretFile = time.Hour, filepath.Join(dir, "secret")
	config.Data, config.Registry = filepath.Join(dir, "data"), "file:"+filepath.Join(dir, "instances.json")
	config.XDS, config.Admin, config.HTTP = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"

	r := run(t, config)
	r.shows(`greenlight_policy_commit_info{commit="`+first+`",ref="main"} 1`, "greenlight_policy_problem 0", "greenlight_policy_fetch_time_seconds ",
		`greenlight_model_problem{model="fraud",of="policy"} 0`)

	// A push is told by its hook, and taken at once.
	second := push("two.example")
	payload, err := json.Marshal(map[string]string{"ref": "refs/heads/main"})
	if err != nil {
		t.Fatal(err)
	}
	call := func(secret string) int {
		t.Helper()
		request, err := http.NewRequest(http.MethodPost, r.http+"/hooks/git", strings.NewReader(string(payload)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+secret)
		answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if code := call("wrong"); code != http.StatusForbidden {
		t.Errorf("a wrong secret: %d", code)
	}
	if code := call("s3cret"); code != http.StatusAccepted {
		t.Errorf("the right secret: %d", code)
	}
	r.shows(`greenlight_policy_commit_info{commit="`+second+`",ref="main"} 1`, "greenlight_policy_problem 0")
	r.stop()

	// A start without the repository has what was in force.
	if err := os.Rename(bare, bare+".away"); err != nil {
		t.Fatal(err)
	}
	r = run(t, config)
	r.shows(`greenlight_policy_commit_info{commit="`+second+`",ref="main"} 1`, "greenlight_policy_problem 1", "greenlight_policy_problem_start_time_seconds ",
		`greenlight_model_problem{model="fraud",of="policy"} 0`)
}

// Without the repository and without anything kept, nobody knows which models there
// are: Envoys are told nothing, instead of that there are none.
func TestNothingIsSentWhileNoPolicyIsKnown(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "instances.json"), []byte(`{"services": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	config := serve.Defaults()
	config.PolicyGit, config.PolicyGitInterval = filepath.Join(dir, "policies.git"), 20*time.Millisecond
	config.Data, config.Registry = filepath.Join(dir, "data"), "file:"+filepath.Join(dir, "instances.json")
	config.XDS, config.Admin, config.HTTP = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	r := run(t, config)
	ready := func() int {
		t.Helper()
		answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(r.http + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	r.shows("greenlight_policy_problem 1")
	if code := ready(); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d", code)
	}
	gitIn(t, dir, "init", "--quiet", "--bare", "--initial-branch=main", config.PolicyGit)
	gitIn(t, dir, "init", "--quiet", "--initial-branch=main", "clone")
	gitIn(t, filepath.Join(dir, "clone"), "commit", "--quiet", "--allow-empty", "-m", "No policy yet")
	gitIn(t, filepath.Join(dir, "clone"), "push", "--quiet", config.PolicyGit, "HEAD")
	r.shows("greenlight_policy_commit_info{", "greenlight_policy_problem 0")
	for limit := time.Now().Add(30 * time.Second); ready() != http.StatusOK; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it does not become ready")
		}
	}
}
