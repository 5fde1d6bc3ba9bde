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
	fraud.Route.Protocol, fraud.Route.Timeout = policy.HTTP1, 2*time.Second
	run(t, func(t *testing.T, w *world) {
		w.registry.say("fraud", set(2, 2))
		time.Sleep(time.Second)
		w.do(t, rollout.Start)
		w.take()
		if job := w.checker.job; job.Protocol != policy.HTTP1 || job.RequestTimeout != 2*time.Second {
			t.Errorf("checked over %q within %v", job.Protocol, job.RequestTimeout)
		}
		next := changed(fraud, "fraud-2")
		next.Route.Protocol, next.Route.Timeout = policy.HTTP2, 0
		w.policies(next)
		w.wait(t, "fraud", rollout.Baking, 2*time.Minute)
		time.Sleep(2 * time.Minute)
		w.take()
		if job := w.checker.job; job.Protocol != policy.HTTP2 || job.RequestTimeout != 0 {
			t.Errorf("checked over %q within %v after the policy changed", job.Protocol, job.RequestTimeout)
		}
	}, fraud)
}
