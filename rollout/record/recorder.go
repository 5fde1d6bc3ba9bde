package record

import (
	"reflect"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

const (
	// partAfter and partSize are when a part of what comes all the time is worth keeping:
	// what comes after it is lost when the process is killed. Parts of two seconds would
	// take a quarter more bytes, parts of ten an eighth fewer.
	partAfter = 5 * time.Second
	partSize  = 200 // entries
)

// grain is how long a window of a recording is, by how many bytes it has already:
// what comes first, while weight moves, is kept second by second.
func grain(size int) time.Duration {
	for _, g := range []struct {
		below int
		each  time.Duration
	}{
		{MaxSize / 2, time.Second}, {MaxSize * 5 / 8, 5 * time.Second}, {MaxSize * 3 / 4, 30 * time.Second},
		{MaxSize * 7 / 8, 5 * time.Minute}, {MaxSize, time.Hour},
	} {
		if size < g.below {
			return g.each
		}
	}
	return 0
}

// Recorder makes recordings of one model's switches. The zero value waits for one.
type Recorder struct {
	id      string // of the switch that is recorded; empty if none is
	entries []Entry
	since   time.Time // of the oldest of entries
	told    bool      // one of them is not of those that come all the time
	size    int       // bytes that were taken so far
	cut     bool
	open    *Window // the one that grows
	ends    time.Time

	endpoints Endpoints
	fleet     Fleet
	results   map[string]rollout.Result
}

// Hear takes what an event did to a model's state, at that time.
func (r *Recorder) Hear(before, after rollout.State, e rollout.Event, now time.Time) {
	sw := after.Switch
	if sw == nil {
		return
	}
	begins := before.Switch == nil || before.Switch.ID != sw.ID
	if !begins && (before.Switch.Outcome != "" || sw.Outcome == "" && !after.Phase.Running()) {
		return
	}
	if r.id != sw.ID {
		*r = Recorder{id: sw.ID, results: map[string]rollout.Result{}}
		if !begins { // the process is another one
			r.size = MaxSize / 4 // not known; each start costs some of the finest grain
		}
	}
	switch c, said := e.(rollout.Command); {
	case begins && said:
		r.begin(before, c, now)
	case begins: // only a command begins a switch
		return
	default:
		r.hear(before, after, e, now)
	}
	if before.Phase != after.Phase {
		r.closeWindow()
	}
	if before.Phase == rollout.Waiting && after.Phase == rollout.Preparing {
		r.add(Entry{At: now, Record: &after.Judging.Record})
	}
	r.hearAsked(before.Rolled, after.Rolled, now)
	if after.Generation != before.Generation {
		r.add(Entry{At: now, Published: &Published{after.Generation, after.Weights}})
	}
	if sw.Outcome != "" {
		r.closeWindow()
		r.add(Entry{At: now, Ended: true})
	}
}

// begin writes down how all was.
func (r *Recorder) begin(before rollout.State, c rollout.Command, now time.Time) {
	f := before.Facts
	before.Switch = nil
	r.endpoints, r.fleet = endpointsOf(f, rollout.State{}), fleetOf(f.Report, nil)
	c.Key = "" // a secret of the caller's, and of no use here
	r.add(Entry{At: now, Head: &Head{State: before, Endpoints: r.endpoints, Fleet: r.fleet, Records: f.Traffic.Records, Command: c}})
}

func (r *Recorder) hear(before, after rollout.State, e rollout.Event, now time.Time) {
	switch e := e.(type) {
	case rollout.Recovered:
		r.add(Entry{At: now, Restarted: true})
	case rollout.Observed, rollout.Rediscovering:
		if next := endpointsOf(after.Facts, before); !reflect.DeepEqual(next, r.endpoints) {
			r.endpoints = next
			r.add(Entry{At: now, Endpoints: &next})
		}
	case rollout.Reported:
		if next := fleetOf(e.Report, after.Switch); !reflect.DeepEqual(next, r.fleet) {
			r.fleet = next
			r.add(Entry{At: now, Fleet: &next})
		}
	case rollout.Checked:
		for _, v := range e.Verdicts {
			if r.results[v.Check] != v.Result {
				r.results[v.Check] = v.Result
				r.add(Entry{At: now, Verdict: &Verdict{v.Check, v.Result, v.Summary, v.Took}})
			}
		}
	case rollout.Measured:
		for _, w := range e.Windows {
			r.measure(w, before)
		}
	case rollout.TurnCame:
		r.add(Entry{At: now, Turn: &e.Turn})
	case rollout.Command:
		e.Key = ""
		r.add(Entry{At: now, Command: &e})
	case rollout.Retired:
		if !before.Rolled.Asked.IsZero() && e.Key == before.Rolled.Key {
			r.add(Entry{At: now, Answered: &Answered{e.Key, e.Problem}})
		}
	}
}

// hearAsked writes down whom a rolling switch has just asked for.
func (r *Recorder) hearAsked(before, after rollout.Rolled, now time.Time) {
	if after.Asked.IsZero() || after.Asked.Equal(before.Asked) && after.Key == before.Key {
		return
	}
	last := after.Batches[len(after.Batches)-1]
	r.add(Entry{At: now, Asked: &Asked{Key: after.Key, Restore: after.Back, Instances: len(last.Instances)}})
}

// unmet is how long windows are while no user meets the target.
const unmet = 30 * time.Second

// measure adds a window of users' requests to the open one; s is what the model was when
// they came: they may have ended that. A switch that waits, perhaps
// for days, needs none.
func (r *Recorder) measure(w rollout.Window, s rollout.State) {
	each := grain(r.size)
	if s.Phase != rollout.Shadowing && s.Weights.Of(s.Switch.To) == 0 {
		if s.Phase != rollout.Preparing && s.Phase != rollout.Validating {
			return
		}
		if each > 0 {
			each = max(each, unmet)
		}
	}
	if each == 0 {
		if !r.cut {
			r.cut = true
			r.add(Entry{At: w.End, Cut: true})
		}
		return
	}
	if r.open == nil {
		r.open = &Window{Begin: w.Begin}
	}
	r.open.add(w)
	r.ends = w.End
	if w.End.Sub(r.open.Begin) >= each-each/10 { // a window is only about a second
		r.closeWindow()
	}
}

func (r *Recorder) closeWindow() {
	if r.open != nil {
		r.add(Entry{At: r.ends, Window: r.open})
		r.open = nil
	}
}

func (w *Window) add(o rollout.Window) {
	for _, routed := range o.Users {
		i := slices.IndexFunc(w.Users, func(r Routed) bool { return r.Weights == routed.Weights })
		if i < 0 {
			i = len(w.Users)
			w.Users = append(w.Users, Routed{Weights: routed.Weights})
		}
		for _, c := range policy.Colors {
			at := w.Users[i].Colors.At(c)
			*at = at.plus(tallyOf(routed.Colors.Of(c)))
		}
	}
	for _, c := range policy.Colors {
		at := w.Shadow.At(c)
		*at = at.plus(tallyOf(o.Shadow.Of(c)))
	}
}

func (r *Recorder) add(e Entry) {
	if len(r.entries) == 0 {
		r.since = e.At
	}
	r.entries = append(r.entries, e)
	r.told = r.told || !e.usual()
}

// usual reports whether e is of the kind that comes all the time.
func (e Entry) usual() bool {
	return e.Window != nil || e.Endpoints != nil || e.Fleet != nil || e.Verdict != nil || e.Turn != nil
}

// Take is what was recorded since the last call, and of which switch, when it is worth
// keeping or asked for at once. Whoever takes it has to keep it.
func (r *Recorder) Take(now time.Time, atOnce bool) (id string, entries []Entry) {
	n := len(r.entries)
	if n == 0 || !atOnce && !r.told && n < partSize && now.Sub(r.since) < partAfter {
		return "", nil
	}
	entries, r.entries, r.told = r.entries, nil, false
	return r.id, entries
}

// Kept says how many bytes a part took.
func (r *Recorder) Kept(bytes int) { r.size += bytes }
