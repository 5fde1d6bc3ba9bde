package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
)

// trusted reports whether the registry's last answer may decide anything. If
// not, what it said before stands, and nothing that it lacks counts as lost.
func (f Facts) trusted() bool { return f.EndpointsKnown && f.Endpoints.Problem == "" }

// ready counts the endpoints of c in the last answer, trusted or not.
func (f Facts) ready(c policy.Color) int { return len(f.Endpoints.Of(c)) }

// version is what c serves; several versions are listed.
func (f Facts) version(c policy.Color) string {
	return strings.Join(f.Endpoints.Versions(c), ", ")
}

// reported reports whether the last report speaks of generation g. Reports of
// older generations can still arrive after g was published.
func (f Facts) reported(g uint64) bool { return f.ReportKnown && f.Report.Generation == g }

// settled reports whether the last report speaks of g and of every node.
func (f Facts) settled(g uint64) bool { return f.reported(g) && f.Report.Settled }

// harmless reports whether the nodes that have not ACKed generation g have all
// rejected it, and none of them sends users to c.
func (f Facts) harmless(g uint64, c policy.Color) bool {
	r := f.Report
	return f.settled(g) && len(r.Rejected) > 0 && len(r.Pending) == 0 && r.Sending[c] == 0
}

// away reports whether nodes that may still carry users are known and not one
// of them is connected: then nobody can say what users meet.
func (f Facts) away() bool { return f.Report.Connected == 0 && len(f.Report.Stale) > 0 }

// heard reports whether somebody can speak of g. Silence of all nodes neither
// confirms anything nor is anything's fault.
func (f Facts) heard(g uint64) bool { return f.settled(g) && !f.away() }

// confirmed reports whether every connected node has ACKed g. Where no node is
// connected and none is stale there is nobody to ask, and g counts as confirmed.
func (f Facts) confirmed(g uint64) bool {
	return f.heard(g) && len(f.Report.Rejected) == 0 && f.Report.Acked == f.Report.Connected
}

// listenerType is Rejection.Type of a listener.
const listenerType = "listener"

// rejection says which node rejected g and why; it is empty when none did.
func (f Facts) rejection(g uint64) string { return f.rejectionSince(g, time.Time{}) }

// rejectionSince is rejection without the listeners that were rejected before at.
func (f Facts) rejectionSince(g uint64, at time.Time) string {
	if !f.reported(g) {
		return ""
	}
	all := slices.Clone(f.Report.Rejected)
	all = slices.DeleteFunc(all, func(r Rejection) bool { return r.Type == listenerType && r.At.Before(at) })
	if len(all) == 0 {
		return ""
	}
	r := all[0]
	others := ""
	if n := len(all) - 1; n > 0 {
		others = fmt.Sprintf(" (and %s more)", count(n, "rejection"))
	}
	return fmt.Sprintf("%s/%s rejected its %s: %s%s", r.Fleet, r.Node, r.Type, r.Reason, others)
}

// unconfirmed says what keeps g from being confirmed.
func (f Facts) unconfirmed(g uint64) string {
	r := f.Report
	switch {
	case !f.ReportKnown:
		return "the fleets have not reported yet"
	case !f.reported(g):
		return fmt.Sprintf("the fleets have not reported on generation %d yet", g)
	case f.rejection(g) != "":
		return f.rejection(g)
	case !r.Settled:
		return "nodes known from before a restart still have time to come back"
	case f.away():
		return "no node is connected: " + f.absent()
	default:
		return fmt.Sprintf("%d of %s did not ACK generation %d%s",
			r.Connected-r.Acked, count(r.Connected, "node"), g, names(r.Pending))
	}
}

// absent counts and names the stale nodes; the list of them may be cut.
func (f Facts) absent() string {
	stale := f.Report.Stale
	var some []string
	for _, s := range stale[:min(named, len(stale))] {
		some = append(some, s.Fleet+"/"+s.Node)
	}
	text := count(len(stale), "node")
	if len(stale) >= ReportList {
		text += " or more"
	}
	verb := "are"
	if len(stale) == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s %s away%s", text, verb, inBrackets(some, len(stale)))
}

// cold says which nodes have not warmed c; it is empty when all have.
func (f Facts) cold(c policy.Color) string {
	n := f.Report.Cold[c]
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s not warm for %s%s", count(n, "node"), c, names(f.Report.ColdNodes[c]))
}

// count is "1 node", "2 nodes".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// named is how many nodes a sentence names.
const named = 3

// names is " (edge/a has not ACKed its routes, edge/b)", or nothing.
func names(nodes []NodeRef) string {
	var out []string
	for _, n := range nodes[:min(named, len(nodes))] {
		out = append(out, strings.TrimSpace(n.Fleet+"/"+n.Node+" "+n.Detail))
	}
	return inBrackets(out, len(nodes))
}

// inBrackets lists some of all.
func inBrackets(some []string, all int) string {
	if all == 0 {
		return ""
	}
	if all > len(some) {
		some = append(some, "…")
	}
	return " (" + strings.Join(some, ", ") + ")"
}
