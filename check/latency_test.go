package check_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

// latency is a check of 40 requests in a fraction of a second.
func latency(t *testing.T, gates ...policy.QuantileGate) policy.Check {
	t.Helper()
	file := filepath.Join(t.TempDir(), "r.jsonl")
	if err := os.WriteFile(file, []byte(`{"request": {"n": 1}, "path": "/infer"}`+"\n"+`{"request": {"n": 2}, "expect": {"a": 1}}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return policy.Check{Name: "latency", Timeout: time.Minute, Latency: &policy.LatencyCheck{
		Requests: file, Count: 40, Rate: 400, For: 20 * time.Second, Concurrency: 8, Warmup: 10, Confidence: 0.95, Quantiles: gates,
	}}
}

func latencyJob(c policy.Check, green, blue http.HandlerFunc, t *testing.T) rollout.CheckJob {
	j := job([]policy.Check{c}, serve(t, "g1", green))
	if blue != nil {
		j.Endpoints.Blue = []rollout.Endpoint{serve(t, "b1", blue)}
	}
	j.Predict = policy.Predict{
		Protocol: policy.OpenInference, Path: "/infer", Model: "m", Batch: 16,
		Load: policy.Load{Idle: policy.Cap{Concurrency: 16}, Live: policy.Cap{Concurrency: 4}},
	}
	j.RequestTimeout = 2 * time.Second
	return j
}

func runLatency(t *testing.T, j rollout.CheckJob) rollout.Verdict {
	t.Helper()
	return check.New(check.Options{}).Run(context.Background(), j)[0]
}

func slowly(d time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, `{"outputs": []}`)
	}
}

var (
	inTime  = policy.QuantileGate{Quantile: 0.95, Max: 10 * time.Second}
	instant = policy.QuantileGate{Quantile: 0.5, Max: time.Microsecond}
	ofLive  = policy.QuantileGate{Quantile: 0.5, OfLive: 2}
)

func TestLatencyOfAnEqualModelPasses(t *testing.T) {
	v := runLatency(t, latencyJob(latency(t, inTime, policy.QuantileGate{Quantile: 0.5, OfLive: 5}), slowly(20*time.Millisecond), slowly(20*time.Millisecond), t))
	wantVerdict(t, v, rollout.Pass, "% of live's ", "at most 500% of live", "at most 10 s", "errors 0%")
	wantFigures(t, v, map[string]float64{"count.idle": 40, "count.live": 40, "errors.idle": 0, "errors.live": 0})
	for _, q := range []string{"p50", "p90", "p95", "p99", "mean"} {
		for _, side := range []string{".idle", ".live"} {
			if s := v.Figures[q+side]; s < 0.02 || s > 10 {
				t.Errorf("%s = %v s", q+side, s)
			}
		}
		if _, ok := v.Figures[q+".ratio"]; ok != (q != "mean") {
			t.Errorf("%s.ratio is there: %v", q, ok)
		}
	}
	if d := v.Detail; d == nil || len(d.Charts) != 1 || len(d.Charts[0].Series) != 2 || len(d.Cases) != 10 || !strings.HasPrefix(d.Cases[0].Where, "r.jsonl:") {
		t.Errorf("detail = %+v", v.Detail)
	}
	if m := v.Measures; len(m) != 5 || m[0].Name != "p50" || m[0].Ratio == nil || m[0].Result != rollout.Pass || m[4].Name != "errors" {
		t.Errorf("measures = %+v", m)
	}
}

func TestLatencyOfASlowerModelFails(t *testing.T) {
	v := runLatency(t, latencyJob(latency(t, ofLive), slowly(200*time.Millisecond), slowly(0), t))
	wantVerdict(t, v, rollout.Fail, "p50 ", "at most 200% of live")
	v = runLatency(t, latencyJob(latency(t, instant), slowly(time.Millisecond), nil, t))
	wantVerdict(t, v, rollout.Fail, "p50 ", "at most 0.001 ms")
	if _, asked := v.Figures["p50.live"]; asked {
		t.Error("live was asked, though no gate compares with it")
	}
}

func TestHangingServerCannotPassLatency(t *testing.T) {
	for _, errorsAllowed := range []float64{0, 1} {
		c := latency(t, inTime)
		c.Latency.Errors, c.Latency.Count = errorsAllowed, 20
		j := latencyJob(c, hang, nil, t)
		j.RequestTimeout = 100 * time.Millisecond
		v := runLatency(t, j)
		wantVerdict(t, v, rollout.Fail, "20 of 20 requests were never answered")
		if _, measured := v.Figures["p99.idle"]; measured || v.Figures["errors.idle"] != 1 || len(v.Evidence) != 10 {
			t.Errorf("figures = %v, %d pieces of evidence", v.Figures, len(v.Evidence))
		}
	}
}

func TestQuickErrorsAreNoFastLatencies(t *testing.T) {
	v := runLatency(t, latencyJob(latency(t, inTime), respond(500, "oh no"), nil, t))
	wantVerdict(t, v, rollout.Fail, "errors 100%, at most 0%: 40 of 40 requests")
	if _, measured := v.Figures["p50.idle"]; measured {
		t.Errorf("figures = %v", v.Figures)
	}
	if len(v.Evidence) == 0 || !strings.Contains(v.Evidence[0].Got, "oh no") {
		t.Errorf("evidence = %v", v.Evidence)
	}
	c := latency(t, inTime)
	c.Latency.Errors = 1
	wantVerdict(t, runLatency(t, latencyJob(c, respond(500, "oh no"), nil, t)), rollout.Inconclusive, "needs more answers")

	j := latencyJob(latency(t, inTime), nil, nil, t)
	j.Endpoints.Green = []rollout.Endpoint{closedPort(t, "g1")}
	wantVerdict(t, runLatency(t, j), rollout.Fail, "errors 100%", "refused")
}

func TestWarmUpDoesNotCount(t *testing.T) {
	var n atomic.Int64
	cold := func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) <= 10 {
			respond(503, "loading")(w, r)
			return
		}
		respond(200, "{}")(w, r)
	}
	v := runLatency(t, latencyJob(latency(t, inTime), cold, nil, t))
	wantVerdict(t, v, rollout.Pass)
	wantFigures(t, v, map[string]float64{"count.idle": 40, "errors.idle": 0})
	if n.Load() != 50 {
		t.Errorf("%d requests, want 10 to warm up and 40", n.Load())
	}
}

func TestLatencyKeepsTheLiveCap(t *testing.T) {
	var mu sync.Mutex
	inFlight, most := map[string]int{}, map[string]int{}
	counting := func(color string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			inFlight[color]++
			most[color] = max(most[color], inFlight[color])
			mu.Unlock()
			slowly(30*time.Millisecond)(w, r)
			mu.Lock()
			inFlight[color]--
			mu.Unlock()
		}
	}
	v := runLatency(t, latencyJob(latency(t, policy.QuantileGate{Quantile: 0.5, OfLive: 10}), counting("green"), counting("blue"), t))
	wantVerdict(t, v, rollout.Pass)
	if most["blue"] > 4 || most["green"] > 4 {
		t.Errorf("in flight at most: %v; live may have 4, and idle is measured alike", most)
	}
	if notes := strings.Join(v.Detail.Notes, "\n"); !strings.Contains(notes, "predict.load allows the colors measured 4 requests at a time") {
		t.Errorf("notes = %s", notes)
	}
}

func TestLatencyAsksEveryEndpointInTurn(t *testing.T) {
	var counts [2]atomic.Int64
	j := latencyJob(latency(t, inTime), nil, nil, t)
	j.Endpoints.Green = nil
	for i := range counts {
		j.Endpoints.Green = append(j.Endpoints.Green, serve(t, fmt.Sprint("g", i), func(w http.ResponseWriter, r *http.Request) {
			counts[i].Add(1)
			respond(200, "{}")(w, r)
		}))
	}
	wantVerdict(t, runLatency(t, j), rollout.Pass)
	if counts[0].Load() != 25 || counts[1].Load() != 25 {
		t.Errorf("requests = %d and %d, want 25 each", counts[0].Load(), counts[1].Load())
	}
}

func TestLatencyIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan struct{}, 100)
	j := latencyJob(latency(t, inTime), func(w http.ResponseWriter, r *http.Request) { asked <- struct{}{}; hang(w, r) }, nil, t)
	go func() { <-asked; cancel() }()
	v := check.New(check.Options{}).Run(ctx, j)[0]
	wantVerdict(t, v, rollout.Inconclusive, "cancelled")
}

func TestLatencyOfUnusableInputIsInconclusive(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"r.jsonl": {`{"request": 1}` + "\n" + `{"reqest": 2}`, `r.jsonl:2:2: unknown key "reqest"`},
		"s.jsonl": {"\n", `s.jsonl: there are no requests`},
		"t.jsonl": {`{"path": "/x"}`, `t.jsonl:1: "request" is missing`},
	} {
		c := latency(t, inTime)
		c.Latency.Requests = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(c.Latency.Requests, []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		v := runLatency(t, latencyJob(c, respond(200, "{}"), nil, t))
		if v.Result != rollout.Inconclusive || !strings.Contains(v.Summary, tc.want) {
			t.Errorf("%s: %s %s", name, v.Result, v.Summary)
		}
	}
	c := latency(t, inTime)
	c.Latency.Requests, c.Latency.Data = "", filepath.Join(t.TempDir(), "d.csv")
	if err := os.WriteFile(c.Latency.Data, []byte("a,b\n1,2\nx,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := runLatency(t, latencyJob(c, respond(200, `{"outputs": [{"name": "o", "datatype": "FP64", "shape": [1], "data": [1]}]}`), nil, t))
	wantVerdict(t, v, rollout.Inconclusive, "d.csv:3")
}
