package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fleetHosts is a fleet's hosts, sorted, and who claims each.
type fleetHosts struct {
	names   []string
	holders map[string][]*Model
}

// hostsOf takes in every standing model, by fleet, in a fixed order.
func hostsOf(models map[string]*choice[Model]) map[string]*fleetHosts {
	all := map[string]*fleetHosts{}
	for _, name := range sortedNames(models) {
		m := models[name].standing()
		if models[name].removed {
			continue
		}
		for _, c := range claimsOf(m) {
			if all[c.fleet] == nil {
				all[c.fleet] = &fleetHosts{holders: map[string][]*Model{}}
			}
			all[c.fleet].holders[c.host] = append(all[c.fleet].holders[c.host], m)
		}
	}
	for _, hosts := range all {
		hosts.names = slices.Sorted(maps.Keys(hosts.holders))
	}
	return all
}

// overlaps notes hosts of the model that cover another model's, and prefixes
// that leave it a single path.
func (w *warner) overlaps(all map[string]*fleetHosts) {
	told := map[string]bool{} // by w.prefixes
	for i, host := range w.model.Route.Hosts {
		at := item("spec.route.hosts", i)
		w.likeCopies(at, host)
		var lost, unanswered []string
		for _, fleet := range w.model.Route.Fleets {
			hosts := all[fleet]
			w.prefixes(fleet, host, hosts.holders[host], told)
			if !strings.HasPrefix(host, "*") {
				continue
			}
			for _, narrow := range hosts.names {
				holders := hosts.holders[narrow]
				switch {
				case !coversHost(host, narrow) || slices.ContainsFunc(holders, w.isModel):
				case slices.ContainsFunc(holders, w.takesOver):
					lost = append(lost, holdersText(narrow, fleet, holders))
				default:
					unanswered = append(unanswered, holdersText(narrow, fleet, holders))
				}
			}
		}
		if len(lost) > 0 {
			w.warn(at, RuleHostOverlap, "%s = %s also covers %s; the longer host wins, so its requests go there and none to %s; name hosts that do not overlap, or leave it so if that is meant",
				shown(at), host, firstOf(lost), w.model.Name)
		}
		if len(unanswered) > 0 {
			w.warn(at, RuleHostOverlap, "%s = %s also covers %s; the longer host wins for every path, so what has another prefix is answered 404 and never reaches %s; list that host here too, or name hosts that do not overlap",
				shown(at), host, firstOf(unanswered), w.model.Name)
		}
	}
}

func (w *warner) isModel(m *Model) bool { return m.Name == w.model.Name }

// takesOver reports whether m answers all paths of the model.
func (w *warner) takesOver(m *Model) bool { return coversPath(m.Route.Prefix, w.model.Route.Prefix) }

// prefixes notes other models of the host whose prefix is the model's own and a
// slash, each once.
func (w *warner) prefixes(fleet, host string, holders []*Model, told map[string]bool) {
	for _, m := range holders {
		if m.Route.Prefix != w.model.Route.Prefix+"/" || w.model.Route.Prefix == "/" || told[m.Name] {
			continue
		}
		told[m.Name] = true
		w.warn("spec.route.prefix", RulePrefixOverlap, "route.prefix = %s, and model %s at %s:%d has %s on fleet %s, host %s; all below it goes to %s, and %s gets that single path; give one of them another prefix",
			w.model.Route.Prefix, m.Name, m.Source.File, m.Source.Line, m.Route.Prefix, fleet, host, m.Name, w.model.Name)
	}
}

// coversHost reports whether wide, a wildcard, also matches what narrow does and
// is not the same. Envoy prefers the exact host, then the longest suffix, then "*".
func coversHost(wide, narrow string) bool {
	return wide != narrow && strings.HasSuffix(narrow, strings.TrimPrefix(wide, "*"))
}

// coversPath reports whether prefix a matches every path that b does. Without a
// slash at its end a prefix matches whole segments.
func coversPath(a, b string) bool {
	return a == b || strings.HasPrefix(b, strings.TrimSuffix(a, "/")+"/")
}

// holdersText names who has a host: "fraud.example on fleet edge (model fraud, prefix /v2)".
func holdersText(host, fleet string, holders []*Model) string {
	names := make([]string, len(holders))
	for i, m := range holders {
		names[i] = fmt.Sprintf("model %s, prefix %s", m.Name, m.Route.Prefix)
	}
	return fmt.Sprintf("%s on fleet %s (%s)", host, fleet, firstOf(names))
}

// firstOf names the first ones, and how many more there are: a wildcard may cover
// a thousand hosts.
func firstOf(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(names[:most], "; "), len(names)-most)
}

// likeCopies notes a host by which users' requests would be reported as copies.
func (w *warner) likeCopies(at, host string) {
	if !strings.HasSuffix(host, "-shadow") {
		return
	}
	if !w.has(at) {
		at = "metadata.name" // whose default it is
	}
	w.warn(at, RuleCopiesHost, "the host %s ends with -shadow, which Envoy makes of a copy's host; users' requests would be counted as copies, too; write route.hosts with one that ends otherwise", host)
}
