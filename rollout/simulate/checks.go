package simulate

import (
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// checkRun is a set of checks that runs.
type checkRun struct {
	id       uint64
	job      rollout.RunChecks
	began    time.Time
	verdicts []rollout.Verdict // of those that are done, by their place in the job
	left     int
}

// startChecks runs a set of checks; it takes the place of one that still runs.
func (w *World) startChecks(a rollout.RunChecks) {
	run := &checkRun{id: a.Run, job: a, began: w.now, verdicts: make([]rollout.Verdict, len(a.Checks)), left: len(a.Checks)}
	w.run = run
	for i, c := range a.Checks {
		takes := w.given.Checks.of(c.Name).Takes
		late := c.Timeout > 0 && takes > c.Timeout
		if late {
			takes = c.Timeout
		}
		w.planHere(w.checksTake(takes), func() {
			if w.run != run {
				return
			}
			v := w.verdict(c, a)
			if late {
				v.Result, v.Summary = rollout.Inconclusive, "no result within "+c.Timeout.String()
			}
			w.checked(run, i, v)
		})
	}
	if len(a.Checks) == 0 {
		w.planHere(0, func() { w.conclude(run) })
	}
}

// checked takes one check's verdict.
func (w *World) checked(run *checkRun, i int, v rollout.Verdict) {
	run.verdicts[i] = v
	run.left--
	if v.Result == rollout.Fail && run.job.FailFast {
		for j := range run.verdicts {
			if c := run.job.Checks[j]; run.verdicts[j].Check == "" {
				run.verdicts[j] = rollout.Verdict{
					Check: c.Name, Kind: c.Kind(), Result: rollout.Inconclusive, At: w.now,
					Summary: "cancelled: another check has failed", Took: w.now.Sub(run.began),
				}
			}
		}
		run.left = 0
	}
	if run.left == 0 {
		w.conclude(run)
	}
}

// conclude takes a result, unless nobody waits for it any more.
func (w *World) conclude(run *checkRun) {
	if w.run != run {
		return
	}
	w.run = nil
	w.apply(rollout.Checked{Run: run.id, Verdicts: run.verdicts})
}

// of is what the check of this name comes to.
func (c Checks) of(name string) Check {
	if by, ok := c.By[name]; ok {
		return by
	}
	return c.All
}

// verdict is what a check comes to now.
func (w *World) verdict(c policy.Check, a rollout.RunChecks) rollout.Verdict {
	given := w.given.Checks.of(c.Name)
	v := rollout.Verdict{
		Check: c.Name, Kind: c.Kind(), Result: given.Result, Summary: given.Summary, At: w.now, Took: given.Takes,
	}
	if v.Result == "" && c.Endpoints != nil {
		v.Result, v.Summary = w.countEndpoints(c.Endpoints, a.Target)
		return v
	}
	if v.Result == "" {
		v.Result = rollout.Pass
	}
	if v.Summary == "" {
		v.Summary = "as the scenario says"
	}
	return v
}

// countEndpoints is what the check of endpoints does.
func (w *World) countEndpoints(c *policy.EndpointsCheck, target policy.Color) (rollout.Result, string) {
	e := w.state.Facts.Endpoints
	ready, other := len(e.Of(target)), len(e.Of(target.Other()))
	full := int(policy.Full)
	needed := max(c.Min, (int(c.OfLive)*other+full-1)/full)
	summary := fmt.Sprintf("%s has %s, needs %d", target, plural(ready, "ready endpoint"), needed)
	if ready < needed {
		return rollout.Fail, summary
	}
	return rollout.Pass, summary
}

// plural is "1 instance", "2 instances".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
