package plan

import (
	"slices"
	"strings"
)

// moves is the requests to the fleet that another model answers after the change. It
// looks at the hosts that differ: an Envoy picks the host first, and the longest prefix
// there.
func (c comparison) moves(fleet string, hosts []Host) []Move {
	out := []Move{}
	for _, h := range hosts {
		var prefixes []string
		for _, s := range []side{c.before, c.after} {
			for _, model := range s.hosts[fleet][s.domain(fleet, h.Host)] {
				prefixes = append(prefixes, s.prefix(model))
			}
		}
		for _, prefix := range sorted(prefixes) {
			from, to := c.before.answers(fleet, h.Host, prefix), c.after.answers(fleet, h.Host, prefix)
			if from != to {
				out = append(out, Move{Host: h.Host, Prefix: prefix, From: from, To: to})
			}
		}
	}
	return out
}

// answers is the model that answers requests to a host below a prefix; empty if none.
func (s side) answers(fleet, host, prefix string) string {
	best, length := "", -1
	for _, model := range s.hosts[fleet][s.domain(fleet, host)] {
		if p := s.prefix(model); len(p) > length && covers(p, prefix) {
			best, length = model, len(p)
		}
	}
	return best
}

// covers reports whether requests below prefix match the path prefix p, which matches
// whole segments.
func covers(p, prefix string) bool {
	rest, found := strings.CutPrefix(prefix, p)
	return found && (rest == "" || strings.HasSuffix(p, "/") || strings.HasPrefix(rest, "/"))
}

// domain is the virtual host that an Envoy picks for a host: its own, else that of the
// longest wildcard; empty if there is none.
func (s side) domain(fleet, host string) string {
	hosts := s.hosts[fleet]
	if _, own := hosts[host]; own {
		return host
	}
	best := ""
	for wildcard := range hosts {
		suffix, is := strings.CutPrefix(wildcard, "*")
		if is && len(wildcard) > len(best) && strings.HasSuffix(host, suffix) && host != suffix {
			best = wildcard
		}
	}
	return best
}

// sharing is the models of the fleet whose routes stay as they are.
func (c comparison) sharing(fleet string, hosts []Host) []string {
	out := []string{}
	for name := range c.after.models {
		rewritten := slices.ContainsFunc(hosts, func(h Host) bool { return slices.Contains(h.Rewritten, name) })
		if c.after.routes(fleet, name) && !c.touches(name) && !rewritten {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
