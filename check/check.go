// Package check measures a color before and while users meet it, and answers
// with verdicts that carry the figures and the evidence behind them.
//
// A check talks to the model's own instances, one by one, and to nothing else:
// it takes no proxy from the environment, follows no redirect and resolves no
// name. It speaks what the fleets speak to them. What an instance answers is not trusted: every answer is bounded in
// size and in time.
package check

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
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
}

// Runner runs checks. It holds no state between runs and may be used by many
// goroutines.
type Runner struct {
	log  *slog.Logger
	opts Options
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
	return &Runner{log: o.Log, opts: o}
}

// Run runs the job's checks at the same time and returns when all are done. It
// always returns one verdict per check, in the job's order: a check that ctx
// cancelled is inconclusive, one that ran out of its own time has failed.
func (r *Runner) Run(ctx context.Context, job rollout.CheckJob) []rollout.Verdict {
	verdicts := make([]rollout.Verdict, len(job.Checks))
	serial := &serialProgress{report: job.Progress}
	var wg sync.WaitGroup
	for i, c := range job.Checks {
		wg.Go(func() {
			verdicts[i] = r.one(ctx, job, c, serial)
		})
	}
	wg.Wait()
	return verdicts
}

// one runs one check within its own time and frames what it found.
func (r *Runner) one(ctx context.Context, job rollout.CheckJob, c policy.Check, serial *serialProgress) rollout.Verdict {
	start := time.Now()
	bounded := ctx
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	f := inconclusive("cancelled before it began")
	if ctx.Err() == nil {
		f = r.measure(bounded, job, c, serial.of(c.Name))
	}
	if f.outstanding > 0 {
		f = f.interrupted(ctx, c)
	}
	v := rollout.Verdict{
		Check: c.Name, Kind: c.Kind(),
		Result: f.result, Summary: f.summary, Figures: f.figures, Evidence: f.evidence,
		Took: time.Since(start), At: time.Now(),
	}
	r.log.Info("checked", "model", job.Model, "target", job.Target, "check", c.Name,
		"result", v.Result, "summary", v.Summary, "took", v.Took)
	return v
}

func (r *Runner) measure(ctx context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	switch {
	case c.Endpoints != nil:
		return countEndpoints(job, c.Endpoints, p)
	case c.Ready != nil:
		return r.askReady(ctx, job, c, p)
	case c.Golden != nil:
		return r.runGolden(ctx, job, c, p)
	default:
		return inconclusive("the policy names nothing to measure")
	}
}
