package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Check runs a model's checks without a switch: those of validate, or only
// those named, which may be of the steps and the bake, too. They judge target
// (empty: whichever color is idle) and move nothing; neither the loop nor the
// journal hears of it. One such run of a model is under way at a time.
//
// The error is a *rollout.RefusedError, a *rollout.UnknownChecksError, or wraps
// rollout.ErrNoModel, rollout.ErrChecking, ErrStopped or ctx's.
func (g *Group) Check(ctx context.Context, model string, only []string, target policy.Color,
	progress func(rollout.CheckProgress),
) (rollout.Assessment, error) {
	status, ok := g.board.get(model)
	if !ok {
		return rollout.Assessment{}, fmt.Errorf("%w: %q", rollout.ErrNoModel, model)
	}
	if status.Policy == nil {
		return rollout.Assessment{}, g.noLoop(model)
	}
	checks, err := chosen(status.Policy, only)
	if err != nil {
		return rollout.Assessment{}, err
	}
	if target == "" && status.State.Live != "" {
		target = status.State.Live.Other()
	}
	if err := refuseCheck(status, target, checks); err != nil {
		return rollout.Assessment{}, err
	}
	if !g.checking.begin(model) {
		return rollout.Assessment{}, fmt.Errorf("%w: %q", rollout.ErrChecking, model)
	}
	defer g.checking.end(model)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.stopping, cancel)()
	job := checkJob(status.Policy, status.Endpoints, checks, target)
	job.Live, job.Predict, job.Progress = status.State.Live, status.Policy.Predict, progress
	job.For.Stage, job.For.Weights = rollout.StageCheck, status.State.Weights
	verdicts := g.o.Checker.Run(ctx, job)
	if g.stopping.Err() != nil {
		return rollout.Assessment{}, ErrStopped
	}
	if err := ctx.Err(); err != nil {
		return rollout.Assessment{}, fmt.Errorf("checks of %s: %w", model, err)
	}
	return rollout.Assessment{
		Model: model, At: time.Now(), Target: job.For.Target,
		Stages: []rollout.Stage{{Name: rollout.StageCheck, Verdicts: verdicts}},
	}, nil
}

// chosen is the checks of validate, or those that only names, in the policy's
// order. A name means the first check that has it: validate's, a step's, the bake's.
func chosen(p *policy.Model, only []string) ([]policy.Check, error) {
	if len(only) == 0 {
		return p.Validate, nil
	}
	var all []policy.Check
	var names []string
	for _, c := range slices.Concat(p.Validate, p.StepChecks.Checks, p.Bake.Checks) {
		if !slices.Contains(names, c.Name) {
			all, names = append(all, c), append(names, c.Name)
		}
	}
	unknown := &rollout.UnknownChecksError{Known: names}
	for _, name := range only {
		if !slices.Contains(names, name) && !slices.Contains(unknown.Names, name) {
			unknown.Names = append(unknown.Names, name)
		}
	}
	if len(unknown.Names) > 0 {
		return nil, unknown
	}
	return slices.DeleteFunc(all, func(c policy.Check) bool { return !slices.Contains(only, c.Name) }), nil
}

// refuseCheck says why the checks can't run now.
func refuseCheck(s rollout.Status, target policy.Color, checks []policy.Check) error {
	refuse := func(code rollout.RefusalCode, format string, args ...any) error {
		return &rollout.RefusedError{Code: code, Message: fmt.Sprintf(format, args...)}
	}
	model := s.State.Model
	switch {
	case !s.State.Facts.EndpointsKnown:
		return refuse(rollout.NotReady, "the registry has not answered for %s yet: wait, and ask again", model)
	case s.Endpoints.Problem != "":
		return refuse(rollout.NotReady, "the registry is not trusted: %s: what would be measured may not be there; correct that first",
			s.Endpoints.Problem)
	case target == "":
		return refuse(rollout.NotReady, "%s has no live color yet, so none is idle: name the color to check", model)
	case len(s.Endpoints.Of(target)) == 0:
		return refuse(rollout.NotReady, "%s of %s has no ready endpoint to check%s: register its instances first",
			target, model, unready(s.Endpoints.Unready[target]))
	case len(checks) == 0:
		return refuse(rollout.NotNow, "the policy of %s has no checks in validate: add some, or name one of the steps or the bake", model)
	default:
		return nil
	}
}

func unready(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d not ready)", n)
}

// checkJob is what every run of checks has in common. Endpoints are reached as
// the policy in force says, which is how the fleets reach them now.
func checkJob(p *policy.Model, endpoints rollout.EndpointSet, checks []policy.Check, target policy.Color) rollout.CheckJob {
	versions := func(c policy.Color) string { return strings.Join(endpoints.Versions(c), ", ") }
	return rollout.CheckJob{
		Model: p.Name, Checks: checks, Target: target, Endpoints: endpoints,
		Protocol: p.Route.Protocol, RequestTimeout: p.Route.Timeout,
		For: rollout.CheckFor{Target: rollout.Target{
			Idle: string(target), IdleVersion: versions(target),
			Live: string(target.Other()), LiveVersion: versions(target.Other()),
		}},
	}
}

// running is the models whose checks run without a switch.
type running struct {
	mu     sync.Mutex
	models map[string]struct{}
}

// begin reports whether model was free; then it is taken until end.
func (r *running) begin(model string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, busy := r.models[model]; busy {
		return false
	}
	r.models[model] = struct{}{}
	return true
}

func (r *running) end(model string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.models, model)
}
