package check

import (
	"context"
	"errors"
	"slices"

	"greenlight/policy"
	"greenlight/rollout"
)

// stages says which checks run together, by their index, and in which order:
// first all that don't disturb each other; then each latency check alone, for
// any other request would be measured with it; then what needs the figures of
// all before: expressions, and webhooks last, which are told everything. Each
// of those is alone, too, in the policy's order.
func stages(checks []policy.Check) [][]int {
	var together []int
	alone := make([][]int, 3) // latency, expression, webhook
	for i, c := range checks {
		switch {
		case c.Latency != nil:
			alone[0] = append(alone[0], i)
		case c.Expression != nil:
			alone[1] = append(alone[1], i)
		case c.Webhook != nil:
			alone[2] = append(alone[2], i)
		default:
			together = append(together, i)
		}
	}
	out := [][]int{together}
	for _, i := range slices.Concat(alone...) {
		out = append(out, []int{i})
	}
	return out
}

// withNewer is earlier with v instead of the verdict of the same check.
func withNewer(earlier []rollout.Verdict, v rollout.Verdict) []rollout.Verdict {
	out := slices.Clone(earlier)
	if at := slices.IndexFunc(out, func(e rollout.Verdict) bool { return e.Check == v.Check }); at >= 0 {
		out[at] = v
		return out
	}
	return append(out, v)
}

// failedFast is why a run was cancelled: one check has failed, and nobody
// waits for the rest.
type failedFast struct{ check string }

func (f failedFast) Error() string { return "check " + f.check + " failed" }

// cancelled says that a run was cancelled, and why if it is known: "cancelled",
// "cancelled: check golden failed".
func cancelled(run context.Context) string {
	if why, ok := errors.AsType[failedFast](context.Cause(run)); ok {
		return "cancelled: " + why.Error()
	}
	return "cancelled"
}
