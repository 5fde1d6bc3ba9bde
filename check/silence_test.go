package check_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

// silence is how long a request waits for an answer here. Whoever answers at all does so
// sooner, also on a machine that is busy with other tests.
const silence = 2 * time.Second

// within runs c against green with a time for each request.
func within(d time.Duration, c policy.Check, green ...rollout.Endpoint) rollout.Verdict {
	j := job([]policy.Check{c}, green...)
	j.RequestTimeout = d
	return check.New(check.Options{}).Run(context.Background(), j)[0]
}

// lines are n cases that respond(200, `{"x":1}`) answers well.
func lines(n int) []string {
	var out []string
	for range n {
		out = append(out, `{"request":1,"expect":{"x":1}}`)
	}
	return out
}

// silentGRPC takes calls over HTTP/2 and answers none.
func silentGRPC(t *testing.T) rollout.Endpoint {
	t.Helper()
	return serveOnly(t, true, hang)
}

func TestSilentEndpointIsNotReady(t *testing.T) {
	t.Parallel() // it waits most of its time
	hung, fine := serve(t, "hung", hang), serve(t, "fine", respond(200, ""))
	began := time.Now()
	v := within(silence, ready("/"), hung, fine)
	wantVerdict(t, v, rollout.Fail, "1 of 2 endpoints are not ready", "(hung)", "got no answer within 2s")
	wantFigures(t, v, map[string]float64{"endpoints": 2, "ready": 1, "failed": 1})
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}

	v = within(silence, grpcReady(""), silentGRPC(t))
	wantVerdict(t, v, rollout.Fail, "1 of 1 endpoints are not ready", "got no answer within 2s")
}

// One silent endpoint must not use up the time of the whole check, nor hide
// what the others answered.
func TestSilentEndpointFailsGoldenFast(t *testing.T) {
	t.Parallel() // it waits most of its time
	var asked atomic.Int64
	hung := serve(t, "hung", func(w http.ResponseWriter, r *http.Request) { asked.Add(1); hang(w, r) })
	fine := serve(t, "fine", respond(200, `{"x":1}`))
	const cases = 100
	var last rollout.CheckProgress
	j := job([]policy.Check{golden(policy.PlainJSON, goldenFile(t, lines(cases)...))}, hung, fine)
	j.RequestTimeout = silence
	j.Progress = func(p rollout.CheckProgress) { last = p }
	began := time.Now()
	v := check.New(check.Options{PerEndpoint: 4}).Run(context.Background(), j)[0]

	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	n := int(asked.Load())
	if n < 4 || n > 8 {
		t.Errorf("a silent endpoint was asked %d times", n)
	}
	wantVerdict(t, v, rollout.Fail,
		fmt.Sprintf("%d of %d answers differ on 1 of 2 endpoints, %d were not asked for after silence; first: m.golden.jsonl:1 on green", n, 2*cases, cases-n),
		"(hung)", "expected status 200 from POST /infer, got no answer within 2s")
	wantFigures(t, v, map[string]float64{"passed": cases, "failed": float64(n), "unasked": float64(cases - n)})
	if last.Done != 2*cases || last.Total != 2*cases {
		t.Errorf("progress ended at %+v", last)
	}
}

// A slow answer now and then is a wrong answer, and no reason to stop asking.
func TestFewSlowAnswersDoNotEndTheVisit(t *testing.T) {
	t.Parallel() // it waits most of its time
	var asked atomic.Int64
	now := serve(t, "slow", func(w http.ResponseWriter, r *http.Request) {
		if n := asked.Add(1); n == 3 || n == 9 {
			hang(w, r)
			return
		}
		respond(200, `{"x":1}`)(w, r)
	})
	j := job([]policy.Check{golden(policy.PlainJSON, goldenFile(t, lines(12)...))}, now)
	j.RequestTimeout = silence
	v := check.New(check.Options{PerEndpoint: 3}).Run(context.Background(), j)[0]
	wantVerdict(t, v, rollout.Fail, "2 of 12 answers differ on 1 of 1 endpoints; first")
	wantFigures(t, v, map[string]float64{"passed": 10, "failed": 2, "unasked": 0})
}

func TestBodyThatDoesNotEndInTime(t *testing.T) {
	t.Parallel() // it waits most of its time
	begin := func(w http.ResponseWriter, r *http.Request) {
		respond(200, `{"x":`)(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	v := within(silence, golden(policy.PlainJSON, goldenFile(t, lines(1)...)), serve(t, "a", begin))
	wantVerdict(t, v, rollout.Fail, "got no answer within 2s")
}

// The check's own time ends a request, too, and is what the verdict names then.
func TestTheChecksTimeoutComesFirst(t *testing.T) {
	c := ready("/")
	c.Timeout = 100 * time.Millisecond
	v := within(time.Minute, c, serve(t, "hung", hang))
	wantVerdict(t, v, rollout.Fail, "timed out after 100ms with 1 answer outstanding")
}
