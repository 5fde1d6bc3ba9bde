package simulate

import (
	"cmp"
	"reflect"

	"greenlight/policy"
	"greenlight/rollout"
)

// policies is which policy is in force, as a loop of reconcile keeps it.
type policies struct {
	entry    policy.Entry  // what the policy folder says
	force    *policy.Model // in force
	before   *policy.Model // in force before the last change; nil if none was
	accepted *policy.Model // the newest that all nodes took; nil if none is known
	rejected *policy.Model // the one that a node did not take; nil if none
	standing bool          // rejected stands: there is none to go back to
	problem  string        // why what is in force is not what the file says
}

// same reports whether two policies were read from the same words.
func same(a, b *policy.Model) bool {
	return a == b || a != nil && b != nil && a.Source.Hash != "" && a.Source.Hash == b.Source.Hash
}

// restart forgets what is not on disk: it goes on under the policy that the fleets have,
// whose word on what should be live is the last one that was heeded.
func (p *policies) restart(word policy.Wanted) {
	p.before, p.rejected, p.standing, p.problem = nil, nil, false, ""
	p.force = cmp.Or(p.accepted, p.entry.Model, p.force)
	if !same(p.force, p.entry.Model) {
		stands := *p.force
		stands.Wanted = word
		p.force = &stands
	}
}

// publishable is m, or what stands in for it because a node has just rejected it.
func (p *policies) publishable(m *policy.Model) *policy.Model {
	if p.rejected != nil && !p.standing && same(m, p.rejected) {
		return p.force
	}
	return m
}

// note remembers a policy that every node runs: the one to go back to.
func (p *policies) note(published *rollout.Routing, r rollout.Report) {
	if published == nil || r.Generation != published.Generation || !r.Settled ||
		r.Connected == 0 || r.Acked < r.Connected || len(r.Rejected) > 0 {
		return
	}
	if p.accepted == nil || !same(p.accepted, published.Policy) {
		p.accepted = published.Policy
	}
}

// TakePolicy takes what the policy folder says now.
func (w *World) TakePolicy(entry policy.Entry) {
	p := &w.policies
	p.entry = entry
	m := entry.Model
	if w.down || m == nil || same(m, p.rejected) {
		return
	}
	p.rejected, p.standing, p.problem = nil, false, ""
	if same(m, p.force) {
		p.force = m
		return
	}
	p.before = p.force
	w.use(m, false)
}

// use puts a policy in force: a new one or, with back, the one before again. Another
// discovery is asked at once, and answers at once.
func (w *World) use(m *policy.Model, back bool) {
	p := &w.policies
	other := w.discovers(m)
	p.force = m
	if other {
		w.apply(rollout.Rediscovering{})
	}
	w.apply(rollout.PolicyChanged{Back: back})
	if other {
		w.observe()
	}
}

// revert goes back to the newest policy that the fleets took or, if none is known, to
// the one before the last change.
func (w *World) revert(reason string) {
	p := &w.policies
	if p.rejected != nil && same(p.rejected, p.force) {
		return
	}
	p.rejected = p.force
	back := p.accepted
	if back == nil || same(back, p.force) {
		back = p.before
	}
	p.problem = "a node rejected this policy: " + reason
	if back == nil || same(back, p.force) {
		p.standing = true
		p.problem += "; there is no earlier one to go back to"
		w.tell(p.problem)
		return
	}
	p.problem += "; the one before it stands"
	w.tell(p.problem)
	w.planHere(0, func() { w.use(back, true) })
}

// PolicyProblem is why the policy in force is not what the file says; empty when it is.
func (w *World) PolicyProblem() string { return cmp.Or(w.policies.entry.Problem, w.policies.problem) }

// discovers reports whether m finds other instances than the policy in force.
func (w *World) discovers(m *policy.Model) bool {
	return !reflect.DeepEqual(m.Discovery, w.policies.force.Discovery)
}
