package rollout

// policyChanged publishes the same weights under the new policy. A running
// switch keeps its plan for all but the route.
func (t *turn) policyChanged() {
	if t.s.Live == "" {
		return
	}
	t.publish(t.s.Weights)
	if !t.s.Reverting && t.s.PolicyGeneration == 0 {
		t.s.PolicyGeneration = t.s.Generation
	}
	t.s.Reverting = false
	t.awaitAgain()
}

// awaitAgain restarts the wait for ACKs of a routing that was just published.
func (t *turn) awaitAgain() {
	if t.s.Phase == Confirming || t.s.Phase == RollingBack {
		t.s.Deadline = t.now.Add(t.plan().Confirm.Within)
	}
}

// judgePolicy takes a changed policy back, once, if a node rejects it before
// every node has confirmed it. The policy that is put back in its place is
// not judged again: that would go round for ever.
func (t *turn) judgePolicy() {
	if t.s.PolicyGeneration == 0 {
		return
	}
	if cause := t.s.Facts.rejection(t.s.Generation); cause != "" {
		t.s.PolicyGeneration, t.s.Reverting = 0, true
		t.act(RevertPolicy{cause})
	} else if t.s.Facts.confirmed(t.s.Generation) {
		t.s.PolicyGeneration = 0
	}
}
