package reconcile_test

import (
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// Checks reach the endpoints as the fleets do now: by the route of the policy
// in force, which is not always the one that the switch began with.
func TestChecksFollowTheRouteInForce(t *testing.T) {
	fraud := model("fraud")
	fraud.Route.Protocol = policy.HTTP1
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.take()
		if job := w.checker.job; job.Protocol != policy.HTTP1 {
			t.Errorf("checked over %q", job.Protocol)
		}
		next := changed(fraud, "fraud-2")
		next.Route.Protocol = policy.HTTP2
		w.policies(next)
		w.wait(t, "fraud", rollout.Baking, 2*time.Minute)
		time.Sleep(2 * time.Minute)
		w.take()
		if job := w.checker.job; job.Protocol != policy.HTTP2 {
			t.Errorf("checked over %q after the policy changed", job.Protocol)
		}
	}, fraud)
}
