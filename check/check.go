// Package check measures a color before and while users meet it, and answers
// with verdicts that carry the figures and the evidence behind them.
//
// A check talks to the model's own instances, one by one, as the fleets speak to
// them, and resolves no name for that. Only prometheus and webhook reach further,
// to hosts that Options names. No check takes a proxy from the environment or
// follows a redirect. What is answered is not trusted: every answer is bounded
// in size and in time.
package check

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Options tune a Runner; the zero value of each field means its default.
type Options struct {
	// Log gets one line per verdict; default: nothing is logged.
	Log *slog.Logger
	// MaxEndpoints is how many endpoints one check asks at a time; default 16.
	MaxEndpoints int
	// PerEndpoint is how many golden requests one endpoint has at a time; default 4.
	PerEndpoint int
	// MaxBody bounds a golden answer in bytes; default 16 MiB.
	MaxBody int64
	// MaxLine bounds a line of a golden file in bytes; default 1 MiB.
	MaxLine int
	// ConnectTimeout bounds one TCP connection; default 3 s.
	ConnectTimeout time.Duration
	// Hosts are what prometheus and webhook checks may reach, as ParseHosts
	// reads them; default: none.
	Hosts Hosts
	// Secrets is the folder below which secrets may be files; default: none may.
	Secrets string
}

// Runner runs checks. It holds no state between runs and may be used by many
// goroutines.
type Runner struct {
	log   *slog.Logger
	opts  Options
	kinds map[string]measurer
	// limiters and id are those of one run; Run works with a copy of the Runner.
	limiters *limiters
	id       string // different for each run
}

// measurer measures what a check of one kind asks for. It has to end soon after
// ctx does and says then how much was outstanding. What it panics with becomes
// an inconclusive verdict.
type measurer func(r *Runner, ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding

// measurers has the kinds of checks, by policy.Check.Kind.
func measurers() map[string]measurer {
	return map[string]measurer{
		"endpoints": func(_ *Runner, _ context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
			return countEndpoints(job, c.Endpoints, p)
		},
		"ready":      (*Runner).askReady,
		"golden":     (*Runner).runGolden,
		"quality":    (*Runner).runQuality,
		"drift":      (*Runner).runDrift,
		"latency":    (*Runner).runLatency,
		"prometheus": (*Runner).askPrometheus,
		"webhook":    (*Runner).callWebhook,
		"expression": (*Runner).evaluate,
	}
}

// New makes a Runner.
func New(o Options) *Runner {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.MaxEndpoints = cmp.Or(o.MaxEndpoints, 16)
	o.PerEndpoint = cmp.Or(o.PerEndpoint, 4)
	o.MaxBody = cmp.Or(o.MaxBody, 16<<20)
	o.MaxLine = cmp.Or(o.MaxLine, 1<<20)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 3*time.Second)
	return &Runner{log: o.Log, opts: o, kinds: measurers()}
}

// Run runs the job's checks in stages and returns when all are done. It always
// returns one verdict per check, in the job's order.
//
// A check that ctx cancelled is inconclusive, and so is one that FailFast did.
// One that ran out of its own time has failed if the model is what it waited
// for; if a file, a Prometheus or a webhook is, it is inconclusive.
func (r *Runner) Run(ctx context.Context, job rollout.CheckJob) []rollout.Verdict {
	run := *r
	run.limiters, run.id = newLimiters(job), rand.Text()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	verdicts := make([]rollout.Verdict, len(job.Checks))
	serial := &serialProgress{report: job.Progress}
	earlier := job.Earlier
	for _, together := range stages(job.Checks) {
		var g group
		for _, i := range together {
			g.run(func() {
				verdicts[i] = run.one(ctx, job, job.Checks[i], serial)
				if job.FailFast && verdicts[i].Result == rollout.Fail {
					cancel(failedFast{check: verdicts[i].Check})
				}
			})
		}
		g.wait()
		for _, i := range together {
			earlier = withNewer(earlier, verdicts[i])
		}
		job.Earlier = earlier
	}
	return verdicts
}

// one runs one check within its own time and frames what it found.
func (r *Runner) one(ctx context.Context, job rollout.CheckJob, c policy.Check, serial *serialProgress) rollout.Verdict {
	start := time.Now()
	p := serial.of(c.Name)
	bounded := ctx
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	f := inconclusive("%s before it began", cancelled(ctx))
	if ctx.Err() == nil {
		f = r.measureAgain(bounded, job, c, p)
	}
	if f.outstanding > 0 {
		f = f.interrupted(ctx, c)
	}
	v := f.verdict(c)
	v.Took, v.At = time.Since(start), time.Now()
	p.end(v.Result)
	r.log.Info("checked", "model", job.Model, "target", job.Target, "check", c.Name,
		"result", v.Result, "summary", v.Summary, "took", v.Took)
	return v
}
