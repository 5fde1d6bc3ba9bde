package rollout

import "time"

// lineUp begins a switch: at once, or, if it may have to wait for its turn, in the queue.
func (t *turn) lineUp(reason string) {
	if t.waitsForNobody() {
		t.begin(reason)
		return
	}
	t.enter(Waiting, reason)
	t.s.Queued.Order = t.now.UnixNano()
}

// waitsForNobody reports whether the switch has nothing to wait for besides itself,
// or was told not to.
func (t *turn) waitsForNobody() bool {
	return t.s.Switch.Now || t.plan().Alone() && t.plan().Calendar.IsZero()
}

// begin starts to prepare the switch. What it waited in the queue may have changed
// what the colors serve.
func (t *turn) begin(reason string) {
	sw, f := t.s.Switch, t.s.Facts
	sw.FromVersion, sw.ToVersion = f.version(sw.From), f.version(sw.To)
	t.s.Judging = Judging{Since: t.now, Record: f.Traffic.Records.Of(sw.From)}
	t.enter(Preparing, reason)
	t.s.Deadline = t.now.Add(t.plan().Prepare.Within)
}

// waitTurn begins the switch when its turn has come. Nothing has been done of it,
// so it takes the newest policy.
func (t *turn) waitTurn() bool {
	sw, f := t.s.Switch, t.s.Facts
	sw.Plan = *t.p
	t.awaitRegistry()
	if t.waitsForNobody() && f.EndpointsKnown {
		t.begin("nothing has to be waited for any more")
		return true
	}
	why := t.barred()
	switch {
	case why != "":
		t.s.Facts.Turn = Turn{} // it goes to others, and comes anew
	case t.s.Queued.Silent:
		t.s.Facts.Turn = Turn{}
		why = unanswered
	case !f.EndpointsKnown:
		why = unanswered
	case t.plan().Alone() || f.Turn.Granted:
		t.begin("its turn has come")
		return true
	case f.Turn.Why != "":
		why = f.Turn.Why
	default:
		why = "the other models have not been asked yet"
	}
	t.s.Queued.Why = why
	return false
}

const unanswered = "the registry has not answered yet"

// awaitRegistry keeps the place of a switch whose registry is silent for as long as it
// would have to get ready. Then it lets others pass until the registry has answered.
func (t *turn) awaitRegistry() {
	s := &t.s
	switch {
	case s.Facts.EndpointsKnown:
		s.Queued.Silent, s.Deadline = false, time.Time{}
	case s.Queued.Silent:
	case s.Deadline.IsZero():
		s.Deadline = t.now.Add(t.plan().Prepare.Within)
	default:
		s.Queued.Silent = t.due(s.Deadline)
	}
}

// barred says why the calendar lets no weight move forward now, and has Step woken
// when it does.
func (t *turn) barred() string {
	sw := t.s.Switch
	t.s.Queued.Opens, t.s.Queued.Why = time.Time{}, ""
	if sw.Now || sw.Undoes != "" {
		return ""
	}
	v := t.p.Calendar.At(t.now)
	if v.Open {
		return ""
	}
	t.s.Queued.Opens, t.s.Queued.Why = v.Until, v.Why
	if v.Until.IsZero() { // it has to be looked at again some day
		t.s.Queued.Opens = t.now.Add(24 * time.Hour)
	} else {
		t.s.Queued.Why += ", until " + v.When
	}
	return t.s.Queued.Why
}

// refuseHurry asks for the reason of a command that waits for nothing.
func (c Command) refuseHurry() *Refuse {
	if c.Now && c.Reason == "" {
		return refuse(Invalid, "going on now, whatever the calendar and the queue say, needs a reason")
	}
	return nil
}

// requeue moves a switch that waits to another place.
func (t *turn) requeue(c Command) *Refuse {
	if t.s.Phase != Waiting {
		return refuse(NotNow, "no switch of %s waits for its turn", t.s.Model)
	}
	t.s.Queued.Order = c.Order
	return nil
}
