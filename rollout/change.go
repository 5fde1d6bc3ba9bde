package rollout

import (
	"time"

	"greenlight/policy"
)

// policyChanged publishes the same weights under the new policy. A running
// switch keeps its plan for all but the route. A policy that came back is not judged.
func (t *turn) policyChanged(back bool) {
	if back {
		t.unhear()
	}
	if t.s.Live == "" {
		return
	}
	t.publishMirrored(t.s.Mirror)
	if !back && t.s.PolicyGeneration == 0 {
		t.s.PolicyGeneration, t.s.PolicyAt = t.s.Generation, t.now
	}
	t.s.Reverting = false
	t.awaitAgain()
}

// rediscover forgets what the registry said, since it spoke of other instances.
// A check measured those: a validation starts again, and the checks of a step or
// a bake run again, when the new discovery has spoken.
func (t *turn) rediscover() {
	t.s.Facts.Endpoints, t.s.Facts.EndpointsKnown, t.s.Facts.Rediscovering = EndpointSet{}, false, true
	t.cancelChecks()
	t.s.NextCheck = time.Time{} // due when it is known what to measure
	t.s.Passed, t.s.Open = time.Time{}, ""
	if t.s.Phase == Approving {
		t.forgetApprovals()
		t.reenter(Validating, 0, "the discovery changed: the target is measured again")
	}
	if t.s.Resume == Approving {
		t.forgetApprovals()
		t.s.Resume = Validating
		t.s.Switch.Validated = time.Time{}
	}
	if t.validationHeld() {
		t.s.Switch.Cause = ""
		t.reenter(Validating, 0, "the discovery changed: the target is measured again")
	}
	if t.s.Phase == Validating {
		t.s.Switch.Validated, t.s.GiveUpAt, t.s.Queued = time.Time{}, time.Time{}, Queued{}
	}
}

// observed takes the registry's answer. After a change of discovery the last
// good answer may stand in for the new one: it speaks of the old instances, so
// that only its problem is news.
func (t *turn) observed(e EndpointSet) {
	f := &t.s.Facts
	if f.Rediscovering && e.Problem != "" {
		f.Endpoints = EndpointSet{Problem: e.Problem, Since: e.Since}
		return
	}
	for _, c := range policy.Colors {
		if f.ready(c) != len(e.Of(c)) {
			*f.Resized.At(c) = t.now
		}
	}
	f.Endpoints, f.EndpointsKnown, f.Rediscovering = e, true, false
	t.noteWarmUp()
}

// awaitAgain restarts the wait for ACKs of a routing that was just published.
func (t *turn) awaitAgain() {
	if t.s.Phase == Confirming || t.s.Phase == RollingBack || t.s.Phase == Drilling {
		t.s.Deadline = t.now.Add(t.plan().Confirm.Within)
	}
}

// judgePolicy takes a changed policy back, once, if a node rejects it before
// every node has confirmed it. The policy that is put back in its place is
// not judged again: that would go round for ever.
//
// A listener belongs to the fleet: one that was rejected before the change
// stands rejected under every policy.
func (t *turn) judgePolicy() {
	if t.s.PolicyGeneration == 0 {
		return
	}
	if cause := t.s.Facts.rejectionSince(t.s.Generation, t.s.PolicyAt); cause != "" {
		t.s.PolicyGeneration, t.s.PolicyAt, t.s.Reverting = 0, time.Time{}, true
		t.act(RevertPolicy{cause})
	} else if t.s.Facts.confirmed(t.s.Generation) {
		t.s.PolicyGeneration, t.s.PolicyAt, t.s.Unsure = 0, time.Time{}, nil
	}
}
