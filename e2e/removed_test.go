package e2e

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"greenlight/api/adminv1"
	"greenlight/examples/modelserver"
)

// A model whose policy is gone is kept, and told; where removal is allowed it is
// taken off the fleet, and the requests that are under way get their answers.
func TestAModelIsRemovedOnlyWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{envoys: 1, rate: -1}, nil)
	must(t, os.WriteFile(filepath.Join(w.policies(), "empty.yaml"), nil, 0o644))
	must(t, os.Remove(filepath.Join(w.policies(), "tumor.yaml")))
	m := w.await("word of the file", func(m *adminv1.ModelStatus) bool { return m.GetPolicyProblem() != "" })
	if !strings.Contains(m.GetPolicyProblem(), "tumor.yaml is gone") {
		t.Error(m.GetPolicyProblem())
	}
	must(t, w.envoys[0].AwaitServing(w.within(patience), w.url(w.envoys[0], "/v2/models/tumor/ready"), host))

	w.writePolicy("tumor.yaml", policyWith("tumor", nil))
	w.server.Kill()
	w.server.Options.Env = append(w.server.Options.Env, "GREENLIGHT_ALLOW_REMOVAL=true")
	must(t, w.server.Start(w.within(patience)))
	w.await("the Envoy", func(m *adminv1.ModelStatus) bool { return m.GetReport().GetAcked() == 1 && m.GetReport().GetSettled() })
	const answered, gone = 20 * time.Second, 19 * time.Second
	for _, s := range w.models["blue"] {
		must(t, s.Fail(modelserver.Fault{Mode: modelserver.Slow, Rate: 1, Delay: answered}))
	}
	var users sync.WaitGroup
	sent := time.Now()
	for range 20 {
		users.Go(func() {
			if code := w.ask(patience); code != http.StatusOK {
				t.Errorf("a request that was under way was answered with %d after %s", code, time.Since(sent))
			}
		})
	}
	w.underWay(20)
	must(t, os.Remove(filepath.Join(w.policies(), "tumor.yaml")))
	for end := time.Now().Add(patience); w.ask(100*time.Millisecond) != http.StatusNotFound; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the model is still routed")
		}
	}
	if took := time.Since(sent); took > gone {
		t.Errorf("it took %s until the model was gone: no request was under way by then", took)
	}
	users.Wait()
}

// underWay waits until the Envoy has sent n requests on and not had their answers.
func (w *world) underWay(n int) {
	w.t.Helper()
	active := regexp.MustCompile(`cluster\.tumor/blue\.upstream_rq_active: (\d+)`)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get("http://" + w.envoys[0].Admin + "/stats?filter=upstream_rq_active")
		must(w.t, err)
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		must(w.t, err)
		if found := active.FindSubmatch(text); found != nil && string(found[1]) == strconv.Itoa(n) {
			return
		}
	}
	w.t.Fatalf("%d requests were never under way", n)
}

// ask sends a known request as a user does, and gives the answer's status; 0 if none
// came within the time.
func (w *world) ask(within time.Duration) int {
	ctx, cancel := context.WithTimeout(w.ctx, within)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url(w.envoys[0], inferPath), strings.NewReader(string(knownRequest(w.t))))
	if err != nil {
		return 0
	}
	q.Host = host
	q.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
