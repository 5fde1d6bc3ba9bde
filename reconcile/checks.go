package reconcile

import (
	"context"
	"slices"
	"sync"

	"greenlight/rollout"
)

// checkRun is a set of checks that runs.
type checkRun struct {
	id     uint64
	cancel context.CancelFunc

	mu  sync.Mutex
	got []rollout.CheckProgress // in policy order
}

// checkResult is what a run came to.
type checkResult struct {
	run      uint64
	verdicts []rollout.Verdict
}

// progress is how far each check is; nil when none runs.
func (r *checkRun) progress() []rollout.CheckProgress {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *checkRun) note(p rollout.CheckProgress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.got {
		if r.got[i].Check == p.Check {
			r.got[i] = p
		}
	}
}

// startChecks runs a set of checks beside the loop; it takes the place of one
// that still runs.
func (l *loop) startChecks(a rollout.RunChecks) {
	l.stopChecks()
	ctx, cancel := context.WithCancel(l.ctx)
	run := &checkRun{id: a.Run, cancel: cancel}
	for _, c := range a.Checks {
		run.got = append(run.got, rollout.CheckProgress{Check: c.Name})
	}
	job := rollout.CheckJob{
		Model: l.model, Checks: a.Checks, Target: a.Target, Live: a.Live,
		Endpoints: l.state.Facts.Endpoints,
		// As the fleets reach them now, not as the plan says: what was changed
		// in the policy's route since is in force already.
		Protocol: l.policy.Route.Protocol, RequestTimeout: l.policy.Route.Timeout,
		Progress: func(p rollout.CheckProgress) {
			run.note(p)
			signal(l.progressed)
		},
	}
	l.checks = run
	l.background.Go(func() {
		verdicts := l.o.Checker.Run(ctx, job)
		select {
		case l.checked <- checkResult{run: run.id, verdicts: verdicts}:
		case <-ctx.Done():
		}
	})
}

// conclude takes a result, unless nobody waits for it any more.
func (l *loop) conclude(r checkResult) {
	if l.checks == nil || l.checks.id != r.run {
		return
	}
	l.stopChecks()
	l.add(rollout.Checked{Run: r.run, Verdicts: r.verdicts})
}

func (l *loop) cancelChecks(run uint64) {
	if l.checks != nil && l.checks.id == run {
		l.stopChecks()
	}
}

func (l *loop) stopChecks() {
	if l.checks != nil {
		l.checks.cancel()
		l.checks = nil
	}
}
