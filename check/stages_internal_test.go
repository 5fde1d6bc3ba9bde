package check

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// play is a run of checks whose measuring takes no network: what each does is
// said by a function of its name.
type play struct {
	mu     sync.Mutex
	began  []string // in this order
	inside []string // that measure right now
	alone  map[string]bool
	do     map[string]func(ctx context.Context, p *progress) finding
}

func (s *play) measure(_ *Runner, ctx context.Context, _ rollout.CheckJob, c policy.Check, p *progress) finding {
	s.mu.Lock()
	s.began = append(s.began, c.Name)
	s.inside = append(s.inside, c.Name)
	if s.alone == nil {
		s.alone = map[string]bool{}
	}
	s.alone[c.Name] = true
	if len(s.inside) > 1 {
		for _, name := range s.inside {
			s.alone[name] = false
		}
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inside = slices.DeleteFunc(s.inside, func(n string) bool { return n == c.Name })
	}()
	if do := s.do[c.Name]; do != nil {
		return do(ctx, p)
	}
	return takes(time.Second, finding{result: rollout.Pass, summary: "fine"})(ctx, p)
}

// takes comes to f after d, unless it is interrupted.
func takes(d time.Duration, f finding) func(context.Context, *progress) finding {
	return func(ctx context.Context, _ *progress) finding {
		select {
		case <-time.After(d):
			return f
		case <-ctx.Done():
			return finding{outstanding: 3}
		}
	}
}

func (s *play) runner(log *slog.Logger) *Runner {
	r := New(Options{Log: log})
	for kind := range r.kinds {
		r.kinds[kind] = s.measure
	}
	for _, kind := range policy.Kinds {
		r.kinds[kind] = s.measure
	}
	return r
}

// plan makes one check for each word, which is its kind and its name:
// "golden", "latency-2".
func plan(names ...string) []policy.Check {
	var out []policy.Check
	for _, name := range names {
		c := policy.Check{Name: name, Timeout: time.Minute}
		kind, _, _ := strings.Cut(name, "-")
		switch kind {
		case "golden":
			c.Golden = &policy.GoldenCheck{}
		case "ready":
			c.Ready = &policy.ReadyCheck{}
		case "quality":
			c.Quality = &policy.QualityCheck{}
		case "latency":
			c.Latency = &policy.LatencyCheck{}
		case "prometheus":
			c.Prometheus = &policy.PrometheusCheck{}
		case "webhook":
			c.Webhook = &policy.WebhookCheck{}
		case "expression":
			c.Expression = &policy.ExpressionCheck{}
		}
		out = append(out, c)
	}
	return out
}

func want(t *testing.T, v rollout.Verdict, result rollout.Result, summary string) {
	t.Helper()
	if v.Result != result || v.Summary != summary {
		t.Errorf("%s: %s %q, want %s %q", v.Check, v.Result, v.Summary, result, summary)
	}
}

func TestStagesKeepDisturbersApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &play{}
		names := []string{"webhook", "expression", "latency-b", "golden", "latency-a", "quality", "expression-2", "prometheus"}
		began := time.Now()
		verdicts := s.runner(nil).Run(t.Context(), rollout.CheckJob{Checks: plan(names...)})
		for i, v := range verdicts {
			if v.Check != names[i] || v.Result != rollout.Pass {
				t.Errorf("verdict %d is %+v, want a pass of %s", i, v, names[i])
			}
		}
		// golden, quality and prometheus take a second together, the others one each.
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("took %v", took)
		}
		last := s.began[3:]
		if want := []string{"latency-b", "latency-a", "expression", "expression-2", "webhook"}; !slices.Equal(last, want) {
			t.Errorf("order %v, want %v after the rest", last, want)
		}
		for _, name := range last {
			if !s.alone[name] {
				t.Errorf("%s was not alone", name)
			}
		}
	})
}

// Whatever the checks are and come to, each has one verdict, in order, and only
// the first stage is shared.
func TestOneVerdictEachInOrder(t *testing.T) {
	kinds := []string{"golden", "ready", "quality", "latency", "prometheus", "webhook", "expression"}
	results := []rollout.Result{rollout.Pass, rollout.Fail, rollout.Inconclusive}
	rapid.Check(t, func(rt *rapid.T) {
		s := &play{do: map[string]func(context.Context, *progress) finding{}}
		var names []string
		for i := range rapid.IntRange(0, 8).Draw(rt, "checks") {
			name := fmt.Sprintf("%s-%d", rapid.SampledFrom(kinds).Draw(rt, "kind"), i)
			names = append(names, name)
			d := time.Duration(rapid.IntRange(0, 90).Draw(rt, "seconds")) * time.Second
			s.do[name] = takes(d, finding{result: rapid.SampledFrom(results).Draw(rt, "result"), summary: "so"})
		}
		failFast := rapid.Bool().Draw(rt, "failFast")
		synctest.Test(t, func(t *testing.T) {
			verdicts := s.runner(nil).Run(t.Context(), rollout.CheckJob{Checks: plan(names...), FailFast: failFast})
			if len(verdicts) != len(names) {
				rt.Fatalf("%d verdicts for %d checks", len(verdicts), len(names))
			}
			for i, v := range verdicts {
				if v.Check != names[i] || v.Summary == "" || !slices.Contains(results, v.Result) {
					rt.Fatalf("verdict %d is %+v", i, v)
				}
			}
		})
	})
}

func TestFailFastCancelsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &play{do: map[string]func(context.Context, *progress) finding{
			"golden":  takes(2*time.Second, finding{result: rollout.Fail, summary: "wrong"}),
			"quality": takes(time.Hour, finding{result: rollout.Pass}),
		}}
		began := time.Now()
		v := s.runner(nil).Run(t.Context(), rollout.CheckJob{Checks: plan("quality", "golden", "ready", "latency", "webhook"), FailFast: true})
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		want(t, v[0], rollout.Inconclusive, "cancelled: check golden failed with 3 answers outstanding")
		want(t, v[1], rollout.Fail, "wrong")
		want(t, v[2], rollout.Pass, "fine")
		want(t, v[3], rollout.Inconclusive, "cancelled: check golden failed before it began")
		want(t, v[4], rollout.Inconclusive, "cancelled: check golden failed before it began")
	})
}

func TestWithoutFailFastAllAreMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &play{do: map[string]func(context.Context, *progress) finding{
			"golden": takes(time.Second, finding{result: rollout.Fail, summary: "wrong"}),
		}}
		v := s.runner(nil).Run(t.Context(), rollout.CheckJob{Checks: plan("golden", "latency", "webhook")})
		want(t, v[1], rollout.Pass, "fine")
		want(t, v[2], rollout.Pass, "fine")
	})
}

// attempts comes to each finding in turn, and to the last one from then on.
func attempts(count *int, all ...finding) func(context.Context, *progress) finding {
	return func(_ context.Context, p *progress) finding {
		f := all[min(*count, len(all)-1)]
		*count++
		p.begin(2)
		p.add(2)
		return f
	}
}

func TestInconclusiveIsMeasuredAgain(t *testing.T) {
	nothing := finding{result: rollout.Inconclusive, summary: "no series"}
	good := finding{result: rollout.Pass, summary: "good"}
	bad := finding{result: rollout.Fail, summary: "bad"}
	never := nothing
	never.final = true
	for name, c := range map[string]struct {
		retries  int
		timeout  time.Duration
		findings []finding
		result   rollout.Result
		summary  string
		took     time.Duration
	}{
		"at first":         {3, time.Minute, []finding{good}, rollout.Pass, "good", 0},
		"no retries":       {0, time.Minute, []finding{nothing, good}, rollout.Inconclusive, "no series", 0},
		"the second time":  {3, time.Minute, []finding{nothing, good}, rollout.Pass, "good; measured 2 times", time.Second},
		"a fail stays":     {3, time.Minute, []finding{bad, good}, rollout.Fail, "bad", 0},
		"a fail at last":   {3, time.Minute, []finding{nothing, nothing, bad, good}, rollout.Fail, "bad; measured 3 times", 3 * time.Second},
		"never":            {3, time.Minute, []finding{nothing}, rollout.Inconclusive, "no series; measured 4 times", 7 * time.Second},
		"final":            {3, time.Minute, []finding{never}, rollout.Inconclusive, "no series", 0},
		"pauses are short": {7, time.Hour, []finding{nothing}, rollout.Inconclusive, "no series; measured 8 times", (1 + 2 + 4 + 8 + 16 + 30 + 30) * time.Second},
		"time is up":       {9, 10 * time.Second, []finding{nothing}, rollout.Inconclusive, "no series; measured 4 times", 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				count := 0
				s := &play{do: map[string]func(context.Context, *progress) finding{"prometheus": attempts(&count, c.findings...)}}
				checks := plan("prometheus")
				checks[0].Retries, checks[0].Timeout = c.retries, c.timeout
				began := time.Now()
				var last rollout.CheckProgress
				v := s.runner(nil).Run(t.Context(), rollout.CheckJob{Checks: checks, Progress: func(p rollout.CheckProgress) {
					if p.Done < last.Done || p.Total < last.Total {
						t.Errorf("progress went from %+v to %+v", last, p)
					}
					last = p
				}})
				want(t, v[0], c.result, c.summary)
				if took := time.Since(began); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if last.Done != 2*count || last.Total != 2*count || last.Result != c.result {
					t.Errorf("progress ended at %+v after %d measurements", last, count)
				}
			})
		})
	}
}

func TestPauseEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := 0
		s := &play{do: map[string]func(context.Context, *progress) finding{
			"prometheus": attempts(&count, finding{result: rollout.Inconclusive, summary: "no series"}),
		}}
		checks := plan("prometheus")
		checks[0].Retries = 9
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		v := s.runner(nil).Run(ctx, rollout.CheckJob{Checks: checks})
		want(t, v[0], rollout.Inconclusive, "no series; measured 3 times")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestWhoIsToBlameForATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &play{do: map[string]func(context.Context, *progress) finding{
			"golden": takes(time.Hour, finding{}),
			"webhook": func(ctx context.Context, _ *progress) finding {
				<-ctx.Done()
				return waiting("gate has not answered")
			},
		}}
		v := s.runner(nil).Run(t.Context(), rollout.CheckJob{Checks: plan("golden", "webhook")})
		want(t, v[0], rollout.Fail, "timed out after 1m0s with 3 answers outstanding")
		want(t, v[1], rollout.Inconclusive, "timed out after 1m0s: gate has not answered")

		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		v = s.runner(nil).Run(ctx, rollout.CheckJob{Checks: plan("golden", "webhook")})
		want(t, v[1], rollout.Inconclusive, "cancelled")
	})
}

// Neither in the check's own goroutine nor in one of its helpers may a panic
// end the process, or pass for a verdict on the model.
func TestPanicIsInconclusive(t *testing.T) {
	s := &play{do: map[string]func(context.Context, *progress) finding{
		"golden": func(context.Context, *progress) finding { panic("index out of range") },
		"ready": func(context.Context, *progress) finding {
			eachEndpoint([]rollout.Endpoint{{ID: "a"}, {ID: "b"}}, 1, func(e rollout.Endpoint) {
				if e.ID == "a" {
					panic("a helper fell")
				}
			})
			return finding{result: rollout.Pass}
		},
	}}
	var log bytes.Buffer
	v := s.runner(slog.New(slog.NewTextHandler(&log, nil))).Run(t.Context(), rollout.CheckJob{Checks: plan("golden", "ready", "quality")})
	want(t, v[0], rollout.Inconclusive, "internal error: index out of range; the server's log has the stack")
	want(t, v[1], rollout.Inconclusive, "internal error: a helper fell; the server's log has the stack")
	want(t, v[2], rollout.Pass, "fine")
	if !strings.Contains(log.String(), "TestPanicIsInconclusive") {
		t.Errorf("no stack in the log: %s", log.String())
	}
}

// What comes later gets the newest verdict of each check.
func TestLaterStagesKnowTheNewestVerdicts(t *testing.T) {
	var seen []rollout.Verdict
	s := &play{}
	r := s.runner(nil)
	r.kinds["webhook"] = func(_ *Runner, _ context.Context, job rollout.CheckJob, _ policy.Check, _ *progress) finding {
		seen = job.Earlier
		return finding{result: rollout.Pass, summary: "fine"}
	}
	before := []rollout.Verdict{{Check: "ready", Summary: "of before"}, {Check: "golden", Summary: "of before"}}
	synctest.Test(t, func(t *testing.T) {
		r.Run(t.Context(), rollout.CheckJob{Checks: plan("webhook", "golden", "expression"), Earlier: before})
	})
	var got []string
	for _, v := range seen {
		got = append(got, v.Check+": "+v.Summary)
	}
	if w := []string{"ready: of before", "golden: fine", "expression: fine"}; !slices.Equal(got, w) {
		t.Errorf("the webhook knew %v, want %v", got, w)
	}
	if before[1].Summary != "of before" {
		t.Error("the job's own verdicts were written to")
	}
}

func TestCapOfAColorWithUsers(t *testing.T) {
	live, idle := policy.Cap{Concurrency: 4, PerSecond: 100}, policy.Cap{Concurrency: 16}
	job := rollout.CheckJob{Target: policy.Green, Live: policy.Blue, Predict: policy.Predict{Load: policy.Load{Idle: idle, Live: live}}}
	for weight, want := range map[policy.Weight]policy.Cap{0: idle, 1: live, policy.Full: live} {
		job.For.Weights = rollout.Split(policy.Green, weight)
		if got := capOf(job, policy.Green); got != want {
			t.Errorf("green with weight %d may be sent %+v, want %+v", weight, got, want)
		}
		if got := capOf(job, policy.Blue); got != live {
			t.Errorf("live blue may be sent %+v", got)
		}
	}
}
