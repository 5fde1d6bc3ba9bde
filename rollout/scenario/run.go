package scenario

import (
	"fmt"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout"
	"greenlight/rollout/simulate"
)

// Result is what became of a test.
type Result struct {
	Test
	Failures []Failure
	Story    []simulate.Line
	Began    time.Time
	Ended    time.Time // both simulated
}

// Passed reports whether everything was as expected.
func (r Result) Passed() bool { return len(r.Failures) == 0 }

// Failure is one expectation that was not met.
type Failure struct {
	Line        int // of the expectation, in the file
	At          time.Time
	What        string // "expect", "eventually, within 2h"
	Differences []Difference
}

// runner plays one test.
type runner struct {
	test     Test
	world    *simulate.World
	set      policy.Set
	switches []rollout.Switch // as they began
	watches  []*watch
	failures []Failure
}

// watch is an expectation that is about a time.
type watch struct {
	expected
	line  int
	since time.Time
	until time.Time // zero: to the end
	done  bool
}

// Run plays a test. It takes as long as what happens in it, not as its time.
func (t Test) Run() Result {
	set := policy.Merge(policy.Set{}, t.policies, t.start)
	r := &runner{test: t, set: set}
	var live policy.Color
	if t.given != nil {
		live = policy.Color(value(t.given.Live, ""))
	}
	r.world = simulate.New(t.Model, set.Models[t.Model], t.start, t.given.world(), live)
	r.world.SetFleets(set.Fleets)
	r.world.Look = r.look
	for _, e := range t.entries {
		r.world.Ahead = append(r.world.Ahead, t.start.Add(e.at))
	}
	for _, e := range t.entries {
		r.until(t.start.Add(e.at))
		r.enter(e)
	}
	for next := r.deadline(); !next.IsZero(); next = r.deadline() {
		r.until(next)
	}
	r.close()
	return Result{Test: t, Failures: r.failures, Story: r.world.Story, Began: t.start, Ended: r.world.Now()}
}

// until lets time pass, with a look at each end of a time that is watched.
func (r *runner) until(at time.Time) {
	for next := r.deadline(); !next.IsZero() && next.Before(at); next = r.deadline() {
		r.pass(next)
	}
	r.pass(at)
}

func (r *runner) pass(at time.Time) {
	if err := r.world.Run(at); err != nil && len(r.failures) == 0 {
		r.fail(Failure{Line: r.test.Line, What: "the simulation stopped", Differences: []Difference{
			{Field: "time", Expected: "to pass", Got: err.Error()},
		}})
	}
	r.look()
	r.expire(at)
}

// deadline is the next end of a time that is watched; zero when there is none.
func (r *runner) deadline() time.Time {
	var next time.Time
	for _, w := range r.watches {
		if !w.done && !w.until.IsZero() && (next.IsZero() || w.until.Before(next)) {
			next = w.until
		}
	}
	return next
}

// enter lets an entry happen, and what follows from it at that moment, and then looks.
func (r *runner) enter(e entry) {
	w := r.world
	var refused *rollout.Refuse
	w.Change(func() {
		e.change(w)
		if e.policies != nil {
			r.set = policy.Merge(r.set, *e.policies, w.Now())
			w.SetFleets(r.set.Fleets)
			w.TakePolicy(r.set.Models[r.test.Model])
		}
		if e.Restart != nil {
			w.Restart(time.Duration(*e.Restart))
		}
		if e.Command != nil {
			refused = r.command(e)
		}
	})
	r.pass(w.Now())
	for _, x := range e.expectations() {
		r.expect(x, e.lines[x.key], refused)
	}
}

// expect looks now, or from now on.
func (r *runner) expect(x expected, line int, refused *rollout.Refuse) {
	now := r.world.Now()
	watch := &watch{expected: x, line: line, since: now}
	switch x.key {
	case "expect":
		if d := x.differences(seen{r.world, refused}); len(d) > 0 {
			r.fail(Failure{Line: line, What: x.key, Differences: d})
		}
		return
	case "eventually":
		watch.until = now.Add(time.Duration(*x.Within))
	default:
		if x.For != nil {
			watch.until = now.Add(time.Duration(*x.For))
		}
	}
	r.watches = append(r.watches, watch)
	r.look()
}

// look holds what is watched against the present moment.
func (r *runner) look() {
	now := r.world.Now()
	if sw := r.world.State().Switch; sw != nil && (len(r.switches) == 0 || r.switches[len(r.switches)-1].ID != sw.ID) {
		r.switches = append(r.switches, *sw)
	}
	for _, w := range r.watches {
		if w.done || !w.until.IsZero() && now.After(w.until) {
			continue
		}
		switch d := w.differences(seen{world: r.world}); {
		case w.key == "eventually" && len(d) == 0:
			w.done = true
		case w.key == "always" && len(d) > 0:
			w.done = true
			r.fail(Failure{Line: w.line, What: w.words(), Differences: d})
		case w.key == "never" && len(d) == 0:
			w.done = true
			r.fail(Failure{Line: w.line, What: w.words(), Differences: []Difference{
				{Field: "never", Expected: "not this", Got: fmt.Sprintf("it was so at %s", clock(now, r.test.start))},
			}})
		}
	}
}

// expire ends what was watched until now.
func (r *runner) expire(at time.Time) {
	for _, w := range r.watches {
		if w.done || w.until.IsZero() || w.until.After(at) {
			continue
		}
		w.done = true
		if w.key == "eventually" {
			r.fail(Failure{Line: w.line, What: w.words(), Differences: w.differences(seen{world: r.world})})
		}
	}
	r.watches = slices.DeleteFunc(r.watches, func(w *watch) bool { return w.done })
}

// close ends what was watched to the end.
func (r *runner) close() {
	r.watches = nil
	slices.SortStableFunc(r.failures, func(a, b Failure) int { return a.At.Compare(b.At) })
}

func (w *watch) words() string {
	switch {
	case w.until.IsZero():
		return w.key + ", to the end"
	case w.key == "eventually":
		return "eventually, within " + calendar.PlainDuration(w.until.Sub(w.since))
	default:
		return w.key + ", for " + calendar.PlainDuration(w.until.Sub(w.since))
	}
}

func (r *runner) fail(f Failure) {
	f.At = r.world.Now()
	r.failures = append(r.failures, f)
}

// command gives the entry's command. A refusal that is not expected is a failure: what
// follows would test something else.
func (r *runner) command(e entry) *rollout.Refuse {
	raw := e.Command
	c := rollout.Command{
		Verb: rollout.Verb(*raw.Verb), Actor: value(raw.Actor, actor), Reason: value(raw.Reason, ""),
		Target: policy.Color(value(raw.Target, "")), ExpectLive: policy.Color(value(raw.ExpectLive, "")),
		ExpectVersion: value(raw.ExpectVersion, ""), Force: value(raw.Force, false), Again: value(raw.Again, false),
		Override: value(raw.Override, false), Now: value(raw.Now, false), Groups: raw.Groups, Quiet: float64(value(raw.Below, 0)), AnyRate: value(raw.AnyRate, false),
	}
	if n := int(value(raw.Before, 0)); raw.Before != nil {
		if n < 1 || n > len(r.switches) {
			return r.refusal(e, &rollout.Refuse{Code: rollout.Invalid, Message: fmt.Sprintf("there were %d switches, not %d", len(r.switches), n)})
		}
		c.Before = earlier(r.switches[n-1])
	}
	return r.refusal(e, r.world.Command(c))
}

func (r *runner) refusal(e entry, no *rollout.Refuse) *rollout.Refuse {
	if no != nil && (e.Expect == nil || e.Expect.Refused == nil) {
		r.fail(Failure{Line: e.line, What: "command", Differences: []Difference{
			{Field: string(*e.Command.Verb), Expected: "to be taken", Got: fmt.Sprintf("refused (%s): %s", no.Code, no.Message)},
		}})
	}
	return no
}
