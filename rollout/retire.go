package rollout

import (
	"fmt"
	"time"
)

// retire lets the old color go once its time has come, no node may send there,
// and every request that was under way has had its time.
func (t *turn) retire() bool {
	t.noteQuiet()
	l := &t.s.Letting
	if l.Problem != "" {
		t.say(fmt.Sprintf("letting %s go failed %s: %s", t.s.Switch.From, count(l.Tries, "time"), l.Problem))
	}
	if !l.Until.IsZero() {
		if waits, ended := t.awaitRetirement(); waits {
			return ended
		}
	}
	if !l.Asked.IsZero() || !t.due(t.s.Deadline) {
		return false
	}
	if l.Quiet.IsZero() || !t.s.Facts.trusted() || !t.noneSends() {
		t.say(t.retirementWaits())
		return false
	}
	if r := t.s.Readiness(); r.Short {
		t.say(fmt.Sprintf("%s does not retire while it could not take the traffic back: %s", t.s.Switch.From, r.Why))
		return false
	}
	if end := l.Quiet.Add(t.longestRequest()); !t.due(end) {
		t.s.Deadline = end
		return false
	}
	sw := t.s.Switch
	if now := t.s.Facts.version(sw.From); t.s.Facts.ready(sw.From) > 0 && now != sw.FromVersion {
		t.enter(Idle, fmt.Sprintf("%s serves %q by now, not %q: it is not let go", sw.From, now, sw.FromVersion))
		return true
	}
	if t.plan().Retire.Repurpose {
		t.enter(Idle, fmt.Sprintf("%s is kept as staging: only the preview reaches it", sw.From))
		return true
	}
	if waits, ended := t.awaitRetirement(); waits {
		return ended
	}
	l.Asked = t.now
	if sw.LetGo.IsZero() {
		sw.LetGo = t.now
	}
	t.ask(LetGo{Key: sw.ID, Instances: t.s.old()})
	return false
}

// ask has instances of the old color let go, or brought back. A running switch keeps to
// its plan; one that is over asks whom the policy names now, since that is where a person
// corrects what was asked in vain, and where the registry has them now.
func (t *turn) ask(a LetGo) {
	sw := t.s.Switch
	a.SwitchID, a.Color, a.Version = sw.ID, sw.From, sw.FromVersion
	a.How, a.Discovery = t.plan().Retire, t.plan().Discovery
	if sw.Outcome != "" {
		a.Discovery = t.p.Discovery
		if t.p.Retire.Hooked() {
			a.How = t.p.Retire
		}
	}
	t.act(a)
}

// noneSends reports whether no node, connected or stale, may still send users'
// requests to the old color.
func (t *turn) noneSends() bool {
	f := t.s.Facts
	return f.settled(t.s.Generation) && f.Report.MaySend[t.s.Switch.From] == 0
}

// noteQuiet remembers since when the old color gets no request. A fleet that
// is silent changes nothing; retire asks again whether it is known now.
func (t *turn) noteQuiet() {
	l := &t.s.Letting
	switch {
	case !t.s.Facts.settled(t.s.Generation):
	case !t.noneSends():
		l.Quiet = time.Time{}
	case l.Quiet.IsZero():
		l.Quiet = t.now
	}
}

// longestRequest is how long a request that is under way may take. Without a
// timeout there is no such time, and retire.after alone has to be long enough.
func (t *turn) longestRequest() time.Duration {
	return max(t.plan().Route.Timeout, t.p.Route.Timeout)
}

// retirementWaits names what holds the retirement up, stale nodes with the end
// of their lease.
func (t *turn) retirementWaits() string {
	f, old := t.s.Facts, t.s.Switch.From
	switch {
	case !f.trusted():
		return fmt.Sprintf("%s retires when the registry is trusted again", old)
	case !f.settled(t.s.Generation):
		return fmt.Sprintf("%s can't retire: %s", old, f.unconfirmed(t.s.Generation))
	}
	return fmt.Sprintf("%s can't retire: %s may still send there%s",
		old, count(f.Report.MaySend[old], "node"), f.staleUntil())
}

// staleUntil names some of the stale nodes, with the end of their lease.
func (f Facts) staleUntil() string {
	var stale []string
	for _, s := range f.Report.Stale[:min(named, len(f.Report.Stale))] {
		stale = append(stale, fmt.Sprintf("%s/%s is stale until %s", s.Fleet, s.Node, s.Until.Format(time.RFC3339)))
	}
	return inBrackets(stale, len(f.Report.Stale))
}

// retired takes the answer of who was asked to let the old color go. A refusal is tried again, ever more
// slowly up to every ten minutes.
func (t *turn) retired(r Retired) {
	if !t.s.Rolled.Asked.IsZero() && r.Key == t.s.Rolled.Key {
		t.rolled(r)
		return
	}
	if t.s.Phase != Retiring || t.s.Letting.Asked.IsZero() || r.Key != t.s.Switch.ID {
		return
	}
	if r.Problem == "" {
		t.enter(Idle, fmt.Sprintf("%s was let go", t.s.Switch.From))
		return
	}
	l := &t.s.Letting
	l.Asked, l.Problem = time.Time{}, r.Problem
	l.Tries++
	t.s.Deadline = t.now.Add(retryAfter(l.Tries))
}

// lastRetry is the longest pause between two tries to have instances let go.
const lastRetry = 10 * time.Minute

// retryAfter is the pause after so many refusals in a row.
func retryAfter(tries int) time.Duration {
	return min(time.Minute<<min(tries-1, 4), lastRetry)
}
