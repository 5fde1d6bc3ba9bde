package replay

import (
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout/record"
)

// instances is what became of the instances in a recorded switch: what the registry
// would have said had nobody been asked to let some go, and what the asking led to.
type instances struct {
	from, to               policy.Color
	fromVersion, toVersion string
	// outside is the answers of the registry, by entry; letGo and back are the wishes.
	outside map[int]outside
	letGo   []*wish
	back    []*wish
	ends    time.Time
	// complete: by the time that users met it the new color had as many instances as the
	// old one, none of which took another one's place.
	complete bool
	warmUp   time.Duration // that was measured before; 0 if none was

	// While entries are read, as of the last answer that is trusted: the old instances that
	// there would be, of those the ones that left as a batch's and those that have to come
	// back of a batch that serves again, the new ones that are ready, and those that were
	// and are not, for a reason of their own.
	whole      int
	gone, owed int
	fresh      int
	lost       int
}

// outside is an answer of the registry as it would have been.
type outside struct {
	record.Endpoints
	away int // new instances that came in the place of others, and were not ready then
}

// wish is instances that somebody was asked to let go, or for.
type wish struct {
	key   string
	size  int
	first time.Time
	asks  []asking
	// goes and comes are when instances left and came, after first. Old ones leave and
	// new ones come; of a wish to have them back it is the other way round.
	goes, comes []time.Duration
	batch       *wish // that is wanted back; nil of one that is let go
	// popped: the batch serves again, as far as it is there. early is how many of it
	// came back before that.
	popped bool
	early  int
}

// asking is one time that it was asked; took is below 0 without an answer.
type asking struct {
	at      time.Time
	took    time.Duration
	problem string
}

func newInstances(r record.Recording) *instances {
	sw, head := r.Switch, headOf(r)
	out := &instances{
		from: sw.From, to: sw.To, fromVersion: sw.FromVersion, toVersion: sw.ToVersion,
		outside: map[int]outside{}, ends: r.Entries[len(r.Entries)-1].At, warmUp: head.State.WarmUp.Took,
	}
	for _, e := range r.Entries {
		if f := e.Endpoints; f != nil && out.toVersion == "" && len(f.Ready.Of(sw.To)) > 0 { // it was never validated
			out.toVersion = f.Ready.Of(sw.To)[0].Version
		}
	}
	out.read(0, record.Entry{At: r.Entries[0].At, Endpoints: &head.Endpoints})
	for i, e := range r.Entries[1:] {
		out.read(i+1, e)
	}
	out.complete = out.wasComplete(r)
	return out
}

func (in *instances) read(i int, e record.Entry) {
	switch {
	case e.Asked != nil:
		in.asked(e.At, *e.Asked)
	case e.Answered != nil:
		in.answered(e.At, *e.Answered)
	case e.Endpoints != nil:
		if e.Endpoints.Problem == "" && !e.Endpoints.Unknown {
			in.heard(e.At, *e.Endpoints, i == 0)
		}
		in.outside[i] = in.without(*e.Endpoints)
	}
}

func (in *instances) asked(at time.Time, a record.Asked) {
	list := &in.letGo
	if a.Restore {
		list = &in.back
	}
	i := slices.IndexFunc(*list, func(w *wish) bool { return w.key == a.Key })
	if i < 0 {
		i = len(*list)
		one := &wish{key: a.Key, size: a.Instances, first: at}
		if a.Restore {
			one.batch = in.lastBatch()
		}
		*list = append(*list, one)
	}
	one := (*list)[i]
	one.asks = append(one.asks, asking{at: at, took: -1})
}

func (in *instances) answered(at time.Time, a record.Answered) {
	for _, w := range slices.Concat(in.letGo, in.back) {
		if w.key == a.Key && len(w.asks) > 0 {
			last := &w.asks[len(w.asks)-1]
			last.took, last.problem = at.Sub(last.at), a.Problem
		}
	}
	i := slices.IndexFunc(in.back, func(w *wish) bool { return w.key == a.Key })
	if i >= 0 && a.Problem == "" && in.back[i].batch != nil {
		b := in.back[i].batch
		b.popped = true
		in.owed += len(b.goes) - b.early
	}
}

// lastBatch is the last one that was let go and does not serve again.
func (in *instances) lastBatch() *wish {
	for _, w := range slices.Backward(in.letGo) {
		if !w.popped {
			return w
		}
	}
	return nil
}

// heard takes an answer of the registry that is trusted, and says what was whose doing.
func (in *instances) heard(at time.Time, e record.Endpoints, first bool) {
	in.gone = e.Out - e.Leaving
	in.leave(at)
	old := ready(e.Ready.Of(in.from))
	if came := old + in.gone + in.owed - in.whole; came > 0 && !first {
		in.owed -= share(in.back, at, came, comes)
	}
	in.whole = old + in.gone + in.owed
	fresh := ready(e.Ready.Of(in.to))
	switch more := fresh - in.fresh; {
	case first:
	case more > 0:
		again := min(more, in.lost)
		in.lost -= again
		share(in.letGo, at, more-again, comes)
	case more < 0:
		in.lost += -more - share(in.back, at, -more, goes)
	}
	in.fresh = fresh
}

// leave finds whose batch the instances were that are gone by now, or back too early.
func (in *instances) leave(at time.Time) {
	known := 0
	var all []*wish
	for _, w := range in.letGo {
		if !w.popped {
			all = append(all, w)
			known += len(w.goes) - w.early
		}
	}
	share(all, at, in.gone-known, goes)
	back := known - in.gone
	for _, w := range slices.Backward(all) {
		for ; back > 0 && len(w.goes) > w.early; back-- {
			if share(in.back, at, 1, comes) > 0 {
				w.early++
			} else { // it had not left after all
				w.goes = w.goes[:len(w.goes)-1]
			}
		}
	}
}

func goes(w *wish) *[]time.Duration  { return &w.goes }
func comes(w *wish) *[]time.Duration { return &w.comes }

// share gives n instances to the wishes that wait for such, the oldest first, and says
// how many it was.
func share(all []*wish, at time.Time, n int, of func(*wish) *[]time.Duration) (given int) {
	for _, w := range all {
		for list := of(w); n > given && len(*list) < w.most(list); given++ {
			*list = append(*list, at.Sub(w.first))
		}
	}
	return given
}

// most is how many instances can be in a list of w's. What had not left does not come back.
func (w *wish) most(list *[]time.Duration) int {
	if list == &w.comes && w.batch != nil {
		return len(w.batch.goes)
	}
	return w.size
}

// without is an answer as it would have been had nobody been asked.
func (in *instances) without(e record.Endpoints) outside {
	more := 0
	for _, w := range in.letGo {
		more -= len(w.comes)
	}
	for _, w := range in.back {
		more += len(w.goes)
	}
	out := outside{Endpoints: e}
	if e.Unknown {
		return out
	}
	*out.Ready.At(in.from), _ = plusServing(e.Ready.Of(in.from), in.fromVersion, in.gone+in.owed)
	*out.Ready.At(in.to), out.away = plusServing(e.Ready.Of(in.to), in.toVersion, more)
	return out
}

// plusServing is all with n more instances of a version, and how many of those that are
// to be fewer are not there.
func plusServing(all []record.Serving, version string, n int) (out []record.Serving, missing int) {
	if n == 0 {
		return all, 0
	}
	out = slices.Clone(all)
	i := slices.IndexFunc(out, func(s record.Serving) bool { return s.Version == version })
	if i < 0 {
		i = len(out)
		out = append(out, record.Serving{Version: version})
	}
	n += out[i].Count
	out[i].Count = max(0, n)
	return out, max(0, -n)
}

func ready(all []record.Serving) (n int) {
	for _, s := range all {
		n += s.Count
	}
	return n
}

func (in *instances) wasComplete(r record.Recording) bool {
	old, fresh := 0, 0
	for i, e := range r.Entries {
		if o, answered := in.outside[i]; answered && !o.Unknown {
			old, fresh = ready(o.Ready.Of(in.from)), ready(o.Ready.Of(in.to))
		}
		if e.Published != nil && e.Published.Weights.Of(in.to) > 0 {
			break
		}
	}
	return fresh > 0 && fresh >= old
}
