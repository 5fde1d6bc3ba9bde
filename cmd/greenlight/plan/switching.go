package plan

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// foreseen is what an outlook says of switches; nil if nothing. What was so before is
// not told again.
func foreseen(o rollout.Outlook, s rollout.State, was, is *policy.Model) *Switch {
	version := func(c policy.Color) string { return strings.Join(versions(s, c), ", ") }
	switch {
	case o.Ends != nil && o.Ends.To == rollout.RollingBack:
		return &Switch{Does: GoesBack, To: s.Switch.From, Version: version(s.Switch.From), Why: Clean(o.Ends.Reason)}
	case o.Ends != nil:
		return &Switch{Does: Aborts, To: s.Switch.To, Version: version(s.Switch.To), Why: Clean(o.Ends.Reason)}
	case o.Begins:
		return &Switch{Does: Begins, To: s.Switch.To, Version: version(s.Switch.To)}
	case o.Starts != nil:
		return &Switch{Does: Starts, To: o.Starts.Target, Version: version(o.Starts.Target), Why: Clean(o.Starts.Reason)}
	case o.Drift != "" && (was.Wanted != is.Wanted || s.Drift(was) == ""):
		why := Clean(o.Drift)
		if !reflect.DeepEqual(was.Discovery, is.Discovery) {
			why = "the registry is asked anew first, and what it finds decides"
		}
		return &Switch{Does: Waits, To: is.Wanted.Color, Version: is.Wanted.Version, Why: why}
	default:
		return nil
	}
}

// supposed is the same where nobody knows how the model stands: as if what the policy
// wanted before were live, or, if it left that open, what it does not want now.
func supposed(was, is *policy.Model, now time.Time) *Switch {
	if is.Wanted == was.Wanted || is.Wanted.None() {
		return nil
	}
	live := policy.Blue
	switch {
	case is.Wanted.Color != "":
		live = is.Wanted.Color.Other()
	case was.Wanted.Color != "":
		live = was.Wanted.Color
	}
	serves := func(version string) []rollout.Endpoint { return []rollout.Endpoint{{ID: "1", Version: version}} }
	facts := rollout.EndpointSet{Blue: serves(was.Wanted.Version), Green: serves(is.Wanted.Version)}
	if live == policy.Green {
		facts.Blue, facts.Green = facts.Green, facts.Blue
	}
	s := rollout.New(is.Name)
	s.Live, s.Weights, s.Generation, s.Since = live, rollout.AllOn(live), 1, now
	s.Facts = rollout.Facts{Endpoints: facts, EndpointsKnown: true, ReportKnown: true, Report: rollout.Report{Generation: 1, Settled: true}}
	known := *was
	known.Discovery = is.Discovery // where it finds instances is not what is supposed here
	o := rollout.Foresee(s, &known, is, now)
	if o.Starts == nil {
		return nil
	}
	out := &Switch{Does: Starts, To: o.Starts.Target, If: string(live) + " is live, and " + string(o.Starts.Target) + " is ready", Why: o.Starts.Reason}
	if o.Started.Phase == rollout.Waiting {
		out.Turn = "the other models come first that it depends on, and those before it in its group"
		if q := o.Started.Queued; !q.Opens.IsZero() {
			out.Turn = Clean(q.Why)
		}
	}
	if v := is.Wanted.Version; v != "" {
		out.To, out.Version, out.If = "", v, "a color serves it, is ready and is not live"
	}
	return out
}

// turns says of the switches that start what each has to wait for first: its calendar,
// or the other models as they stand once all policies are in force.
func (m *maker) turns(all []Model) {
	var claims []rollout.Claimant
	for _, name := range slices.Sorted(maps.Keys(m.then)) {
		claims = append(claims, m.then[name].Claimant(m.next.Models[name].Model))
	}
	turns := rollout.Turns(claims, nil)
	for i := range all {
		sw := all[i].Switch
		s, known := m.then[all[i].Model]
		switch {
		case sw == nil || sw.Does != Starts || !known || s.Phase != rollout.Waiting:
		case !s.Queued.Opens.IsZero():
			sw.Turn = Clean(s.Queued.Why)
		default:
			sw.Turn = Clean(turns[all[i].Model].Why)
		}
	}
}
