package resource_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"greenlight/policy"
	"greenlight/rollout"
)

// recorder is a model server that keeps what it was sent. While it is stuck it
// answers nothing.
type recorder struct {
	rollout.Endpoint
	mu    sync.Mutex
	got   []received
	stuck chan struct{} // closed to let go; nil when it answers at once
}

type received struct {
	host, id string
	header   http.Header
	body     [sha256.Size]byte
	size     int
}

func record(t *testing.T, name string) *recorder {
	t.Helper()
	r := &recorder{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		r.mu.Lock()
		if err == nil {
			r.got = append(r.got, received{q.Host, q.Header.Get("X-Id"), q.Header, sha256.Sum256(body), len(body)})
		}
		stuck := r.stuck
		r.mu.Unlock()
		if stuck != nil {
			<-stuck
		}
		fmt.Fprint(w, name)
	}))
	t.Cleanup(func() {
		r.unstick()
		s.Close()
	})
	a := s.Listener.Addr().(*net.TCPAddr)
	r.Endpoint = rollout.Endpoint{ID: name, Address: a.IP.String(), Port: a.Port, Weight: 1}
	return r
}

func (r *recorder) stick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stuck = make(chan struct{})
}

func (r *recorder) unstick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stuck != nil {
		close(r.stuck)
		r.stuck = nil
	}
}

// take is what came since the last take.
func (r *recorder) take() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// startMirror starts an Envoy whose users are on blue, with a recorder for each color.
func startMirror(t *testing.T, edit func(*policy.Route)) (e *splitEnvoy, blue, green *recorder) {
	t.Helper()
	blue, green = record(t, "blue"), record(t, "green")
	e = startSplit(t, edit)
	e.model.Token = theToken
	e.endpoints["fraud/blue"], e.endpoints["fraud/green"] = []rollout.Endpoint{blue.Endpoint}, []rollout.Endpoint{green.Endpoint}
	e.publish(t)
	for _, color := range []string{"blue", "green"} {
		eventually(t, "an answer of "+color, func() bool {
			a, err := get(t, e.url(), fraudHost, "x-model-color", color, policy.PreviewTokenHeader, theToken)
			return err == nil && a.status == http.StatusOK && a.body == color
		})
	}
	blue.take()
	green.take()
	return e, blue, green
}

const (
	fraudHost = "fraud.models.internal"
	theToken  = "c3NlY3JldA=="
)

func (e *splitEnvoy) url() string { return "http://" + e.addr + "/v2/models/fraud/infer" }

// mirror sends copies to green.
func (e *splitEnvoy) mirror(t *testing.T, percent policy.Weight) {
	t.Helper()
	e.model.Mirror = rollout.Mirror{To: policy.Green, Percent: percent}
	e.publish(t)
}

// users sends n requests, a few at a time, and returns how long each took,
// sorted. Each must be answered by blue.
func (e *splitEnvoy) users(t *testing.T, n int) []time.Duration {
	t.Helper()
	const clients = 4
	took := make([]time.Duration, n)
	var g errgroup.Group
	for c := range clients {
		g.Go(func() error {
			for i := c; i < n; i += clients {
				begin := time.Now()
				a, err := get(t, e.url(), fraudHost)
				if err != nil {
					return err
				}
				if a.status != http.StatusOK || a.body != "blue" {
					return fmt.Errorf("a user got %d %q", a.status, a.body)
				}
				took[i] = time.Since(begin)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(took)
	return took
}

// stats is what Envoy has counted for a color, without what is 0.
func (e *splitEnvoy) stats(t *testing.T, color string) string {
	t.Helper()
	a, err := get(t, e.admin+"/stats?usedonly&filter=cluster.fraud/"+color+".*upstream_rq", "")
	if err != nil {
		t.Fatal(err)
	}
	return a.body
}

// awaitCopies waits until no copy is under way: one may be when its user has an answer.
func (e *splitEnvoy) awaitCopies(t *testing.T) {
	t.Helper()
	eventually(t, "the end of all copies", func() bool { return strings.Contains(e.stats(t, "green"), "/green.upstream_rq_active: 0") })
}

func TestMirrorShare(t *testing.T) {
	e, blue, green := startMirror(t, func(r *policy.Route) { r.PreviewCookie = "color" })
	e.mirror(t, 2500)
	const n = 4000
	e.users(t, n)
	for range 50 { // who chooses a color is not copied
		if a, err := get(t, e.url(), fraudHost, "x-model-color", "blue", "x-id", "preview"); err != nil || a.body != "blue" {
			t.Fatal(a, err)
		}
		if a, err := get(t, e.url(), fraudHost, "cookie", "color=blue", "x-id", "preview"); err != nil || a.body != "blue" {
			t.Fatal(a, err)
		}
	}
	if got := blue.count(); got != n+100 {
		t.Errorf("blue got %d requests, want %d", got, n+100)
	}
	e.awaitCopies(t)
	last := green.count()
	const p = 0.25
	if diff := float64(last) - p*n; diff*diff > 36*n*p*(1-p) {
		t.Errorf("%d of %d requests were copied, want %.0f", last, n, p*n)
	}
	for _, r := range green.take() {
		if r.host != fraudHost+"-shadow" || r.id != "" {
			t.Fatalf("green got %+v", r)
		}
	}
	t.Logf("%d of %d copied; Envoy's counts:\n%s", last, n, e.stats(t, "green"))
	e.mirror(t, 0)
	e.users(t, 200)
	e.awaitCopies(t)
	if got := green.count(); got != 0 {
		t.Errorf("%d copies after the mirror was taken off", got)
	}
}

// TestMirrorIsACopy: bodies reach both colors whole, without the preview's token;
// those that are too long to be copied without risk reach blue alone.
func TestMirrorIsACopy(t *testing.T) {
	e, blue, green := startMirror(t, func(r *policy.Route) { r.PreviewToken = &policy.Secret{Env: "GREENLIGHT_SECRET_X"} })
	e.mirror(t, policy.Full)
	for _, size := range []int{0, 1, 1000, 512 << 10, 512<<10 + 1, 12 << 20} {
		body := noise(size)
		if a := e.post(t, body); a != "200 blue" {
			t.Fatalf("%d bytes: %s", size, a)
		}
		if size <= 512<<10 {
			eventually(t, "the copy", func() bool { return green.count() == 1 })
		}
		for _, r := range append(blue.take(), green.take()...) {
			if r.size != size || r.body != sha256.Sum256(body) {
				t.Errorf("%d bytes: %d came, not the same", size, r.size)
			}
			if r.header.Get(policy.PreviewTokenHeader) != "" {
				t.Errorf("the model was shown the token: %v", r.header)
			}
		}
	}
	e.awaitCopies(t)
	for _, r := range green.take() {
		if r.size > 0 {
			t.Errorf("a body of %d bytes was copied", r.size)
		}
	}
}

func noise(size int) []byte {
	out := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(out)
	return out
}

// post sends a user's request with a body.
func (e *splitEnvoy) post(t *testing.T, body []byte) string {
	t.Helper()
	q, err := http.NewRequest(http.MethodPost, e.url(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Host = fraudHost
	q.Header.Set(policy.PreviewTokenHeader, theToken)
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(q)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(resp.StatusCode, " ", string(text))
}

// TestMirrorHarmsNobody: users are answered by blue, and as soon as ever, whatever
// becomes of their copies. Who waits for a copy that hangs waits for the timeout, which
// is longer than anybody waits on a machine that is busy with other tests.
func TestMirrorHarmsNobody(t *testing.T) {
	const n, timeout, soon, long = 1000, 8 * time.Second, 7 * time.Second, 8 * time.Second
	e, _, green := startMirror(t, func(r *policy.Route) { r.Limits.Requests, r.Timeout = 20, timeout })
	check := func(what string) {
		t.Helper()
		took := e.users(t, n)
		t.Logf("%s: p50 %v, p99 %v, longest %v", what, took[n/2], took[n*99/100], took[n-1])
		if took[n-1] > soon {
			t.Errorf("%s: a user waited %v", what, took[n-1])
		}
	}
	check("without copies")
	e.mirror(t, policy.Full)
	check("copies answered")
	green.stick()
	check("copies hang")
	// What is asked of green by others shares its limits with the copies.
	if a, err := get(t, e.url(), fraudHost, "x-model-color", "green"); err != nil || a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "overflow") {
		t.Errorf("a preview among 20 copies that hang: %v %v", a, err)
	}
	green.unstick()
	e.endpoints["fraud/green"] = []rollout.Endpoint{{ID: "gone", Address: "127.0.0.1", Port: freePort(t), Weight: 1}}
	e.publish(t)
	check("copies refused")
	e.endpoints["fraud/green"] = []rollout.Endpoint{blackHole(t)}
	e.publish(t)
	for i := range 15 {
		size := []int{512 << 10, 512<<10 + 1, 12 << 20}[i%3]
		begin := time.Now()
		if a := e.post(t, noise(size)); a != "200 blue" || time.Since(begin) > long { // what hangs, hangs for minutes
			t.Errorf("%d bytes, of which a copy is not read: %s after %v", size, a, time.Since(begin))
		}
	}
	check("copies unread")
	e.endpoints["fraud/green"] = nil
	e.publish(t)
	check("copies without an endpoint")
	// A copy that hangs has the route's timeout, and is not tried again.
	e.awaitCopies(t)
	t.Logf("Envoy's counts:\n%s", e.stats(t, "green"))
}

// blackHole takes connections and reads nothing.
func blackHole(t *testing.T) rollout.Endpoint {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lis.Close() })
	return rollout.Endpoint{ID: "hole", Address: "127.0.0.1", Port: lis.Addr().(*net.TCPAddr).Port, Weight: 1}
}
