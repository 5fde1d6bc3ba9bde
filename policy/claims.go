package policy

import (
	"fmt"
	"slices"
)

// claim is a part of a fleet's traffic; two models can't have the same.
type claim struct{ fleet, host, prefix string }

func claimsOf(m *Model) []claim {
	if m == nil {
		return nil
	}
	var claims []claim
	for _, fleet := range m.Route.Fleets {
		for _, host := range m.Route.Hosts {
			claims = append(claims, claim{fleet, host, m.Route.Prefix})
		}
	}
	return claims
}

// SharedClaim says which traffic both models would route, as "fleet edge, host
// a.example, prefix /"; it is empty when there is none.
func SharedClaim(a, b *Model) string {
	held := claimsOf(b)
	for _, c := range claimsOf(a) {
		if slices.Contains(held, c) {
			return fmt.Sprintf("fleet %s, host %s, prefix %s", c.fleet, c.host, c.prefix)
		}
	}
	return ""
}

// resolveClaims takes new policies back until no two standing ones claim the
// same traffic. Whoever holds a claim by the policy in force keeps it; of two
// newcomers neither gets it, for either choice would be a guess. A policy that
// is taken back puts its last good one in its place, which may have a claim
// that somebody else counted on: so it goes on until all is quiet. Each round
// takes back at least one, so it ends.
func (m *merger) resolveClaims(choices map[string]*choice[Model]) {
	names := sortedNames(choices)
	for {
		losers := map[string]string{} // who loses, and to whom
		for _, pair := range conflicts(names, choices) {
			m.settle(choices[pair.a], choices[pair.b], pair.over, losers)
		}
		if len(losers) == 0 {
			return
		}
		for name := range losers {
			choices[name].next = nil
		}
	}
}

// conflict is a claim that two standing policies have.
type conflict struct {
	a, b string
	over claim
}

// conflicts names each policy that shares a claim, beside one other that has it:
// whoever holds it already, or else the first. A thousand models that inherit one
// host are a thousand conflicts and not a million.
func conflicts(names []string, choices map[string]*choice[Model]) []conflict {
	holders, order := map[claim][]string{}, []claim{}
	for _, name := range names {
		if choices[name].removed {
			continue
		}
		for _, over := range claimsOf(choices[name].standing()) {
			if holders[over] == nil {
				order = append(order, over)
			}
			holders[over] = append(holders[over], name)
		}
	}
	var found []conflict
	for _, over := range order {
		held := holders[over]
		if len(held) == 1 {
			continue
		}
		holder := max(0, slices.IndexFunc(held, func(name string) bool { return slices.Contains(claimsOf(choices[name].last), over) }))
		for i, name := range held {
			if i != holder {
				found = append(found, conflict{held[holder], name, over})
			}
		}
	}
	return found
}

// settle decides one conflict and notes who loses it.
func (m *merger) settle(a, b *choice[Model], over claim, losers map[string]string) {
	for _, side := range [][2]*choice[Model]{{a, b}, {b, a}} {
		loser, other := side[0], side[1]
		if loser.next == nil || slices.Contains(claimsOf(loser.last), over) {
			continue
		}
		if losers[loser.name] == other.name {
			continue // told already, over another claim
		}
		losers[loser.name] = other.name
		m.note(loser.document, "spec.route", RuleRouteConflict,
			"model %s claims fleet %s, host %s, prefix %s, and so does model %s at %s; change one of them",
			loser.name, over.fleet, over.host, over.prefix, other.name, standsAt(other))
	}
}

// standsAt names the place of the other side's policy.
func standsAt(c *choice[Model]) string {
	if c.document != nil && c.next != nil {
		return c.document.where("spec.route")
	}
	last := source(c.last)
	return fmt.Sprintf("%s:%d", last.File, last.Line)
}
