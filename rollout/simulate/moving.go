package simulate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
)

// letGoWait bounds one try to have instances let go.
const letGoWait = 30 * time.Second

// letGo asks to have instances decommissioned, or brought back. Where the policy names
// nobody who does that, people do: a scenario says when.
func (w *World) letGo(a rollout.LetGo) {
	what := "may be let go"
	if a.Restore {
		what = "are asked for back"
	}
	w.tell(plural(len(a.Instances), "instance") + " of " + string(a.Color) + " " + a.Version + " " + what)
	if w.Asked != nil {
		r, moves := w.Asked(a)
		w.planMoves(moves)
		w.planHere(min(r.Takes, letGoWait), func() { w.apply(rollout.Retired{Key: a.Key, Problem: r.Problem}) })
		return
	}
	w.planHere(min(w.given.Retire.Takes, letGoWait), func() {
		r := w.given.Retire
		if r.Takes > letGoWait && r.Problem == "" {
			r.Problem = "no answer within " + letGoWait.String()
		}
		if r.Problem == "" && a.How.Hooked() {
			w.move(a)
		}
		w.apply(rollout.Retired{Key: a.Key, Problem: r.Problem})
	})
}

// planMoves lets instances move; what happens at one moment is one answer of the registry.
func (w *World) planMoves(moves []Move) {
	at := map[time.Duration][]Move{}
	for _, m := range moves {
		at[m.After] = append(at[m.After], m)
	}
	for _, after := range slices.Sorted(maps.Keys(at)) {
		w.plan(after, func() {
			for _, m := range at[after] {
				w.registry.moved.take(w.model, m)
			}
			w.observe()
		})
	}
}

// move lets instances leave, and others take their place. What has never left does not
// come back.
func (w *World) move(a rollout.LetGo) {
	comes, n := a.Color, w.registry.missing(a.Color, a.Instances)
	if !a.Restore {
		n = w.registry.leave(a.Color, a.Instances)
		comes = a.Color.Other()
		w.observe()
		if a.Key == a.SwitchID { // the whole color: nothing takes its place
			return
		}
	}
	w.registry.sides.At(comes).unready += n
	w.observe()
	w.plan(w.given.Retire.Replaced, func() {
		in := w.registry.sides.At(comes)
		in.unready = max(0, in.unready-n)
		w.registry.come(comes, n)
		w.observe()
	})
}

// Move is instances that leave a fixed answer of the registry, or come to it, some time
// after somebody was asked to let instances go, or for them.
type Move struct {
	After  time.Duration
	Color  policy.Color
	Leave  []rollout.Endpoint // of the answer
	Return []rollout.Endpoint // that have left it
	// Come is how many new ones of Version come or, below 0, how many of them leave.
	Come    int
	Version string
}

// moved is who has left the fixed answer, and who came to it.
type moved struct {
	gone []rollout.Endpoint
	came rollout.ByColor[[]rollout.Endpoint]
	away rollout.ByColor[int] // how many that came are not ready now
}

func (m *moved) take(model string, o Move) {
	m.gone = slices.DeleteFunc(slices.Concat(m.gone, o.Leave), func(e rollout.Endpoint) bool { return among(o.Return, e) })
	came := m.came.At(o.Color)
	for range o.Come {
		*came = append(*came, rollout.Endpoint{
			ID: fmt.Sprintf("%s-%s-new-%05d", model, o.Color, len(*came)), Weight: 1, Version: o.Version,
		})
	}
	*came = (*came)[:max(0, len(*came)+min(0, o.Come))]
}

// in is the answer as it is after that.
func (m *moved) in(answer rollout.EndpointSet) rollout.EndpointSet {
	answer.Blue, answer.Green = m.of(policy.Blue, answer.Blue), m.of(policy.Green, answer.Green)
	return answer
}

func (m *moved) of(c policy.Color, answered []rollout.Endpoint) []rollout.Endpoint {
	came := m.came.Of(c)
	came = came[:max(0, len(came)-m.away.Of(c))]
	if len(m.gone)+len(came) == 0 {
		return answered
	}
	stay := slices.DeleteFunc(slices.Clone(answered), func(e rollout.Endpoint) bool { return among(m.gone, e) })
	out := slices.Concat(stay, came)
	slices.SortFunc(out, func(a, b rollout.Endpoint) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func among(all []rollout.Endpoint, e rollout.Endpoint) bool {
	return slices.ContainsFunc(all, func(one rollout.Endpoint) bool { return one.ID == e.ID && one.Version == e.Version })
}
