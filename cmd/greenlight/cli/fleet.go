package cli

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"greenlight/api/adminv1"
)

func (a *app) fleetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet [FLEET]",
		Short: "List fleets, or the nodes of one and what each has ACKed",
		Long: `List the fleets, or the nodes of one fleet: which are connected, what each has
ACKed of every resource type, what it rejected and why, and, of nodes that are
not connected, until when they are believed to send by their old routes.

With a FLEET, a type's column says ok (the node runs what it should), behind
(it has not ACKed yet) or NACK (it rejected it; the reason stands below).`,
		Example: `  greenlight fleet
  greenlight fleet edge
  greenlight fleet edge -o json | jq '.nodes[] | select(.connected | not) | .node'`,
		Args:              atMostOne,
		ValidArgsFunction: a.completeFleet,
	}
	out := listingFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return a.fleets(cmd, out)
		}
		r, err := ask(cmd.Context(), a, &adminv1.GetFleetRequest{Fleet: args[0]}, adminv1.AdminServiceClient.GetFleet)
		if err != nil {
			return err
		}
		return out.show(cmd.OutOrStdout(), r.GetFleet(), func(w io.Writer) error { return a.nodes(w, r.GetFleet()) })
	}
	return cmd
}

func (a *app) fleets(cmd *cobra.Command, out *format) error {
	r, err := ask(cmd.Context(), a, &adminv1.ListFleetsRequest{}, adminv1.AdminServiceClient.ListFleets)
	if err != nil {
		return err
	}
	return out.show(cmd.OutOrStdout(), r, func(w io.Writer) error {
		if len(r.GetFleets()) == 0 {
			fmt.Fprintln(w, "There are no fleets: no policy names one, and no node is connected.")
			return nil
		}
		t := newTable(w, "FLEET", "ROUTES", "CONNECTED", "CURRENT", "REJECTING", "STALE")
		for _, f := range r.GetFleets() {
			var c census
			for _, n := range f.GetNodes() {
				c.count(n)
			}
			t.row(f.GetName(), f.GetRoutes(), strconv.Itoa(c.connected), strconv.Itoa(c.current), strconv.Itoa(c.rejecting), strconv.Itoa(c.stale))
		}
		return t.flush()
	})
}

// census counts a fleet's nodes. A connected node is current when it has ACKed
// all that it should have.
type census struct{ connected, current, rejecting, stale int }

func (c *census) count(n *adminv1.Node) {
	if !n.GetConnected() {
		c.stale++
		return
	}
	c.connected++
	current, rejecting := true, false
	for _, t := range n.GetTypes() {
		current = current && ackWord(t) == "ok"
		rejecting = rejecting || t.GetRejected() != ""
	}
	if current {
		c.current++
	}
	if rejecting {
		c.rejecting++
	}
}

// ackWord is how a node stands with one type.
func ackWord(t *adminv1.TypeAck) string {
	switch {
	case t == nil:
		return ""
	case t.GetRejected() != "":
		return "NACK"
	case t.GetAcked() != t.GetWanted():
		return "behind"
	default:
		return "ok"
	}
}

// resourceTypes is the order of a node's columns.
var resourceTypes = []string{"listener", "route", "cluster", "endpoint"}

func (a *app) nodes(w io.Writer, f *adminv1.Fleet) error {
	if len(f.GetNodes()) == 0 {
		fmt.Fprintf(w, "No node of fleet %s is connected; 'greenlight bootstrap %s' prints a configuration for one.\n", clean(f.GetName()), clean(f.GetName()))
		return nil
	}
	t := newTable(w, "NODE", "AGENT", "STATE", "LISTENER", "ROUTE", "CLUSTER", "ENDPOINT")
	for _, n := range f.GetNodes() {
		row := []string{n.GetNode(), n.GetAgent(), a.nodeState(n)}
		for _, name := range resourceTypes {
			row = append(row, ackWord(typeOf(n, name)))
		}
		t.row(row...)
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, n := range f.GetNodes() {
		for _, r := range n.GetTypes() {
			if r.GetRejected() != "" {
				fmt.Fprintf(w, "%s rejected its %s %s ago: %s\n", clean(n.GetNode()), clean(r.GetType()),
					cmp.Or(a.age(r.GetRejectedAt()), "?"), clean(r.GetRejected()))
			}
		}
	}
	return nil
}

func (a *app) nodeState(n *adminv1.Node) string {
	switch {
	case !n.GetConnected() && n.GetUntil() != nil:
		return fmt.Sprintf("lost %s ago, stale for %s", a.age(n.GetSince()), a.left(n.GetUntil()))
	case !n.GetConnected():
		return fmt.Sprintf("lost %s ago", a.age(n.GetSince()))
	case n.GetDelta():
		return "connected " + a.age(n.GetSince()) + " (delta)"
	default:
		return "connected " + a.age(n.GetSince())
	}
}

func typeOf(n *adminv1.Node, name string) *adminv1.TypeAck {
	for _, t := range n.GetTypes() {
		if t.GetType() == name {
			return t
		}
	}
	return nil
}
