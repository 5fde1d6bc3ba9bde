package rollout

import (
	"time"

	"greenlight/policy"
)

// recover goes on from the journal. Nothing is known of the world yet, so
// clocks that judge somebody else's silence start again.
func (t *turn) recover() {
	s := &t.s
	s.Facts, s.GiveUpAt = Facts{}, time.Time{}
	if s.Phase.Running() && s.Phase != Waiting { // what it says of the old color goes on
		*s.Facts.Traffic.Records.At(s.Switch.From) = s.Judging.Record
	}
	if s.CheckRun != 0 { // what it would have said, the run before can't
		if s.CheckRun == s.WalkRun {
			s.Walked, s.WalkRun = false, 0
		}
		s.CheckRun, s.NextCheck = 0, time.Time{}
		s.Passed, s.Open = time.Time{}, ""
	}
	if s.Live != "" {
		t.republish()
	}
	if s.Reverting { // the asking may not have been heard
		s.Reverting, s.PolicyGeneration, s.PolicyAt = false, s.Generation, time.Time{}
	}
	if gap := t.unwatched(); gap > 0 {
		s.Judging.Last = t.now
		for _, at := range []*time.Time{&s.Deadline, &s.HoldUntil} { // nobody looked meanwhile
			if !at.IsZero() {
				*at = at.Add(gap)
			}
		}
	}
	if !s.Rolled.Asked.IsZero() { // asked again, under the same key
		s.Rolled.Asked, s.Rolled.Next = time.Time{}, t.now
	}
	t.boundWaits()
	switch s.Phase {
	case Waiting:
		s.Queued.Silent, s.Deadline = false, time.Time{}
	case Preparing:
		s.Deadline = t.now.Add(t.plan().Prepare.Within)
	case Validating:
		s.Switch.Validated = time.Time{}
	case Retiring:
		if !s.Letting.Asked.IsZero() { // the webhook is asked again
			s.Letting.Asked, s.Deadline = time.Time{}, t.now
		}
	}
	t.awaitAgain()
}

// boundWaits shortens waits that end later than they could if they began now: the
// clock was set back while nobody ran.
func (t *turn) boundWaits() {
	s := &t.s
	if s.Switch == nil {
		return
	}
	past := []*time.Time{&s.Letting.Quiet, &s.Judging.Since}
	for i := range s.Rolled.Batches {
		past = append(past, &s.Rolled.Batches[i].Out)
	}
	for _, at := range past {
		if at.After(t.now) {
			*at = t.now
		}
	}
	next := t.longestRequest()
	if s.Rolled.Tries > 0 {
		next = max(next, retryAfter(s.Rolled.Tries))
	}
	if end := t.now.Add(next); s.Rolled.Next.After(end) {
		s.Rolled.Next = end
	}
	most, asked, every := time.Duration(0), time.Duration(0), t.plan().StepChecks.Every
	switch s.Phase {
	case Shadowing:
		most = t.plan().Shadow.For
	case Approving:
		most = t.plan().Needs(policy.BeforeShift).Within
	case Holding:
		most = t.step().Hold
	case Baking:
		most, every = t.plan().Bake.For, t.plan().Bake.Every
	case Retiring:
		most = max(t.plan().Retire.After, t.longestRequest(), lastRetry)
		if need := t.plan().Needs(policy.BeforeRetire); need != nil {
			most, asked = max(most, need.Within), need.Within
		}
	default:
		return
	}
	for _, wait := range []struct {
		at   *time.Time
		most time.Duration
	}{{&s.Deadline, most}, {&s.HoldUntil, t.plan().Judge.MaxHold}, {&s.NextCheck, every}, {&s.Letting.Until, asked}} {
		if end := t.now.Add(wait.most); wait.at.After(end) {
			*wait.at = end
		}
	}
}
