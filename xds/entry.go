package xds

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"greenlight/policy"
	"greenlight/rollout"
)

// entries is where some of a fleet's nodes take users' requests: the address
// that the fleet's policy names for all of them, else the listener's own, or, where
// that is any address of the node, the one that the node came from. The caller
// holds Server.mu.
func (f *fleet) entries() []rollout.Entry {
	p := f.policy
	switch {
	case p == nil || len(f.nodes) == 0:
		return nil
	case p.Entry != "":
		return []rollout.Entry{{Fleet: f.name, Address: p.Entry}}
	case p.Listener == nil:
		return nil
	}
	var out []rollout.Entry
	for _, n := range f.firstNodes() {
		if host := n.entryHost(p.Listener); host != "" {
			out = append(out, rollout.Entry{
				Fleet: f.name, Node: n.key.id, Address: net.JoinHostPort(host, strconv.Itoa(p.Listener.Port)),
			})
		}
	}
	return out
}

// firstNodes is the fleet's first nodes by id, as many as a report names.
func (f *fleet) firstNodes() []*node {
	first := make([]*node, 0, rollout.ReportList+1)
	for n := range f.nodes {
		at, _ := slices.BinarySearchFunc(first, n.key.id, func(o *node, id string) int { return strings.Compare(o.key.id, id) })
		if at == rollout.ReportList {
			continue
		}
		first = slices.Insert(first, at, n)
		first = first[:min(len(first), rollout.ReportList)]
	}
	return first
}

// entryHost is the IP address at which the node's listener can be reached; empty
// if it is not known.
func (n *node) entryHost(l *policy.Listener) string {
	if at, err := netip.ParseAddr(l.Address); err == nil && !at.IsUnspecified() {
		return l.Address
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, st := range n.streams {
		if host, _, err := net.SplitHostPort(st.peer); err == nil {
			return host
		}
	}
	return ""
}
