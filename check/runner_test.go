package check_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

func TestVerdictsKeepThePolicysOrder(t *testing.T) {
	slow := serve(t, "a", respond(200, `{"x":1}`))
	g := golden(policy.PlainJSON, goldenFile(t, `{"request":1,"expect":{"x":1}}`))
	second := ready("/")
	second.Name = "ready-2"
	checks := []policy.Check{g, {Name: "endpoints", Endpoints: &policy.EndpointsCheck{Min: 1}}, ready("/"), second}

	var log bytes.Buffer
	r := check.New(check.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	verdicts := r.Run(context.Background(), job(checks, slow))

	var names []string
	for _, v := range verdicts {
		names = append(names, v.Check)
		wantVerdict(t, v, rollout.Pass)
	}
	if want := []string{"golden", "endpoints", "ready", "ready-2"}; !slices.Equal(names, want) {
		t.Errorf("verdicts of %v, want %v", names, want)
	}
	if lines := strings.Count(log.String(), "\n"); lines != len(checks) {
		t.Errorf("%d log lines for %d checks", lines, len(checks))
	}
}

func TestNoChecksNoVerdicts(t *testing.T) {
	if v := check.New(check.Options{}).Run(context.Background(), job(nil)); len(v) != 0 {
		t.Errorf("got %v", v)
	}
}

func TestCheckWithoutKindIsInconclusive(t *testing.T) {
	v := check.New(check.Options{}).Run(context.Background(), job([]policy.Check{{Name: "odd"}}))
	wantVerdict(t, v[0], rollout.Inconclusive, "nothing to measure")
}

func TestCancelEndsAtOnceWithAVerdictEach(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var asked atomic.Int32
	e := serve(t, "a", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 2 { // both checks wait for their answer
			cancel()
		}
		hang(w, r)
	})
	checks := []policy.Check{
		ready("/"),
		golden(policy.PlainJSON, goldenFile(t, `{"request":1,"expect":{"x":1}}`)),
		{Name: "endpoints", Endpoints: &policy.EndpointsCheck{Min: 1}},
	}
	began := time.Now()
	verdicts := check.New(check.Options{}).Run(ctx, job(checks, e))
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("cancelled checks took %v", took)
	}
	wantVerdict(t, verdicts[0], rollout.Inconclusive, "cancelled with 1 answer outstanding")
	wantVerdict(t, verdicts[1], rollout.Inconclusive, "cancelled with 1 answer outstanding")
	wantVerdict(t, verdicts[2], rollout.Pass)
}

func TestCancelledBeforeItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var asked atomic.Bool
	e := serve(t, "a", func(http.ResponseWriter, *http.Request) { asked.Store(true) })
	checks := []policy.Check{ready("/"), {Name: "endpoints", Endpoints: &policy.EndpointsCheck{Min: 1}}}
	for _, v := range check.New(check.Options{}).Run(ctx, job(checks, e)) {
		wantVerdict(t, v, rollout.Inconclusive, "cancelled")
	}
	if asked.Load() {
		t.Error("an endpoint was asked")
	}
}

func TestTimeoutFailsWithWhatWasOutstanding(t *testing.T) {
	t.Parallel() // it waits most of its time
	hung, fine := serve(t, "hung", hang), serve(t, "fine", respond(200, `{"x":1}`))
	r := ready("/")
	g := golden(policy.PlainJSON, goldenFile(t, `{"request":1,"expect":{"x":1}}`, `{"request":2,"expect":{"x":1}}`))
	r.Timeout, g.Timeout = silence, silence

	v := runOne(t, check.Options{}, r, hung, fine)
	wantVerdict(t, v, rollout.Fail, "timed out after 2s with 1 answer outstanding", "hung")
	wantFigures(t, v, map[string]float64{"endpoints": 2, "ready": 1})

	v = runOne(t, check.Options{}, g, hung, fine)
	wantVerdict(t, v, rollout.Fail, "timed out after 2s with 2 answers outstanding", "m.golden.jsonl:1 on green")
	wantFigures(t, v, map[string]float64{"passed": 2, "failed": 0})
	if v.Evidence[0].Got != "no answer when the check ended" {
		t.Errorf("evidence %+v", v.Evidence[0])
	}
}

// A hang must not hide a wrong answer: the wrong one is the first evidence.
func TestTimeoutShowsWrongAnswersFirst(t *testing.T) {
	t.Parallel() // it waits most of its time
	g := golden(policy.PlainJSON, goldenFile(t, `{"request":1,"expect":{"x":1}}`))
	g.Timeout = silence
	v := runOne(t, check.Options{}, g, serve(t, "hung", hang), serve(t, "wrong", respond(200, `{"x":2}`)))
	wantVerdict(t, v, rollout.Fail, "timed out", "first: m.golden.jsonl:1 on green", "(wrong)", "expected x = 1 ± 1e-06, got 2")
}

func TestProgressIsSerialAndComplete(t *testing.T) {
	e := serve(t, "a", respond(200, `{"x":1}`))
	f := serve(t, "b", respond(200, `{"x":1}`))
	var lines []string
	for range 250 {
		lines = append(lines, `{"request":1,"expect":{"x":1}}`)
	}
	j := job([]policy.Check{golden(policy.PlainJSON, goldenFile(t, lines...)), ready("/")}, e, f)
	var inside atomic.Int32
	last, calls := map[string]rollout.CheckProgress{}, 0
	j.Progress = func(p rollout.CheckProgress) {
		if inside.Add(1) != 1 {
			t.Error("progress is reported concurrently")
		}
		defer inside.Add(-1)
		if p.Done < last[p.Check].Done {
			t.Errorf("progress of %s goes back to %d", p.Check, p.Done)
		}
		last[p.Check], calls = p, calls+1
	}
	check.New(check.Options{}).Run(context.Background(), j)

	if p := last["golden"]; p.Done != 500 || p.Total != 500 {
		t.Errorf("golden ended at %+v", p)
	}
	if p := last["ready"]; p.Done != 2 || p.Total != 2 {
		t.Errorf("ready ended at %+v", p)
	}
	if calls > 110 {
		t.Errorf("%d calls for 502 answers", calls)
	}
}

func TestParentDeadlineIsACancellation(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, errors.New("shutting down"))
	defer cancel()
	v := check.New(check.Options{}).Run(ctx, job([]policy.Check{ready("/")}, serve(t, "a", hang)))
	wantVerdict(t, v[0], rollout.Inconclusive, "cancelled")
}
