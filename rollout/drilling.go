package rollout

import (
	"fmt"
	"time"

	"greenlight/policy/calendar"
)

// Drill is one time that the way back was shown: all users went to the old color,
// and forward again once every node had confirmed it.
type Drill struct {
	Actor  string    `json:"actor"`
	Reason string    `json:"reason,omitempty"`
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended,omitzero"`
	// Back and Forth are the times from a publish until every node had confirmed it; 0
	// when it was not.
	Back  time.Duration `json:"back,omitempty"`
	Forth time.Duration `json:"forth,omitempty"`
	// Turned is when the way forward was published.
	Turned time.Time `json:"turned,omitzero"`
	// Rate is what users asked for a second when it began; 0 when not reported.
	Rate float64 `json:"rate,omitempty"`
	// Problem is why it did not go as it should; empty when it did.
	Problem string `json:"problem,omitempty"`
}

// maxDrills is how many drills a switch remembers.
const maxDrills = 10

// Busiest is the highest rate of users' requests that was seen.
type Busiest struct {
	Rate float64   `json:"rate"` // requests a second, over ten seconds
	At   time.Time `json:"at,omitzero"`
}

// busiestFor is how long the highest rate counts: a week has all of a model's hours.
const busiestFor = 7 * 24 * time.Hour

// noteBusiest remembers the highest rate. Small rises are not worth a journal's write.
func (t *turn) noteBusiest() {
	if len(t.s.Facts.Traffic.Recent) < 5 {
		return
	}
	b, rate := t.s.Busiest, t.s.Facts.Traffic.total()
	if rate > 0 && (rate > b.Rate*1.1 || t.now.Sub(b.At) > busiestFor) {
		t.s.Busiest = Busiest{Rate: rate, At: t.now}
	}
}

// drill sends all users to the old color and forward again, on purpose.
func (t *turn) drill(c Command) *Refuse {
	if r := t.refuseDrill(c); r != nil {
		return r
	}
	sw, left := t.s.Switch, t.left()
	sw.Drills = append(sw.Drills, Drill{Actor: c.Actor, Reason: c.Reason, Began: t.now, Rate: t.s.Facts.Traffic.total()})
	sw.Drills = sw.Drills[max(0, len(sw.Drills)-maxDrills):]
	resume := t.s.Phase
	t.publish(AllOn(sw.From))
	t.enter(Drilling, fmt.Sprintf("%s to %s and back again", c.by("drill"), sw.From))
	t.s.Resume, t.s.Left = resume, left
	t.s.Deadline = t.now.Add(t.plan().Confirm.Within)
	return nil
}

func (t *turn) refuseDrill(c Command) *Refuse {
	s, f := t.s, t.s.Facts
	r := s.Readiness()
	switch {
	case s.Phase == Drilling:
		return refuse(NotNow, "a drill is under way already")
	case s.Phase.Running():
		return refuse(NotNow, "switch %s is running (%s): a drill goes back and forth when it has succeeded", s.Switch.ID, s.Phase)
	case !r.Asked:
		return refuse(NotNow, "there is nothing to go back to: no switch has succeeded whose old color was kept")
	case !r.Ready:
		return refuse(NotReady, "%s could not take the users now: %s", r.Color, r.Why)
	case !f.confirmed(s.Generation):
		return refuse(NotReady, "the present routing is not confirmed: %s", f.unconfirmed(s.Generation))
	case f.cold(r.Color) != "":
		return refuse(NotReady, "%s", f.cold(r.Color))
	default:
		return t.refuseBusy(c)
	}
}

// refuseBusy lets a drill wait for a quiet time.
func (t *turn) refuseBusy(c Command) *Refuse {
	quiet, rate, from := c.Quiet, t.s.Facts.Traffic.total(), ""
	if quiet == 0 {
		quiet, from = t.s.Busiest.Rate/2, fmt.Sprintf(" (half of %s, the most of the last week)", figure(t.s.Busiest.Rate))
	}
	switch silent := t.s.Silent(); {
	case c.AnyRate:
		return nil
	case !t.s.Facts.Traffic.Known():
		return refuse(NotReady, "it is not known whether this is a quiet time: no fleet reports users' requests; ask for a drill at any rate if it may be done all the same (greenlight drill --any-rate)")
	case len(silent) > 0: // silence is no quiet
		return refuse(NotReady, "it is not known whether this is a quiet time: %s of users is silent%s; ask for a drill at any rate if it may be done all the same (greenlight drill --any-rate)",
			count(len(silent), "node"), names(silent))
	case rate > quiet:
		return refuse(Busy, "this is no quiet time: users ask for %s requests a second, quiet is at most %s%s; wait (--within), name another rate (--below), or ask for a drill at any rate (--any-rate)",
			figure(rate), figure(quiet), from)
	default:
		return nil
	}
}

// practise turns round as soon as every node has gone back, and ends when every
// node has come forward again. It never gives up waiting for that.
func (t *turn) practise() bool {
	sw, f := t.s.Switch, t.s.Facts
	d := &sw.Drills[len(sw.Drills)-1]
	if t.s.Weights == AllOn(sw.From) {
		switch cause := t.drillFails(); {
		case cause != "":
			d.Problem = cause
			return t.forth(cause)
		case f.confirmed(t.s.Generation):
			d.Back = t.now.Sub(d.Began)
			return t.forth(fmt.Sprintf("all users went back, confirmed by %s in %s", count(f.Report.Connected, "node"), calendar.PlainDuration(d.Back.Round(time.Millisecond))))
		default:
			return false
		}
	}
	if f.confirmed(t.s.Generation) || f.harmless(t.s.Generation, sw.From) {
		d.Forth, d.Ended = t.now.Sub(d.Turned), t.now
		resume, left := t.s.Resume, t.s.Left
		result := fmt.Sprintf("the drill is over: back in %s, forward again in %s",
			calendar.PlainDuration(d.Back.Round(time.Millisecond)), calendar.PlainDuration(d.Forth.Round(time.Millisecond)))
		if d.Problem != "" {
			result = "the drill has failed: " + d.Problem
		}
		t.enter(resume, result)
		if resume == Retiring {
			t.s.Deadline = t.now.Add(left)
		}
		return true
	}
	if t.due(t.s.Deadline) || f.settled(t.s.Generation) && f.away() {
		t.say(fmt.Sprintf("coming forward to %s again is not confirmed: %s", sw.To, f.unconfirmed(t.s.Generation)))
	}
	return false
}

// drillFails says why the users have to come forward before every node went back.
func (t *turn) drillFails() string {
	sw, f := t.s.Switch, t.s.Facts
	switch {
	case f.rejection(t.s.Generation) != "":
		return f.rejection(t.s.Generation)
	case f.trusted() && t.oldUnhealthy() != "":
		return t.oldUnhealthy()
	case t.due(t.s.Deadline):
		return fmt.Sprintf("going back to %s was not confirmed within %s: %s", sw.From, calendar.PlainDuration(t.plan().Confirm.Within), f.unconfirmed(t.s.Generation))
	default:
		return ""
	}
}

// endDrill ends a drill by a person's word: the users come forward at once.
func (t *turn) endDrill(why string) {
	if sw := t.s.Switch; t.s.Weights == AllOn(sw.From) {
		sw.Drills[len(sw.Drills)-1].Problem = why
		t.forth(why)
	}
}

// forth brings the users to the live color again, unless that has failed
// meanwhile and the old one has not: then they stay where they are.
func (t *turn) forth(why string) bool {
	sw := t.s.Switch
	d := &sw.Drills[len(sw.Drills)-1]
	if f := t.s.Facts; f.trusted() && t.oldUnhealthy() == "" && f.ready(sw.To) < Lost(t.plan(), sw.Needed) {
		d.Problem, d.Ended = fmt.Sprintf("%s lost endpoints: %d of %d needed are ready", sw.To, f.ready(sw.To), sw.Needed), t.now
		sw.Cause = "during a drill " + d.Problem
		t.wantBack()
		t.enter(RollingBack, sw.Cause)
		t.awaitAgain()
		return true
	}
	resume, left := t.s.Resume, t.s.Left
	t.publish(AllOn(sw.To))
	d.Turned = t.now
	t.enter(Drilling, why)
	t.s.Resume, t.s.Left = resume, left
	t.awaitAgain()
	return true
}
