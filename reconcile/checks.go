package reconcile

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"greenlight/policy"
	"greenlight/rollout"
)

// checkRun is a set of checks that runs.
type checkRun struct {
	id       uint64
	switchID string
	stage    string
	cancel   context.CancelFunc

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
	sw := l.state.Switch
	run := &checkRun{id: a.Run, switchID: sw.ID, stage: a.Stage, cancel: cancel}
	for _, c := range a.Checks {
		run.got = append(run.got, rollout.CheckProgress{Check: c.Name})
	}
	// What was changed in the policy's route since the switch began is in force
	// already; how predictions are asked for is part of its plan.
	job := checkJob(l.policy, l.state.Facts.Endpoints, a.Checks, a.Target)
	if len(a.Through) > 0 {
		job.Endpoints, job.Host = throughEntries(a.Target, a.Through), userHost(l.policy)
	}
	job.Live, job.FailFast, job.Predict = a.Live, a.FailFast, sw.Plan.Predict
	job.Earlier = slices.Clone(sw.Verdicts)
	job.For = rollout.CheckFor{
		Switch: sw.ID, Stage: a.Stage, Weights: l.state.Weights, Actor: sw.Actor, Reason: sw.Reason,
		Target: rollout.Target{
			Idle: string(sw.To), IdleVersion: sw.ToVersion, Live: string(sw.From), LiveVersion: sw.FromVersion,
		},
	}
	job.Progress = func(p rollout.CheckProgress) {
		run.note(p)
		signal(l.progressed)
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

// throughEntries puts the fleets' entries in the place of c's endpoints.
func throughEntries(c policy.Color, entries []rollout.Entry) rollout.EndpointSet {
	var out []rollout.Endpoint
	for _, e := range entries {
		host, port, err := net.SplitHostPort(e.Address)
		if err != nil {
			continue
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			continue
		}
		id := e.Fleet
		if e.Node != "" {
			id += "/" + e.Node
		}
		out = append(out, rollout.Endpoint{ID: id, Address: host, Port: number, Weight: 1})
	}
	if c == policy.Blue {
		return rollout.EndpointSet{Blue: out}
	}
	return rollout.EndpointSet{Green: out}
}

// userHost is a host by which users ask for the model.
func userHost(p *policy.Model) string {
	for _, h := range p.Route.Hosts {
		switch {
		case h == "*":
			return p.Name
		case strings.HasPrefix(h, "*"):
			return p.Name + h[1:]
		default:
			return h
		}
	}
	return p.Name
}

// conclude takes a result, unless nobody waits for it any more.
func (l *loop) conclude(r checkResult) {
	if l.checks == nil || l.checks.id != r.run {
		return
	}
	run := l.checks
	l.stopChecks()
	l.keepVerdicts(run, r.verdicts)
	l.add(rollout.Checked{Run: r.run, Verdicts: withoutDetail(r.verdicts)})
}

// keepVerdicts saves a run's verdicts, details and all, for the switch's report,
// beside the loop: what keeps a switch going is in the journal.
func (l *loop) keepVerdicts(run *checkRun, verdicts []rollout.Verdict) {
	l.saveVerdicts(run.switchID, run.stage, verdicts)
}

func (l *loop) saveVerdicts(switchID, stage string, verdicts []rollout.Verdict) {
	if l.o.Reports == nil || len(verdicts) == 0 {
		return
	}
	what := fmt.Sprintf("verdicts of %s, switch %s: %s", stage, switchID, verdicts[0].Check)
	l.g.saver.put(what, func() error {
		return l.o.Reports.SaveVerdicts(switchID, stage, verdicts)
	})
}

// withoutDetail is verdicts as a state holds them.
func withoutDetail(verdicts []rollout.Verdict) []rollout.Verdict {
	out := slices.Clone(verdicts)
	for i := range out {
		out[i].Detail = nil
	}
	return out
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
