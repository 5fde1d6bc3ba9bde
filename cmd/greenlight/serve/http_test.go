package serve

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
	"greenlight/telemetry"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

func get(t *testing.T, s *http.Server, method, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Code, w.Body.String()
}

func none() []rollout.Status { return nil }

func TestHealthAndReadiness(t *testing.T) {
	ready := make(chan struct{})
	s := pages(none, ready, func() []string { return []string{"fraud", "spam"} })
	if code, body := get(t, s, http.MethodGet, "/healthz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz: %d %s", code, body)
	}
	if code, body := get(t, s, http.MethodGet, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "policies, journal and registry") || !strings.Contains(body, "not answered yet for: fraud, spam") {
		t.Errorf("/readyz before: %d %s", code, body)
	}
	close(ready)
	for range 2 {
		if code, body := get(t, s, http.MethodGet, "/readyz"); code != http.StatusOK || body != "ready\n" {
			t.Errorf("/readyz after: %d %s", code, body)
		}
	}
	if code, _ := get(t, s, http.MethodPost, "/readyz"); code != http.StatusMethodNotAllowed {
		t.Errorf("POST /readyz: %d", code)
	}
	if code, _ := get(t, s, http.MethodGet, "/elsewhere"); code != http.StatusNotFound {
		t.Errorf("/elsewhere: %d", code)
	}
	if s.ReadHeaderTimeout == 0 {
		t.Error("a client that sends no header holds a connection for ever")
	}
}

// statuses are a model in the middle of a switch with a problem of each kind,
// and one of which nothing is known yet.
func statuses() []rollout.Status {
	return []rollout.Status{
		{
			State: rollout.State{
				Model: "fraud", Live: policy.Blue, Phase: rollout.Holding, Generation: 7, Problem: "latency",
				Since: time.UnixMilli(1793534400500), Weights: rollout.Split(policy.Green, 1250),
				Twice: rollout.Twice{Instances: 3, Hours: 12.5},
				Switch: &rollout.Switch{Drills: []rollout.Drill{
					{Began: time.UnixMilli(1793534400500), Ended: time.UnixMilli(1793534401000), Back: 40 * time.Millisecond, Forth: 30 * time.Millisecond},
					{Began: time.UnixMilli(1793534500500), Ended: time.UnixMilli(1793534501000), Problem: "edge/e1 rejected its route"},
				}},
			},
			Policy:        &policy.Model{Name: "fraud", Cost: policy.Cost{Currency: "EUR", InstanceHour: 2}},
			PolicyProblem: "fraud.yaml:3:1: unknown key",
			Endpoints: rollout.EndpointSet{
				Blue: make([]rollout.Endpoint, 2), Green: make([]rollout.Endpoint, 3), Problem: "consul: connection refused",
			},
			Report:  rollout.Report{Connected: 3, Acked: 2},
			Traffic: rollout.Traffic{Recent: []rollout.Window{aSecond()}},
			Return:  rollout.Readiness{Asked: true, Why: "blue has 1 ready endpoint and needs 2"},
			Silent:  make([]rollout.NodeRef, 2),
		},
		{
			State: rollout.State{
				Model: "spam", Live: policy.Green, Phase: rollout.Shadowing,
				Weights: rollout.AllOn(policy.Green), Mirror: rollout.Mirror{To: policy.Blue, Percent: 2000},
			},
			Return: rollout.Readiness{Asked: true, Ready: true},
		},
		{State: rollout.State{Model: "new", Phase: rollout.Idle}},
	}
}

// aSecond is users' requests of one second: a sample of one in ten.
func aSecond() rollout.Window {
	end := time.UnixMilli(1793534410000)
	var took judge.Recorder
	for i := range 80 {
		took.Add(0.001 * float64(i+1))
	}
	w := rollout.Split(policy.Green, 1250)
	return rollout.Window{Begin: end.Add(-time.Second), End: end, Users: []rollout.Routed{{Weights: w, Colors: rollout.ByColor[rollout.Tally]{
		Blue:  rollout.Tally{Requests: 80, Scaled: 800, Errors: 2, Latency: took.Sketch()},
		Green: rollout.Tally{Requests: 10, Scaled: 100},
	}}}}
}

// The golden file is what Prometheus is told; -update writes it anew.
func TestMetrics(t *testing.T) {
	code, got := get(t, pages(statuses, nil, func() []string { return nil }), http.MethodGet, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics: %d %s", code, got)
	}
	const golden = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestMetricsAreOfNow(t *testing.T) {
	now := none
	s := pages(func() []rollout.Status { return now() }, nil, func() []string { return nil })
	if code, body := get(t, s, http.MethodGet, "/metrics"); code != http.StatusOK || strings.Contains(body, "greenlight_model") {
		t.Errorf("without models: %d %s", code, body)
	}
	now = statuses
	if code, body := get(t, s, http.MethodGet, "/metrics"); code != http.StatusOK || !strings.Contains(body, `greenlight_model_phase{model="fraud",phase="holding"} 1`) {
		t.Errorf("with models: %d %s", code, body)
	}
}

// docs/operating.md is where operators look for a metric's meaning.
func TestEveryMetricIsInTheManual(t *testing.T) {
	manual, err := os.ReadFile("../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body := get(t, pages(statuses, nil, func() []string { return nil }), http.MethodGet, "/metrics")
	var names []string
	for line := range strings.Lines(body) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			names = append(names, name)
		}
	}
	reported := make(chan *prometheus.Desc)
	go func() { telemetry.New(telemetry.Options{}).Describe(reported); close(reported) }()
	for d := range reported {
		_, name, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ = strings.Cut(name, `"`)
		names = append(names, name)
	}
	if len(names) < 10 {
		t.Errorf("only %q were found", names)
	}
	for _, name := range names {
		if !strings.Contains(string(manual), "`"+name+"{") {
			t.Errorf("docs/operating.md lacks %s", name)
		}
	}
}
