package replay

import (
	"fmt"
	"math"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/judge"
	"greenlight/rollout/record"
	"greenlight/rollout/simulate"
)

// users tells of users' requests as they were recorded or, where weights are other ones
// than then, as each color would have answered its share of them.
type users struct {
	known   map[int64]rollout.ByColor[rollout.Tally] // by minute, what each color answered
	first   rollout.ByColor[int64]                   // the minutes that are known; 0 when none is
	last    rollout.ByColor[int64]
	carried rollout.ByColor[carry]
}

// carry is what is not a whole request, or failure, yet.
type carry struct{ requests, errors, rejected, place float64 }

const (
	// enough is how many requests of the minutes before are looked at.
	enough = 500
	// around is how many minutes that may be.
	around = 5
	// pooled is how many requests are drawn one by one.
	pooled = 500
	golden = 0.6180339887498949
)

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func newUsers(r record.Recording) *users {
	u := &users{known: map[int64]rollout.ByColor[rollout.Tally]{}}
	for _, e := range r.Entries {
		if e.Window == nil {
			continue
		}
		at := minuteOf(e.At)
		sum := u.known[at]
		for _, c := range policy.Colors {
			one := sum.At(c)
			for _, routed := range e.Window.Users {
				*one = one.Plus(routed.Colors.Of(c).Tally())
			}
			*one = one.Plus(e.Window.Shadow.Of(c).Tally())
			if one.Requests == 0 {
				continue
			}
			if u.first.Of(c) == 0 {
				*u.first.At(c) = at
			}
			*u.last.At(c) = at
		}
		u.known[at] = sum
	}
	return u
}

// window is what the fleets report under the present weights, and what had to be
// assumed for that; empty when nothing had to.
func (u *users) window(e record.Entry, s rollout.State, splits []simulate.Split) (out rollout.Window, note string) {
	w := e.Window
	out = rollout.Window{Begin: w.Begin, End: e.At}
	if s.Phase == rollout.Shadowing {
		out.Shadow = rollout.ByColor[rollout.Tally]{Blue: w.Shadow.Blue.Tally(), Green: w.Shadow.Green.Tally()}
	}
	if routedSo(w, s.Weights) {
		for _, r := range w.Users {
			out.Users = append(out.Users, rollout.Routed{
				Weights: r.Weights, Colors: rollout.ByColor[rollout.Tally]{Blue: r.Colors.Blue.Tally(), Green: r.Colors.Green.Tally()},
			})
		}
		return out, ""
	}
	requests, scaled := 0.0, 0.0
	for _, r := range w.Users {
		requests += float64(r.Colors.Blue.Requests + r.Colors.Green.Requests)
		scaled += r.Colors.Blue.Scaled + r.Colors.Green.Scaled
	}
	if requests == 0 {
		return out, ""
	}
	for _, split := range splits {
		r := rollout.Routed{Weights: split.Weights}
		for _, c := range policy.Colors {
			share := float64(split.Weights.Of(c)) / float64(policy.Full) * split.Share
			t, assumed := u.answer(c, e.At, requests*share, scaled/requests)
			*r.Colors.At(c) = t
			if assumed != "" {
				note = assumed
			}
		}
		out.Users = append(out.Users, r)
	}
	return out, note
}

// routedSo reports whether users were routed by these weights then; some may have been
// routed by those before.
func routedSo(w *record.Window, present rollout.Weights) bool {
	for _, r := range w.Users {
		if r.Weights == present {
			return true
		}
	}
	return false
}

// answer is how c answers about so many requests, each of which stands for scale.
func (u *users) answer(c policy.Color, at time.Time, requests, scale float64) (t rollout.Tally, assumed string) {
	carried := u.carried.At(c)
	n := whole(&carried.requests, requests, math.MaxInt)
	if n == 0 {
		return rollout.Tally{}, ""
	}
	known, assumed := u.behaviour(c, minuteOf(at))
	share := func(k int) float64 { return float64(k) / float64(max(1, known.Requests)) * float64(n) }
	t = rollout.Tally{Requests: n, Scaled: scale * float64(n)}
	t.Errors = whole(&carried.errors, share(known.Errors), n)
	t.Rejected = whole(&carried.rejected, share(known.Rejected+known.Gone), n-t.Errors)
	t.Classes = [6]int{2: n - t.Errors - t.Rejected, 4: t.Rejected, 5: t.Errors}
	t.Latency = sample(known.Latency, n, &carried.place)
	return t, assumed
}

// whole is how many of a number that grows by more are whole, most at most; the rest is
// carried on.
func whole(carried *float64, more float64, most int) int {
	*carried += more
	n := min(int(*carried+1e-9), most)
	*carried -= float64(n)
	return n
}

// behaviour is how c answered in the minutes up to then, or in the nearest that is known.
func (u *users) behaviour(c policy.Color, minute int64) (t rollout.Tally, assumed string) {
	for m := minute; m > minute-around && t.Requests < enough; m-- {
		sum := u.known[m]
		t = t.Plus(sum.Of(c))
	}
	if t.Requests > 0 {
		return t, ""
	}
	first, last := u.first.Of(c), u.last.Of(c)
	if first == 0 {
		return t, fmt.Sprintf("no user's request to %s is in the recording: how it would have answered can't be known, it is taken for faultless", c)
	}
	nearest, when := last, "last"
	if minute < first {
		nearest, when = first, "first"
	}
	for m := nearest; m > nearest-around && t.Requests < enough; m-- {
		sum := u.known[m]
		t = t.Plus(sum.Of(c))
	}
	return t, fmt.Sprintf("users met %s in the replay when none did in the recording: it is taken to have answered as when it was %s seen, at %s",
		c, when, time.Unix(nearest*60, 0).UTC().Format("15:04 UTC"))
}

// sample draws n typical times from what was seen.
func sample(s judge.Sketch, n int, place *float64) judge.Sketch {
	if s.Count() == 0 {
		return judge.Sketch{}
	}
	var few judge.Recorder
	for range min(n, pooled) {
		if *place += golden; *place >= 1 {
			*place--
		}
		few.Add(s.Quantile(*place))
	}
	if n <= pooled {
		return few.Sketch()
	}
	one := few.Sketch()
	var all judge.Recorder
	for range n / pooled {
		all.Merge(one)
	}
	all.Merge(sample(s, n%pooled, place))
	return all.Sketch()
}
