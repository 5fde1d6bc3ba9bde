package rollout

import (
	"fmt"

	"greenlight/policy"
)

// Need is how many ready endpoints a color must have before it gets weight,
// when the color that it takes over from has live of them.
func Need(p *policy.Model, live int) int {
	need := Least(p)
	for _, c := range p.Validate {
		if c.Endpoints != nil {
			need = max(need, share(live, c.Endpoints.OfLive))
		}
	}
	return need
}

// Least is how many ready endpoints a color must have whatever the other has.
func Least(p *policy.Model) int {
	least := 1
	for _, c := range p.Validate {
		if c.Endpoints != nil {
			least = max(least, c.Endpoints.Min)
		}
	}
	return least
}

// Lost is the number of ready endpoints under which a color that needed so
// many counts as lost.
func Lost(p *policy.Model, needed int) int {
	return max(1, share(needed, p.Rollback.EndpointsBelow))
}

// share is w of n, rounded up.
func share(n int, w policy.Weight) int {
	full := int(policy.Full)
	return (n*int(w) + full - 1) / full
}

// Served is what both colors' clusters should hold when the registry says
// next and they hold prev, the last answer of Served: a color that has weight
// is never emptied, its endpoints stay until there are others.
func Served(prev, next EndpointSet, w Weights) (blue, green []Endpoint) {
	return served(policy.Blue, prev, next, w), served(policy.Green, prev, next, w)
}

func served(c policy.Color, prev, next EndpointSet, w Weights) []Endpoint {
	if len(next.Of(c)) == 0 && w.Of(c) > 0 {
		return prev.Of(c)
	}
	return next.Of(c)
}

// need is what the plan asks of the target now.
func (t *turn) need() int { return Need(t.plan(), t.s.Facts.ready(t.s.Switch.From)) }

// tooFew says that c has fewer than need ready endpoints; empty when it has enough.
func (t *turn) tooFew(c policy.Color, need int) string {
	ready := t.s.Facts.ready(c)
	if ready >= need {
		return ""
	}
	text := fmt.Sprintf("%s has %s and needs %d", c, count(ready, "ready endpoint"), need)
	if n := t.s.Facts.Endpoints.Unready[c]; n > 0 {
		text += fmt.Sprintf(" (%d not ready)", n)
	}
	return text
}
