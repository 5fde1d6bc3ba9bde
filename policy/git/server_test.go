package git

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/policy"
)

// httpServer is git's own http-backend, with a password and with faults.
type httpServer struct {
	*httptest.Server
	login   atomic.Value // "USER:PASSWORD"; none: everybody may
	hang    atomic.Bool  // send the first bytes of a pack and then nothing
	fetches atomic.Int64
	// proto is the protocol that was asked for last.
	proto atomic.Value
}

// serveHTTP serves a's repository at /policies.git, at an address that is kept over restarts.
func (a *author) serveHTTP(tls bool, address string) *httpServer {
	a.t.Helper()
	s := &httpServer{}
	backend := &cgi.Handler{
		Path: filepath.Join(execPath(a.t), "git-http-backend"), Stderr: io.Discard, Logger: log.New(io.Discard, "", 0),
		Env: append(gitEnv(), "GIT_PROJECT_ROOT="+filepath.Dir(a.bare), "GIT_HTTP_EXPORT_ALL=1", "PATH="+os.Getenv("PATH")),
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.proto.Store(r.Header.Get("Git-Protocol"))
		if user, password, _ := r.BasicAuth(); s.login.Load() != nil && s.login.Load() != user+":"+password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
			s.fetches.Add(1)
			if s.hang.Load() {
				w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
				w.Write([]byte("00"))
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return
			}
		}
		backend.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if address != "" {
		s.Listener.Close()
		eventually(a.t, "the address is free again", func() (ok bool) {
			var err error
			s.Listener, err = net.Listen("tcp", address)
			return err == nil
		})
	}
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	a.t.Cleanup(s.end)
	return s
}

func (s *httpServer) end() {
	s.CloseClientConnections()
	s.Close()
}

var execPath = func() func(*testing.T) string {
	find := sync.OnceValues(func() ([]byte, error) { return exec.Command("git", "--exec-path").Output() })
	return func(t *testing.T) string {
		out, err := find()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
}()

func TestOverHTTP(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	first := a.push("One")
	server := a.serveHTTP(true, "")
	server.login.Store("x-access-token:s3cret")
	token, ca := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, token, "wrong\n")
	writeFile(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	o := a.options()
	o.URL, o.TokenFile = server.URL+"/policies.git", token

	w := watchIt(t, o, policy.Set{})
	w.trouble("certificate", "CA file")
	w.stop()
	o.CAFile = ca
	w = watchIt(t, o, policy.Set{})
	w.trouble("authentication required", "look at the credentials")
	writeFile(t, token, "s3cret\n") // without a restart
	if set := w.in(first); set.Origin.Commit.Repository != o.URL {
		t.Errorf("%+v", set.Origin.Commit)
	}
	w.silent()
	if server.proto.Load() != "version=2" {
		t.Errorf("protocol %q", server.proto.Load())
	}
	a.write("a.yaml", model("a", "two.example"))
	w.in(a.push("Two"))
	server.login.Store("x-access-token:another")
	w.trouble("look at the credentials")
	if log := w.log.String(); strings.Contains(log, "s3cret") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
}

func TestAPassword(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	first := a.push("One")
	server := a.serveHTTP(false, "")
	server.login.Store("ann:s3cret")
	o := a.options()
	o.URL, o.Username, o.PasswordFile = server.URL+"/policies.git", "ann", filepath.Join(t.TempDir(), "password")
	w := watchIt(t, o, policy.Set{})
	w.trouble("no such file")
	writeFile(t, o.PasswordFile, "\n")
	w.trouble("is empty")
	writeFile(t, o.PasswordFile, "s3cret")
	w.in(first)
	w.stop()
	o.URL = server.URL + "/other.git"
	watchIt(t, o, policy.Set{}).trouble("not found", "look at the URL")
}

// A fetch that hangs in its middle ends, is told, and the next one goes well.
func TestAServerThatHangs(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	first := a.push("One")
	server := a.serveHTTP(false, "")
	o := a.options()
	o.URL, o.Timeout = server.URL+"/policies.git", 2*time.Second
	w := watchIt(t, o, policy.Set{})
	w.in(first)
	server.hang.Store(true)
	a.write("a.yaml", model("a", "two.example"))
	second := a.push("Two")
	if set := w.trouble("no whole answer within 2s", "the last good policies stand"); set.Origin.Commit.ID != first {
		t.Errorf("%+v", set.Origin)
	}
	server.hang.Store(false)
	w.in(second)
}

// A server that takes a connection and says nothing, over every protocol.
func TestAServerThatSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := newAuthor(t)
	for _, scheme := range []string{"http", "https", "ssh"} {
		o := a.options()
		o.URL, o.Timeout = scheme+"://"+l.Addr().String()+"/policies.git", 100*time.Millisecond
		if scheme == "ssh" {
			o.SSHKeyFile, o.SSHKnownHostsFile = newKey(t), knownHost(t, l.Addr().String(), newKey(t)+".pub")
		}
		w := watchIt(t, o, policy.Set{})
		w.trouble("no whole answer within 100ms")
		w.stop()
	}
}

func TestAServerThatSendsTooMuch(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	noise := make([]byte, 1<<20)
	for i, x := 0, uint64(1); i < len(noise); i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		noise[i] = byte(x)
	}
	a.write("big.bin", string(noise))
	a.push("One")
	server := a.serveHTTP(false, "")
	o := a.options()
	o.URL, o.MaxFetch = server.URL+"/policies.git", 512<<10
	watchIt(t, o, policy.Set{}).trouble("the server sends too much")
}

// A process that starts while the server is away has the commit that was in force at once.
func TestUnreachableOverARestart(t *testing.T) {
	a := newAuthor(t)
	a.write("a.yaml", model("a", "one.example"))
	first := a.push("One")
	server := a.serveHTTP(false, "")
	o := a.options()
	o.URL = server.URL + "/policies.git"
	w := watchIt(t, o, policy.Set{})
	kept := w.in(first)
	w.stop()
	address := server.Listener.Addr().String()
	server.end()

	w = watchIt(t, o, policy.Set{Models: kept.Models})
	set := <-w.sets
	if set.Origin.Commit == nil || set.Origin.Commit.ID != first || set.Origin.Problem != "" || set.Models["a"].Model != kept.Models["a"].Model {
		t.Errorf("first set: %+v", set)
	}
	if set = w.trouble("can't be fetched", "connection refused"); set.Models["a"].Model != kept.Models["a"].Model || set.Origin.Since.IsZero() {
		t.Errorf("%+v", set)
	}
	a.write("a.yaml", model("a", "two.example"))
	second := a.push("Two")
	server = a.serveHTTP(false, address)
	w.in(second)
	w.stop()

	// What is still the tip is not fetched again.
	before := server.fetches.Load()
	w = watchIt(t, o, policy.Set{})
	w.in(second)
	w.silent()
	if n := server.fetches.Load() - before; n == 0 || w.source.Fetched().IsZero() {
		t.Errorf("the server was not asked")
	}
	w.stop()

	// Without a checkout the last good policies of the process stand.
	server.end()
	o.Folder = t.TempDir()
	w = watchIt(t, o, policy.Set{Models: kept.Models})
	set = <-w.sets
	if set.Models["a"] != kept.Models["a"] || !strings.Contains(set.Origin.Problem, "connection refused") {
		t.Errorf("first set: %+v", set)
	}
}

// The same failure is told once, however often it is met and from whatever port.
func TestTheSameTroubleIsToldOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			conn.(*net.TCPConn).SetLinger(0) // a reset, with both addresses in its error
			conn.Close()
		}
	})
	defer all.Wait()
	defer l.Close()
	a := newAuthor(t)
	o := a.options()
	o.URL, o.Interval = "http://"+l.Addr().String()+"/policies.git", 5*time.Millisecond
	w := watchIt(t, o, policy.Set{})
	w.trouble("can't be fetched")
	seen := calls.Load()
	eventually(t, "more calls", func() bool { return calls.Load() > seen+10 })
	for len(w.sets) > 0 {
		// An end and a reset may take turns; of each there is one wording.
		if s := <-w.sets; strings.Contains(s.Origin.Problem, "->") {
			t.Errorf("own addresses are told: %s", s.Origin.Problem)
		}
	}
	told := map[string]int{}
	for line := range strings.Lines(w.log.String()) {
		_, problem, _ := strings.Cut(line, "problem=")
		told[problem]++
	}
	if len(told) > 2 {
		t.Errorf("it was told in %d ways:\n%s", len(told), w.log)
	}
}

func TestARepositoryOfSHA256(t *testing.T) {
	a := newAuthor(t)
	for _, dir := range []string{a.bare, a.dir} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Dir(a.bare)
	a.run(root, "init", "--quiet", "--object-format=sha256", "--bare", "--initial-branch=main", a.bare)
	a.run(root, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", a.dir)
	a.git("remote", "add", "origin", a.bare)
	a.write("a.yaml", model("a", "a.example"))
	id := a.push("Begin")
	server := a.serveHTTP(false, "")
	o := a.options()
	o.URL = server.URL + "/policies.git"
	w := watchIt(t, o, policy.Set{})
	w.in(id)
	w.stop()
	w = watchIt(t, o, policy.Set{})
	if set := <-w.sets; set.Origin.Commit == nil || set.Origin.Commit.ID != id {
		t.Errorf("after a restart: %+v\n%s", set.Origin, w.log)
	}
}
