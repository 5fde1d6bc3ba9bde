package replay

import (
	"fmt"
	"slices"
	"time"

	"greenlight/policy/calendar"
	"greenlight/rollout"
	"greenlight/rollout/simulate"
)

// asks is what somebody was asked for in the replay.
type asks struct {
	by          map[string]*asked
	letGo, back int                  // how many wishes there were
	leaves      map[string]time.Time // when an instance leaves, by its id
}

// asked is one wish, which goes as a recorded one went; like is nil if there was none.
type asked struct {
	like  *wish
	times int       // that it was answered before
	due   time.Time // of the next answer
}

// quickly is how long those take to answer whom nobody asked while it was recorded.
const quickly = time.Second

// asked is how a wish is answered, and who comes and goes for it.
func (p *player) asked(a rollout.LetGo) (simulate.Retire, []simulate.Move) {
	now := p.world.Now()
	one, again := p.asks.by[a.Key]
	if again {
		if !now.Before(one.due) { // otherwise nobody was there to hear it
			one.times++
		}
		return p.answer(one, now), nil
	}
	one = &asked{like: p.like(a, now)}
	p.asks.by[a.Key] = one
	if a.Restore {
		return p.answer(one, now), p.comeBack(a, one.like)
	}
	return p.answer(one, now), p.makeRoom(a, one.like)
}

// like is the recorded wish of the same number or, beyond those, the last one.
func (p *player) like(a rollout.LetGo, now time.Time) *wish {
	all, n := p.instances.letGo, &p.asks.letGo
	if a.Restore {
		all, n = p.instances.back, &p.asks.back
	}
	i := *n
	*n++
	matters := !a.Restore || p.world.State().Phase != rollout.RollingBack // nothing waits for them then
	if len(all) == 0 {
		if matters {
			p.note(p.nobodyAsked(a))
		}
		return nil
	}
	w := all[min(i, len(all)-1)]
	if matters && (i >= len(all) || w.size != len(a.Instances) || now.Sub(w.first).Abs() > alike+lostIn(p.recording)) {
		p.note(p.othersAsked(a))
	}
	return w
}

func (p *player) answer(one *asked, now time.Time) simulate.Retire {
	r := simulate.Retire{Takes: quickly}
	if w := one.like; w != nil {
		a := w.asks[min(one.times, len(w.asks)-1)]
		r.Takes, r.Problem = a.took, a.problem
		if a.took < 0 { // it takes longer than it was waited for
			r.Takes = max(quickly, p.instances.ends.Sub(a.at))
		}
	}
	one.due = now.Add(r.Takes)
	return r
}

// makeRoom is old instances that leave, and new ones that come in their place.
func (p *player) makeRoom(a rollout.LetGo, like *wish) (out []simulate.Move) {
	in, now := p.instances, p.world.Now()
	for i, e := range a.Instances {
		after, known := in.when(like, in.letGo, goes, i, len(a.Instances))
		if !known {
			after = max(quickly, in.waited(like))
		}
		p.asks.leaves[e.ID] = now.Add(after)
		out = append(out, simulate.Move{After: after, Color: in.from, Leave: []rollout.Endpoint{e}})
		if after, known := in.takesToCome(like, i, len(a.Instances)); known {
			out = append(out, simulate.Move{After: after, Color: in.to, Come: 1, Version: in.toVersion})
		}
	}
	return out
}

// comeBack is old instances that come back, and new ones that leave for them.
func (p *player) comeBack(a rollout.LetGo, like *wish) (out []simulate.Move) {
	in, now := p.instances, p.world.Now()
	for i, e := range a.Instances {
		after, known := in.takesToReturn(like, i, len(a.Instances))
		if known {
			after = max(after, p.asks.leaves[e.ID].Sub(now))
			out = append(out, simulate.Move{After: after, Color: in.from, Return: []rollout.Endpoint{e}})
		}
		if like == nil {
			continue
		}
		if at := i * like.size / len(a.Instances); at < len(like.goes) {
			out = append(out, simulate.Move{After: like.goes[at], Color: in.to, Come: -1, Version: in.toVersion})
		}
	}
	return out
}

// when is how long after it was asked the i-th of n instances moved: as the one at that
// place of the recorded wish, or as usual if that had not by the end of the recording.
func (in *instances) when(like *wish, all []*wish, of func(*wish) *[]time.Duration, i, n int) (after time.Duration, known bool) {
	if like != nil {
		if at := i * like.size / n; at < len(*of(like)) {
			return (*of(like))[at], true
		}
	}
	var took []time.Duration
	for _, w := range all {
		took = append(took, *of(w)...)
	}
	if len(took) == 0 {
		return 0, false
	}
	slices.Sort(took)
	return max(in.waited(like), took[len(took)/2]), true
}

// waited is how long nothing came of a wish, as far as that is recorded.
func (in *instances) waited(like *wish) time.Duration {
	if like == nil {
		return 0
	}
	return in.ends.Sub(like.first)
}

// takesToCome is how long a new instance takes that comes in the place of an old one;
// none comes where all were there.
func (in *instances) takesToCome(like *wish, i, n int) (after time.Duration, known bool) {
	if after, known = in.when(like, in.letGo, comes, i, n); known || in.complete || like != nil {
		return after, known
	}
	return in.warmUp, in.warmUp > 0
}

// takesToReturn is how long an old instance takes to come back: if none was seen to, as
// long as a new one takes.
func (in *instances) takesToReturn(like *wish, i, n int) (after time.Duration, known bool) {
	if after, known = in.when(like, in.back, comes, i, n); known {
		return after, true
	}
	if after, known = in.when(nil, in.letGo, comes, i, n); !known {
		after, known = in.warmUp, in.warmUp > 0
	}
	return max(after, in.waited(like)), known
}

// othersAsked says what is assumed for instances that are not those of the recording.
func (p *player) othersAsked(a rollout.LetGo) string {
	if a.Restore {
		return "other instances are asked for back than in the recorded switch: each is taken to come as long after as one did then"
	}
	text := "other instances make room than in the recorded switch: they are taken to leave, and new ones to be ready in their place, " +
		"as long after they are let go as those of the same batch then; how well fewer, or more, of them would have answered users can't be known"
	if _, known := p.instances.takesToCome(p.instances.letGo[0], 0, 1); !known && !p.instances.complete {
		text += "; no new one was ready by the end of the recording, and none is in the replay"
	}
	return text
}

// nobodyAsked says what is assumed when nobody was asked for the like.
func (p *player) nobodyAsked(a rollout.LetGo) string {
	in := p.instances
	what, after, known := "let instances go", time.Duration(0), false
	if a.Restore {
		what = "bring instances back"
		after, known = in.takesToReturn(nil, 0, 1)
	} else {
		after, known = in.takesToCome(nil, 0, 1)
	}
	text := fmt.Sprintf("nobody was asked to %s in the recorded switch: it is taken to be done at once", what)
	switch {
	case known:
		return text + fmt.Sprintf(", and others to be ready after %s, as long as instances took before", calendar.PlainDuration(after))
	case !a.Restore && in.complete:
		return text + fmt.Sprintf("; %s had all its instances, and none comes in the place of those that go", in.to)
	default:
		return text + "; how long instances take to be ready was not measured, and none comes in the replay"
	}
}
