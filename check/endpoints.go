package check

import (
	"fmt"

	"greenlight/policy"
	"greenlight/rollout"
)

// countEndpoints compares the target's ready endpoints with what the policy
// asks, whichever color users are on. It looks only at what the registry said. While the registry is not
// trusted its last good set is counted, and the summary says so.
func countEndpoints(job rollout.CheckJob, c *policy.EndpointsCheck, p *progress) finding {
	other := job.Target.Other()
	ready, live := len(job.Endpoints.Of(job.Target)), len(job.Endpoints.Of(other))
	needed := max(c.Min, shareRoundedUp(c.OfLive, live))
	p.begin(1)
	p.step()

	f := finding{
		result:  rollout.Pass,
		summary: fmt.Sprintf("%s has %s, needs %d", job.Target, plural(ready, "ready endpoint"), needed),
		figures: map[string]float64{"ready": float64(ready), "needed": float64(needed), "live": float64(live)},
	}
	if c.OfLive > 0 {
		f.summary += fmt.Sprintf(" (at least %d, and %s of the %d that %s has)", c.Min, percent(c.OfLive), live, other)
	}
	if ready < needed {
		f.result = rollout.Fail
		f.evidence = []rollout.Evidence{{
			Endpoint: string(job.Target),
			Expected: fmt.Sprintf("at least %s", plural(needed, "ready endpoint")),
			Got:      fmt.Sprintf("%d ready, %d registered but not ready", ready, job.Endpoints.Unready[job.Target]),
		}}
	}
	if job.Endpoints.Problem != "" {
		f.summary += "; counted from the registry's last good answer: " + job.Endpoints.Problem
	}
	return f
}

func shareRoundedUp(share policy.Weight, n int) int {
	return (int(share)*n + int(policy.Full) - 1) / int(policy.Full)
}

func percent(w policy.Weight) string { return fmt.Sprintf("%g%%", float64(w)/100) }
