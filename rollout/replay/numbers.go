package replay

import (
	"fmt"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/rollout/record"
)

// numbers gives the instances of each color and version, of which a recording has only
// how many they were, their names. Those that go by themselves are the ones with the
// lowest numbers, since a batch takes those with the highest.
type numbers map[string]span

type span struct{ first, next int }

// set is an answer of the registry, with instances of no address.
func (n numbers) set(model string, e record.Endpoints) rollout.EndpointSet {
	if e.Unknown {
		return rollout.EndpointSet{Problem: "it had not answered then"}
	}
	out := rollout.EndpointSet{Problem: e.Problem, Unready: map[policy.Color]int{}}
	for _, c := range policy.Colors {
		var all []rollout.Endpoint
		for _, s := range e.Ready.Of(c) {
			all = append(all, n.named(model, c, s)...)
		}
		if c == policy.Blue {
			out.Blue = all
		} else {
			out.Green = all
		}
		out.Unready[c] = e.Unready.Of(c)
	}
	return out
}

func (n numbers) named(model string, c policy.Color, s record.Serving) (out []rollout.Endpoint) {
	key := fmt.Sprintf("%s-%s-%s", model, c, s.Version)
	now := n[key]
	now.first = max(now.first, now.next-s.Count)
	now.next = now.first + s.Count
	n[key] = now
	for i := now.first; i < now.next; i++ {
		out = append(out, rollout.Endpoint{ID: fmt.Sprintf("%s-%05d", key, i), Weight: 1, Version: s.Version})
	}
	return out
}
