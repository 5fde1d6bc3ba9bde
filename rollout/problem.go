package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
)

// standing lists what an operator should know in whatever phase the model is.
func (t *turn) standing() []string {
	var out []string
	f := t.s.Facts
	if t.s.Live == "" {
		out = append(out, t.unmet()+": nothing is routed")
	}
	for _, c := range policy.Colors {
		if w := t.s.Weights.Of(c); w > 0 && f.EndpointsKnown && f.ready(c) == 0 {
			out = append(out, fmt.Sprintf("%s has %s of the traffic and no ready endpoint: its last ones stay", c, percent(w)))
		}
	}
	if r := t.s.Readiness(); r.Short && t.moved() && !t.said(r.Why) {
		out = append(out, "it could not go back now: "+r.Why)
	}
	if r := f.rejection(t.s.Generation); r != "" && !t.said(r) {
		out = append(out, r)
	}
	if e := f.Endpoints; e.Problem != "" {
		out = append(out, fmt.Sprintf("the registry's answer of before %s stands: %s",
			e.Since.Format(time.RFC3339), e.Problem))
	}
	return out
}

// unmet says why the model has no live color yet.
func (t *turn) unmet() string {
	first, f := t.p.InitialLive, t.s.Facts
	switch {
	case !f.EndpointsKnown:
		return unanswered
	case first != "" && f.ready(first.Other()) > 0:
		return fmt.Sprintf("initialLive is %s, which has no ready endpoint; %s has %d: register %s or change initialLive",
			first, first.Other(), f.ready(first.Other()), first)
	default:
		return "no endpoint of either color was seen yet"
	}
}

// said reports whether the phase's own problem names what already.
func (t *turn) said(what string) bool {
	return slices.ContainsFunc(t.problems, func(p string) bool { return strings.Contains(p, what) })
}
