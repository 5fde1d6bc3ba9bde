package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/consul/api"

	"greenlight/policy"
	"greenlight/rollout"
)

// fakeConsul speaks the blocking protocol of /v1/health/service, and can be
// told to break it.
type fakeConsul struct {
	*httptest.Server

	mu      sync.Mutex
	index   uint64
	entries []*api.ServiceEntry
	status  int  // answered instead of 200, if not 0
	hang    bool // never answer
	filter  bool // say that an ACL removed results
	changed chan struct{}
	asked   []ask
}

// ask is one query as the fake saw it.
type ask struct {
	path, index, wait, dc, token string
	stale                        bool
}

func newFakeConsul(t testing.TB) *fakeConsul {
	f := &fakeConsul{index: 10, changed: make(chan struct{})}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

// set changes what the fake is and wakes the queries that wait.
func (f *fakeConsul) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeConsul) serve(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	_, stale := q["stale"]
	f.mu.Lock()
	f.asked = append(f.asked, ask{r.URL.Path, q.Get("index"), q.Get("wait"), q.Get("dc"), r.Header.Get("X-Consul-Token"), stale})
	f.mu.Unlock()
	wait, _ := time.ParseDuration(q.Get("wait"))
	limit := time.After(wait)
	from, _ := strconv.ParseUint(q.Get("index"), 10, 64)
	for {
		f.mu.Lock()
		blocked := f.hang || f.status == 0 && from > 0 && f.index == from
		changed := f.changed
		f.mu.Unlock()
		if !blocked {
			break
		}
		select {
		case <-changed:
		case <-limit:
			from = 0
		case <-r.Context().Done():
			return
		}
	}
	f.write(w)
}

func (f *fakeConsul) write(w http.ResponseWriter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status != 0 {
		http.Error(w, "No cluster leader", f.status)
		return
	}
	w.Header().Set("X-Consul-Index", fmt.Sprint(f.index))
	w.Header().Set("X-Consul-LastContact", "0") // without it the client reads no further header
	if f.filter {
		w.Header().Set("X-Consul-Results-Filtered-By-ACLs", "true")
	}
	json.NewEncoder(w).Encode(f.entries)
}

func (f *fakeConsul) queries() []ask {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// entry is a passing instance as Consul shows it.
func entry(id, color string) *api.ServiceEntry {
	return &api.ServiceEntry{
		Node: &api.Node{Node: "n1", Address: "10.9.9.9"},
		Service: &api.AgentService{
			ID: id, Service: "fraud", Port: 8080, Meta: map[string]string{"color": color},
			Weights: api.AgentWeights{Passing: 1, Warning: 1},
		},
		Checks: api.HealthChecks{{CheckID: "serf", Status: api.HealthPassing}},
	}
}

func entries(blue, green int) (out []*api.ServiceEntry) {
	for i := range blue {
		out = append(out, entry(fmt.Sprintf("blue-%d", i), "blue"))
	}
	for i := range green {
		out = append(out, entry(fmt.Sprintf("green-%d", i), "green"))
	}
	return out
}

// watchConsul watches fraud until the test ends.
func watchConsul(t testing.TB, o Options, d policy.Discovery, last *rollout.EndpointSet) *seen {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet()
	}
	c, err := NewConsul(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	out, done := newSeen(), make(chan struct{})
	go func() {
		defer close(done)
		c.Watch(ctx, "fraud", d, last, out.emit)
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("Watch did not return when its context ended")
		}
	})
	return out
}

func TestConsulIndexBackwards(t *testing.T) {
	f := newFakeConsul(t)
	f.set(func() { f.index, f.entries = 100, entries(3, 3) })
	out := watchConsul(t, Options{Address: f.URL}, byMeta, nil)
	out.until(t, "the first set", has(3, 3))
	f.set(func() { f.index, f.entries = 7, nil })
	out.until(t, "the hold", stands(3, 3))
	f.set(func() { f.index, f.entries = 8, entries(3, 0) })
	out.until(t, "still the hold", func(s rollout.EndpointSet) bool {
		return stands(3, 3)(s) && strings.Contains(s.Problem, "is back")
	})
	f.set(func() { f.index, f.entries = 9, entries(3, 4) })
	out.until(t, "the truth", has(3, 4))
	for _, s := range out.all() {
		if len(s.Blue)+len(s.Green) == 0 {
			t.Errorf("published an empty set: %+v", s)
		}
	}
	asked := f.queries()
	i := slices.IndexFunc(asked, func(a ask) bool { return a.index == "100" })
	if i < 0 || asked[i+1].index != "" {
		t.Errorf("the query was not started over after index 100: %+v", asked)
	}
}

// An index that went backwards says that its answer may be odd even when the
// answer after it looks like the truth.
func TestConsulIndexBackwardsMakesAnswersSuspicious(t *testing.T) {
	f := newFakeConsul(t)
	f.set(func() { f.index, f.entries = 100, entries(3, 3) })
	out := watchConsul(t, Options{Address: f.URL}, byMeta, nil)
	out.until(t, "the first set", has(3, 3))
	f.set(func() { f.index, f.entries = 7, entries(3, 0) })
	out.until(t, "the hold", stands(3, 3))
}

func TestConsulIndexZeroDoesNotSpin(t *testing.T) {
	f := newFakeConsul(t)
	f.set(func() { f.index, f.entries = 0, entries(1, 1) })
	out := watchConsul(t, Options{Address: f.URL}, byMeta, nil)
	out.until(t, "the set", has(1, 1))
	f.set(func() { f.index, f.entries = 5, entries(1, 2) })
	out.until(t, "the change", has(1, 2))
	if n := len(f.queries()); n > paceBurst+10 {
		t.Errorf("%d queries", n)
	}
}

func TestConsulErrorsKeepTheLastGood(t *testing.T) {
	f := newFakeConsul(t)
	f.set(func() { f.entries = entries(2, 1) })
	out := watchConsul(t, Options{Address: f.URL}, byMeta, nil)
	out.until(t, "the first set", has(2, 1))
	f.set(func() { f.status = 500; f.index++ })
	set := out.until(t, "the problem", stands(2, 1))
	if set.Problem != "consul: Unexpected response code: 500 (No cluster leader)" {
		t.Errorf("problem %q", set.Problem)
	}
	f.set(func() { f.status = 0 })
	out.until(t, "the recovery", has(2, 1))
	if n := len(f.queries()); n > 12 {
		t.Errorf("%d queries: no back-off", n)
	}
}

func TestConsulUnreachableAtStart(t *testing.T) {
	f := newFakeConsul(t)
	url := f.URL
	f.Close()
	last := some(1, 2)
	out := watchConsul(t, Options{Address: url}, byMeta, &last)
	set := out.until(t, "the last good set", stands(1, 2))
	if !strings.HasPrefix(set.Problem, "consul: dial tcp 127.0.0.1:") || !strings.HasSuffix(set.Problem, "connection refused") {
		t.Errorf("problem %q", set.Problem)
	}
}

func TestConsulFilteredAnswerIsNoAnswer(t *testing.T) {
	f := newFakeConsul(t)
	f.set(func() { f.entries = entries(2, 2) })
	out := watchConsul(t, Options{Address: f.URL}, byMeta, nil)
	out.until(t, "the first set", has(2, 2))
	f.set(func() { f.index++; f.filter, f.entries = true, entries(2, 0) })
	set := out.until(t, "the hold", stands(2, 2))
	if !strings.Contains(set.Problem, `the token may not read all instances of service "fraud"`) {
		t.Errorf("problem %q", set.Problem)
	}
}

func TestConsulQueriesAsOptionsSay(t *testing.T) {
	f := newFakeConsul(t)
	f.set(func() { f.entries = entries(1, 0) })
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CONSUL_HTTP_TOKEN", "from the environment")
	out := watchConsul(t, Options{Address: f.URL, TokenFile: token, Datacenter: "dc2", Stale: true}, byMeta, nil)
	out.until(t, "the first set", has(1, 0))
	if err := os.WriteFile(token, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.index++; f.entries = entries(2, 0) })
	out.until(t, "the second set", has(2, 0))
	f.set(func() { f.index++; f.entries = entries(3, 0) })
	out.until(t, "the third set", has(3, 0))
	asked := f.queries()
	if a := asked[0]; a != (ask{"/v1/health/service/fraud", "", "", "dc2", "first", true}) {
		t.Errorf("first query %+v", a)
	}
	wait, err := time.ParseDuration(asked[1].wait)
	if err != nil || wait > DefaultWait || wait < DefaultWait*9/10 || asked[1].index != "10" {
		t.Errorf("second query %+v", asked[1])
	}
	if !slices.ContainsFunc(asked, func(a ask) bool { return a.token == "second" }) {
		t.Errorf("a rotated token is not used: %+v", asked)
	}
}

func TestConsulEnvironmentAndPolicyDatacenter(t *testing.T) {
	f := newFakeConsul(t)
	t.Setenv("CONSUL_HTTP_ADDR", strings.TrimPrefix(f.URL, "http://"))
	t.Setenv("CONSUL_HTTP_TOKEN", "from-env")
	d := byMeta
	d.Datacenter = "dc3"
	out := watchConsul(t, Options{Datacenter: "dc2"}, d, nil)
	out.until(t, "an empty set", has(0, 0))
	if a := f.queries()[0]; a.dc != "dc3" || a.token != "from-env" {
		t.Errorf("query %+v", a)
	}
}

func TestConsulHangEndsInAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := NewConsul(Options{Address: "127.0.0.1:1", Log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		c.transport.DialContext = nothingAnswers
		out := newSeen()
		ctx, cancel := context.WithCancel(t.Context())
		last := some(1, 1)
		go c.Watch(ctx, "fraud", byMeta, &last, out.emit)
		time.Sleep(answerWithin)
		synctest.Wait()
		if set := out.last(); !stands(1, 1)(set) || set.Problem != "consul: no answer for 10s" {
			t.Errorf("emitted %+v", set)
		}
		cancel()
		synctest.Wait()
	})
}

// nothingAnswers dials a server that reads and never answers.
func nothingAnswers(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go io.Copy(io.Discard, there)
	return here, nil
}

func TestConsulOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		"must be 0 to 5m0s":   {Wait: 6 * time.Minute},
		"are both set":        {Token: "a", TokenFile: "b"},
		"make consul client:": {Address: "gopher://consul"},
	} {
		if _, err := NewConsul(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestPaceBoundsQueries(t *testing.T) {
	now := epoch
	p := newPace(now)
	for range paceBurst {
		if d := p.take(now); d != 0 {
			t.Fatalf("waits %s within the burst", d)
		}
	}
	if d := p.take(now); d != time.Second/paceSecond {
		t.Errorf("waits %s after the burst", d)
	}
	if d := p.take(now.Add(time.Minute)); d != 0 {
		t.Errorf("waits %s after a quiet minute", d)
	}
}

func TestInstancesOfEntries(t *testing.T) {
	e := entry("a", "blue")
	e.Service.Weights = api.AgentWeights{}
	old := instances([]*api.ServiceEntry{e, {Node: e.Node}, {Service: e.Service}})
	if len(old) != 1 || old[0].address != "10.9.9.9" || old[0].weights != (weights{1, 1}) {
		t.Errorf("made %+v", old)
	}
	for checks, want := range map[string]status{
		"":                 passing,
		"passing":          passing,
		"passing warning":  warning,
		"warning critical": critical,
		"passing strange":  critical,
	} {
		e.Checks = nil
		for _, s := range strings.Fields(checks) {
			e.Checks = append(e.Checks, &api.HealthCheck{Status: s})
		}
		if got := statusOf(e.Checks); got != want {
			t.Errorf("%q is %d, want %d", checks, got, want)
		}
	}
	for _, id := range []string{api.NodeMaint, api.ServiceMaintPrefix + "a"} {
		if statusOf(api.HealthChecks{{CheckID: id, Status: api.HealthPassing}}) != critical {
			t.Errorf("%s is not critical", id)
		}
	}
}

// Before there is a good set nothing is emitted, so the log is where a registry
// that can't be asked is told of: once, not at each try.
func TestFirstFailureIsLogged(t *testing.T) {
	f := newFakeConsul(t)
	f.set(func() { f.status = http.StatusInternalServerError })
	log := &lines{}
	c, err := NewConsul(Options{Address: f.URL, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() {
		c.Watch(ctx, "fraud", byMeta, nil, func(rollout.EndpointSet) { t.Error("something was emitted") })
	})
	for end := time.Now().Add(10 * time.Second); len(f.queries()) < 3 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	ended.Wait()
	if got := log.with("can't be asked"); got != 1 {
		t.Errorf("%d lines tell of %d failures", got, len(f.queries()))
	}
}

// lines is a log that counts.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(p))
	return len(p), nil
}

func (l *lines) with(text string) (count int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.Contains(line, text) {
			count++
		}
	}
	return count
}
