package reconcile

import (
	"fmt"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// rejection is a policy that a node did not take. It is not tried again until
// its file changes.
type rejection struct {
	policy   *policy.Model
	reason   string
	since    time.Time
	standing bool   // it stands although rejected: there is none to go back to
	taken    string // why the one before it can't come back: who has its traffic
}

func (r *rejection) String() string {
	text := fmt.Sprintf("%s:%d: a node rejected this policy: %s; ", r.policy.Source.File, r.policy.Source.Line, r.reason)
	switch {
	case r.taken != "":
		return text + "the one before it can't come back, since " + r.taken + ": this one stands; correct the file"
	case r.standing:
		return text + "there is no earlier one to go back to; correct the file"
	}
	return text + "the one before it stands; correct the file"
}

// takeEntry takes what the policy folder says now.
func (l *loop) takeEntry(entry policy.Entry) {
	l.entry, l.took = entry, entry.Model
	m := entry.Model
	if m == nil || l.rejected != nil && same(m, l.rejected.policy) {
		return
	}
	l.rejected = nil
	if same(m, l.policy) {
		l.policy = m
		return
	}
	l.before = l.policy
	l.g.claims.use(m)
	l.use(m, false)
}

// use puts a policy in force: a new one or, with back, the one before again.
func (l *loop) use(m *policy.Model, back bool) {
	l.policy = m
	l.startWatch()
	l.add(rollout.PolicyChanged{Back: back})
}

// same reports whether two policies were read from the same words.
func same(a, b *policy.Model) bool {
	return a == b || a.Source.Hash != "" && a.Source.Hash == b.Source.Hash
}

// notePolicyTaken remembers a policy that every node runs: the one to go back to.
func (l *loop) notePolicyTaken() {
	r, p := l.report, l.published
	if p == nil || r.Generation != p.Generation || !r.Settled {
		return
	}
	if r.Connected == 0 || r.Acked < r.Connected || len(r.Rejected) > 0 {
		return
	}
	if l.accepted == nil || !same(l.accepted, p.Policy) {
		l.keepPolicy(p.Policy)
		l.accepted = p.Policy
	}
}

func (l *loop) keepPolicy(m *policy.Model) {
	if store := l.o.Policies; store != nil {
		l.g.saver.put("policy of "+l.model, func() error { return store.SaveTaken(m) })
	}
}

// revert goes back to the newest policy that the fleets took or, if none is
// known, to the one before the last change.
func (l *loop) revert(reason string) {
	if l.rejected != nil && same(l.rejected.policy, l.policy) {
		return
	}
	l.rejected = &rejection{policy: l.policy, reason: reason, since: time.Now()}
	back := l.accepted
	if back == nil || same(back, l.policy) {
		back = l.before
	}
	if back == nil || same(back, l.policy) {
		l.rejected.standing = true
		l.log.Error("policy rejected, and there is none to go back to", "file", l.policy.Source.File, "reason", reason)
		return
	}
	if taken := l.g.claims.restore(back); taken != "" {
		l.rejected.standing, l.rejected.taken = true, taken
		l.log.Error("policy rejected, and the one before it can't come back", "file", l.policy.Source.File, "reason", reason, "taken", taken)
		return
	}
	l.log.Error("policy rejected, the one before it stands", "file", l.policy.Source.File, "reason", reason)
	l.use(back, true)
}

// policyProblem is why the policy in force is not what the file says, and since when.
func (l *loop) policyProblem() (string, time.Time) {
	switch {
	case l.entry.Problem != "":
		return l.entry.Problem, l.entry.Since
	case l.rejected != nil:
		return l.rejected.String(), l.rejected.since
	default:
		return "", time.Time{}
	}
}
