package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"greenlight/policy"
	"greenlight/rollout/judge"
)

const (
	// recentWindows is how many windows are remembered: at one a second, what a
	// status shows.
	recentWindows = 30
	// rateOver is the time over which a rate is averaged.
	rateOver = 10 * time.Second
	// silentAfter is how long a node that carried users may report nothing before
	// it counts as silent, if it would have reported silentRequests in that time.
	silentAfter    = 5 * time.Second
	silentRequests = 20
	// forgetNode is when a node that reports nothing is no longer remembered.
	forgetNode = time.Hour
)

// Traffic is what was lately heard of a model's users. It is not journaled.
type Traffic struct {
	// Recent is the newest windows, oldest first; at most recentWindows.
	Recent []Window
	// Nodes are those that have reported users' requests, by fleet and node.
	Nodes []NodeTraffic
	// Records are what each color did since it is live, while it alone had users and no
	// copies were made of their requests.
	Records ByColor[judge.Record]
	// Shares is what each node sent to each color since the present weights.
	Shares []NodeWindow
	// Instances is what each instance answered since the present weights.
	Instances []EndpointWindow
}

// NodeTraffic is how much one node carries.
type NodeTraffic struct {
	Fleet string
	Node  string
	Last  time.Time // end of the last window with requests
	Rate  float64   // requests a second that it reports, a moving average
	// Gap is the longest time between two of its reports, forgotten slowly: an Envoy
	// may be told to report once a minute.
	Gap time.Duration
}

// Known reports whether any fleet has lately reported on the model.
func (t Traffic) Known() bool { return len(t.Recent) > 0 }

// Ends is when the newest window was closed.
func (t Traffic) Ends() time.Time {
	if !t.Known() {
		return time.Time{}
	}
	return t.Recent[len(t.Recent)-1].End
}

// with is t and one more window.
func (t Traffic) with(w Window) Traffic {
	from := max(0, len(t.Recent)+1-recentWindows)
	t.Recent = append(slices.Clone(t.Recent[from:]), w)
	t.Nodes = seenNodes(t.Nodes, w)
	return t
}

// seenNodes takes in what each node carried in w.
func seenNodes(nodes []NodeTraffic, w Window) []NodeTraffic {
	carried := map[NodeRef]int{}
	for _, n := range w.Nodes {
		carried[NodeRef{Fleet: n.Fleet, Node: n.Node}] += n.Requests.Blue + n.Requests.Green
	}
	seconds := max(w.End.Sub(w.Begin).Seconds(), 0.001)
	var out []NodeTraffic
	for _, n := range nodes {
		key := NodeRef{Fleet: n.Fleet, Node: n.Node}
		if sent, ok := carried[key]; ok && sent > 0 {
			n.Gap = max(w.End.Sub(n.Last), n.Gap*9/10)
			n.Last = w.End
			n.Rate += (float64(sent)/seconds - n.Rate) / 5
		}
		delete(carried, key)
		if w.End.Sub(n.Last) < forgetNode {
			out = append(out, n)
		}
	}
	for key, sent := range carried {
		if sent > 0 {
			out = append(out, NodeTraffic{Fleet: key.Fleet, Node: key.Node, Last: w.End, Rate: float64(sent) / seconds})
		}
	}
	slices.SortFunc(out, func(a, b NodeTraffic) int {
		return strings.Compare(a.Fleet+"\x00"+a.Node, b.Fleet+"\x00"+b.Node)
	})
	return out
}

// slowestReport is how long a node lets its reports wait.
func (t Traffic) slowestReport() time.Duration {
	var most time.Duration
	for _, n := range t.Nodes {
		most = max(most, n.Gap)
	}
	return most
}

// Rate is how many requests a second users ask of c; not of a sample, of all.
func (t Traffic) Rate(c policy.Color) float64 {
	return t.perSecond(c, func(a Tally) float64 { return a.Scaled })
}

// carried is how many of them c answers, and does not fail.
func (t Traffic) carried(c policy.Color) float64 {
	return t.perSecond(c, func(a Tally) float64 { return a.Scaled * (1 - float64(a.Errors)/float64(max(a.Requests, 1))) })
}

func (t Traffic) perSecond(c policy.Color, of func(Tally) float64) float64 {
	total, over := 0.0, 0.0
	for _, w := range t.lately() {
		over += w.End.Sub(w.Begin).Seconds()
		for _, r := range w.Users {
			total += of(r.Colors.Of(c))
		}
	}
	if over == 0 {
		return 0
	}
	return total / over
}

// total is the rate of both colors.
func (t Traffic) total() float64 { return t.Rate(policy.Blue) + t.Rate(policy.Green) }

// silent is the connected nodes that carried users and report nothing any more.
// Silence of a node that has left is not counted: others serve its users.
func (f Facts) silent() []NodeTraffic {
	gone := map[NodeRef]bool{}
	for _, s := range f.Report.Stale {
		gone[NodeRef{Fleet: s.Fleet, Node: s.Node}] = true
	}
	reporting := map[string]int{}
	var out []NodeTraffic
	for _, n := range f.Traffic.Nodes {
		quiet := f.Traffic.Ends().Sub(n.Last)
		if quiet < max(silentAfter, 3*n.Gap) {
			reporting[n.Fleet]++
			continue
		}
		if gone[NodeRef{Fleet: n.Fleet, Node: n.Node}] || n.Rate*quiet.Seconds() < silentRequests {
			continue
		}
		out = append(out, n)
	}
	return slices.DeleteFunc(out, func(n NodeTraffic) bool {
		// All of the fleet's that are there report: the others have left. Few of them are
		// named, and none after its lease.
		return f.ReportKnown && reporting[n.Fleet] >= f.Report.Envoys[n.Fleet]
	})
}

// Silent is the nodes whose reports are missed.
func (s State) Silent() []NodeRef {
	var out []NodeRef
	for _, n := range s.Facts.silent() {
		out = append(out, NodeRef{
			Fleet: n.Fleet, Node: n.Node,
			Detail: fmt.Sprintf("sent %s requests a second and has reported nothing since %s", figure(n.Rate), n.Last.Format(time.RFC3339)),
		})
	}
	return out
}

// rate is how many requests a second users ask of both colors. What silent nodes carry
// is not reported: it is taken to be what they carried before.
func (f Facts) rate() float64 {
	rate := f.Traffic.total()
	for _, n := range f.silent() {
		rate += n.Rate
	}
	return rate
}
