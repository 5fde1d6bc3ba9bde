package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
)

// Rolled is how far the old instances of a rolling switch have made room for new ones.
type Rolled struct {
	// Total is how many old instances served at the start.
	Total int `json:"total"`
	// Batches are those that were taken out of service, oldest first.
	Batches []Batch `json:"batches,omitempty"`
	// Restore: the switch did not get to its end, and what was let go is wanted back.
	Restore bool `json:"restore,omitempty"`
	// Asked is when somebody was asked to let the last batch go, or for it back; zero
	// when no answer is awaited. Next is when that may happen, at the earliest.
	Asked time.Time `json:"asked,omitzero"`
	Next  time.Time `json:"next,omitzero"`
	// Key is LetGo.Key of what was asked last, and Back says that it was for a return.
	Key  string `json:"key,omitempty"`
	Back bool   `json:"back,omitempty"`
	// Tries counts the refusals since the last answer, and Problem is the last one.
	Tries   int    `json:"tries,omitempty"`
	Problem string `json:"problem,omitempty"`
	// Withdrawn counts how often a person promoted what was wanted back: a batch that
	// goes after that is another wish, with another key.
	Withdrawn int `json:"withdrawn,omitempty"`
}

// Batch is instances that make room together.
type Batch struct {
	Instances []Endpoint `json:"instances"`
	// Left is how many other instances of the color stayed in service.
	Left int `json:"left"`
	// Out is since when no node, connected or stale, may still send to them, Told when somebody
	// was first asked to let them go, and Gone when that was done.
	Out  time.Time `json:"out,omitzero"`
	Told time.Time `json:"told,omitzero"`
	Gone time.Time `json:"gone,omitzero"`
}

// InService is e without the instances that make room for others.
func (s State) InService(e EndpointSet) EndpointSet {
	if s.Switch == nil || len(s.Rolled.Batches) == 0 {
		return e
	}
	left := s.staying(e.Of(s.Switch.From))
	if s.Switch.From == policy.Blue {
		e.Blue = left
	} else {
		e.Green = left
	}
	return e
}

// Kept is e without the instances that somebody was asked to let go. Others that make
// room stay with a color that would be empty, until no node sends there.
func (s State) Kept(e EndpointSet) EndpointSet {
	s.Rolled.Batches = slices.DeleteFunc(slices.Clone(s.Rolled.Batches), func(b Batch) bool { return b.Told.IsZero() })
	return s.InService(e)
}

// staying is those of all that no batch holds.
func (s State) staying(all []Endpoint) []Endpoint {
	var out []Endpoint
	for _, e := range all {
		if !slices.ContainsFunc(s.Rolled.Batches, func(b Batch) bool {
			return slices.ContainsFunc(b.Instances, func(gone Endpoint) bool { return gone.ID == e.ID && gone.Version == e.Version })
		}) {
			out = append(out, e)
		}
	}
	return out
}

// old is the instances of the switch's old color that are in service.
func (s State) old() []Endpoint { return s.staying(s.Facts.Endpoints.Of(s.Switch.From)) }

// rolling reports whether the switch's weights follow its instances.
func (t *turn) rolling() bool { return t.plan().Rolling != nil }

// capacity is how many instances of both colors have to serve at any time.
func (s State) capacity() int {
	return max(1, share(s.Rolled.Total, s.Switch.Plan.Rolling.Capacity))
}

// enoughToReturn is how many instances of the old color it takes for all users to be
// sent back there.
func (s State) enoughToReturn() int {
	least := Least(&s.Switch.Plan)
	if s.Switch.Plan.Rolling != nil && s.Rolled.Total > 0 {
		return max(least, s.capacity())
	}
	return least
}

// followed is the weight that the new color's ready instances are worth.
func (t *turn) followed() policy.Weight {
	fresh, old := t.s.Facts.ready(t.s.Switch.To), len(t.s.old())
	if fresh == 0 {
		return 0
	}
	return policy.Weight(fresh * int(policy.Full) / (fresh + old))
}

// step is what is published now: its weight, and how long it is held.
func (t *turn) step() policy.Step {
	if t.rolling() {
		return policy.Step{Weight: t.s.Weights.Of(t.s.Switch.To), Hold: t.plan().Rolling.Hold}
	}
	return t.plan().Shift[t.s.StepIndex]
}

// batch is the next old instances to make room; none when that would leave fewer than
// the capacity. Instances that carry no users yet do not count.
func (t *turn) batch() []Endpoint {
	old, fresh := t.s.old(), 0
	if t.s.Weights.Of(t.s.Switch.To) > 0 {
		fresh = t.s.Facts.ready(t.s.Switch.To)
	}
	n := min(t.plan().Rolling.Batch.Of(t.s.Rolled.Total), len(old), len(old)+fresh-t.s.capacity())
	return old[len(old)-max(0, n):]
}

// makeRoom takes the first batch out of service when the new version has no room to
// start in. It reports whether it did.
func (t *turn) makeRoom() bool {
	f, sw := t.s.Facts, t.s.Switch
	if !t.rolling() || !f.trusted() || !f.confirmed(t.s.Generation) || len(t.s.Rolled.Batches) > 0 || f.ready(sw.To) >= t.need() {
		return false
	}
	t.s.Rolled.Total = len(t.s.old())
	if sw.FromVersion == "" {
		sw.FromVersion = f.version(sw.From)
	}
	if t.s.Rolled.Total == 0 || len(t.batch()) == 0 {
		return false // the wait for the target says what is missing
	}
	t.takeOut(t.batch())
	t.publishMirrored(Mirror{})
	t.enter(Preparing, fmt.Sprintf("%s make room for the first of %s", t.outNow(), sw.To))
	t.s.Deadline = t.now.Add(t.plan().Prepare.Within)
	return true
}

// takeOut takes instances out of service; the next publish tells the nodes.
func (t *turn) takeOut(batch []Endpoint) {
	left := len(t.s.old()) - len(batch)
	t.s.Rolled.Batches = append(t.s.Rolled.Batches, Batch{Instances: slices.Clone(batch), Left: left})
	t.s.Rolled.Next, t.s.Rolled.Tries, t.s.Rolled.Problem = time.Time{}, 0, ""
}

// outNow names the batch that was taken out last.
func (t *turn) outNow() string {
	b := t.s.Rolled.Batches[len(t.s.Rolled.Batches)-1]
	return fmt.Sprintf("%s of %s (%d left)", count(len(b.Instances), "instance"), t.s.Switch.From, b.Left)
}

// rollFurther follows the new instances with weight, or lets the next old ones make
// room. The caller has found that the present weight may be left.
func (t *turn) rollFurther(why string) bool {
	alone := t.alone()
	if t.moreToFollow() && alone == "" {
		return t.shiftIfSafe(why + "; the weight follows " + count(t.s.Facts.ready(t.s.Switch.To), "instance"))
	}
	waits := cmp.Or(alone, t.waitsToFollow())
	if missing := t.missing(); waits == "" && len(missing) > 0 {
		waits = strings.Join(missing, "; ")
	}
	switch {
	case waits == "" && t.barred() != "": // nothing is wrong: it waits for the calendar
		t.s.GiveUpAt = time.Time{}
		return false
	case waits == "":
		t.follow(why)
		return true
	case !t.s.Facts.trusted() || !t.s.Facts.heard(t.s.Generation) || t.s.Rolled.Problem != "" || t.stillReached() != "":
		t.s.GiveUpAt = time.Time{}
	case t.s.GiveUpAt.IsZero():
		t.s.GiveUpAt = t.now.Add(t.plan().Prepare.Within)
	case t.due(t.s.GiveUpAt):
		t.hold(fmt.Sprintf("the next instances did not come within %s: %s", calendar.PlainDuration(t.plan().Prepare.Within), waits))
		return true
	}
	t.say("the next batch waits: " + waits)
	return false
}

// alone says that the new instances would get all users because no old one is left, and
// are fewer than have to serve; empty when that is not so. The batches leave enough of
// them: the old ones have failed, or the registry errs.
func (t *turn) alone() string {
	fresh, least := t.s.Facts.ready(t.s.Switch.To), t.s.capacity()
	if len(t.s.old()) > 0 || fresh >= least {
		return ""
	}
	return fmt.Sprintf("no instance of %s is in service, and %d of %s are fewer than the %d that have to serve",
		t.s.Switch.From, fresh, t.s.Switch.To, least)
}

// moreToFollow reports whether instances of the new version came that the weight
// does not know of.
func (t *turn) moreToFollow() bool { return t.followed() > t.s.Weights.Of(t.s.Switch.To) }

// follow publishes the next weight; if it is to follow instances that are there
// already, the next old ones make room with it.
func (t *turn) follow(why string) {
	if t.rolling() && t.s.Phase != Shadowing && !t.moreToFollow() {
		t.takeOut(t.batch())
		why += "; " + t.outNow() + " make room"
	}
	t.shift(why)
}

// waitsToFollow says why no further batch may make room; empty when one may, or when
// none has to.
func (t *turn) waitsToFollow() string {
	if !t.rolling() || t.moreToFollow() {
		return ""
	}
	r := t.s.Rolled
	if n := len(r.Batches); n > 0 && r.Batches[n-1].Gone.IsZero() {
		return "the last one is not let go yet"
	}
	if len(t.batch()) == 0 {
		return fmt.Sprintf("%d old and %d new instances are ready, and at least %d have to serve",
			len(t.s.old()), t.s.Facts.ready(t.s.Switch.To), t.s.capacity())
	}
	return ""
}

// rollOut lets the rest go once no user meets it any more.
func (t *turn) rollOut() {
	r := t.s.Rolled
	open := len(r.Batches) > 0 && r.Batches[len(r.Batches)-1].Gone.IsZero()
	if t.rolling() && !open && len(t.s.old()) > 0 && t.noneSends() && t.s.Facts.trusted() && t.s.Facts.ready(t.s.Switch.To) >= t.s.capacity() {
		t.takeOut(t.s.old())
		t.publishMirrored(Mirror{})
	}
}

// rolledOut reports whether every old instance was let go.
func (t *turn) rolledOut() bool {
	r := t.s.Rolled
	return t.s.Facts.trusted() && len(t.s.old()) == 0 && !slices.ContainsFunc(r.Batches, func(b Batch) bool { return b.Gone.IsZero() })
}

// wantBack asks for what was let go. A batch of which nobody was told serves again.
func (t *turn) wantBack() {
	for r := &t.s.Rolled; len(r.Batches) > 0 && r.Batches[len(r.Batches)-1].Told.IsZero(); {
		r.Batches = r.Batches[:len(r.Batches)-1]
	}
	if r := &t.s.Rolled; len(r.Batches) > 0 && !r.Restore {
		r.Restore, r.Next, r.Tries, r.Problem = true, t.now, 0, ""
	}
}

// wantNothingBack withdraws wantBack: a person has decided that the switch goes on.
func (t *turn) wantNothingBack() {
	if r := &t.s.Rolled; r.Restore {
		r.Restore, r.Next, r.Tries, r.Problem = false, time.Time{}, 0, ""
		r.Withdrawn++
	}
}

// roll has the last batch let go once no request is under way to it, or brought back.
// It does so beside the phases: what was begun goes on whatever the switch does.
func (t *turn) roll() {
	r := &t.s.Rolled
	if len(r.Batches) == 0 || t.cameBack() {
		*r = Rolled{Total: r.Total, Withdrawn: r.Withdrawn}
		return
	}
	t.sayRolled()
	b := &r.Batches[len(r.Batches)-1]
	stopped := t.s.Phase == Paused || t.s.Phase == Held
	switch {
	case !r.Asked.IsZero() || !t.due(r.Next):
	case r.Restore:
		t.askRoll(*b, true)
	case stopped || !b.Gone.IsZero():
	case b.Out.IsZero() && t.s.Facts.confirmed(t.s.Generation) && t.stillReached() == "":
		b.Out, r.Next = t.now, t.now.Add(t.longestRequest())
		if t.due(r.Next) {
			t.roll()
		}
	case !b.Out.IsZero():
		if b.Told.IsZero() {
			b.Told = t.now
		}
		t.askRoll(*b, false)
	}
}

// stillReached says which nodes may still send to the batch that makes room, although
// the generation without it is confirmed: those that are away, and those that have not
// ACKed the endpoints. Empty when there are none.
func (t *turn) stillReached() string {
	r, f := t.s.Rolled, t.s.Facts
	if n := len(r.Batches); n == 0 || r.Restore || !r.Batches[n-1].Out.IsZero() {
		return ""
	}
	old := t.s.Switch.From
	if n := f.Report.MaySend[old] - f.Report.Sending[old]; n > 0 {
		return count(n, "node") + " that are away may still send there" + f.staleUntil()
	}
	if n := f.Report.Behind[old]; n > 0 {
		return count(n, "node") + " did not ACK the endpoints that stay"
	}
	return ""
}

// cameBack reports whether all that is wanted back is there although whoever was asked
// has refused: somebody has seen to it by hand.
func (t *turn) cameBack() bool {
	r := t.s.Rolled
	return r.Restore && r.Back && r.Problem != "" && t.s.Facts.trusted() && t.s.Facts.ready(t.s.Switch.From) >= r.Total
}

func (t *turn) askRoll(b Batch, restore bool) {
	sw, r := t.s.Switch, &t.s.Rolled
	what := "batch"
	if restore {
		what = "restore"
	}
	r.Asked, r.Back = t.now, restore
	r.Key = fmt.Sprintf("%s-%s-%d", sw.ID, what, len(r.Batches))
	if r.Withdrawn > 0 {
		r.Key += fmt.Sprintf("-%d", r.Withdrawn)
	}
	t.ask(LetGo{Key: r.Key, Restore: restore, Instances: slices.Clone(b.Instances), Left: b.Left})
}

// rolled takes the answer on the last batch.
func (t *turn) rolled(e Retired) {
	r := &t.s.Rolled
	r.Asked = time.Time{}
	if e.Problem != "" && r.Back && !r.Restore { // not wanted any more
		return
	}
	if e.Problem != "" {
		r.Problem = e.Problem
		r.Tries++
		r.Next = t.now.Add(retryAfter(r.Tries))
		return
	}
	r.Problem, r.Tries, r.Next = "", 0, time.Time{}
	if r.Back {
		r.Batches = slices.Clone(r.Batches[:len(r.Batches)-1])
		return
	}
	r.Batches[len(r.Batches)-1].Gone = t.now
}

// sayRolled says what an operator should know of batches beside the phase.
func (t *turn) sayRolled() {
	r, old := t.s.Rolled, t.s.Switch.From
	n := 0
	for _, b := range r.Batches {
		n += len(b.Instances)
	}
	switch {
	case r.Restore && r.Problem != "":
		t.say(fmt.Sprintf("%s of %s should come back, and asking for that failed %s: %s", count(n, "instance"), old, count(r.Tries, "time"), r.Problem))
	case r.Restore:
		t.say(fmt.Sprintf("%s of %s should come back", count(n, "instance"), old))
	case t.stillReached() != "" && t.s.Facts.confirmed(t.s.Generation):
		t.say(fmt.Sprintf("%s of %s can't be let go: %s", count(len(r.Batches[len(r.Batches)-1].Instances), "instance"), old, t.stillReached()))
	case r.Problem != "":
		t.say(fmt.Sprintf("letting %s of %s go failed %s: %s",
			count(len(r.Batches[len(r.Batches)-1].Instances), "instance"), old, count(r.Tries, "time"), r.Problem))
	}
}
