package resource

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"greenlight/policy"
)

// routesField is the number of VirtualHost.routes.
const routesField protowire.Number = 3

// Part is a model's routes as bytes: the same on each of its hosts. A thousand
// models may share a host; a change of one marshals its own part, no other's.
type Part struct {
	// Policy gives the part its place among those of a host.
	Policy *policy.Model
	// Bytes is the routes as they stand in a marshalled virtual host. Equal
	// bytes are equal routing.
	Bytes []byte
}

// NewPart marshals the routes of m.
func NewPart(m Model) (Part, error) {
	p := Part{Policy: m.Policy}
	for _, r := range modelRoutes(m) {
		b, err := Marshal(r)
		if err != nil {
			return Part{}, fmt.Errorf("marshal route %s: %w", r.Name, err)
		}
		p.Bytes = protowire.AppendTag(p.Bytes, routesField, protowire.BytesType)
		p.Bytes = protowire.AppendBytes(p.Bytes, b)
	}
	return p, nil
}

// HostBytes is the virtual host that parts share, marshalled: what Host builds
// of the same models, whatever their order.
func HostBytes(host string, parts []Part) ([]byte, error) {
	head, err := Marshal(Host(host, nil))
	if err != nil {
		return nil, fmt.Errorf("marshal virtual host %q: %w", host, err)
	}
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Part) int { return precedence(a.Policy, b.Policy) })
	size := len(head)
	for _, p := range parts {
		size += len(p.Bytes)
	}
	out := append(make([]byte, 0, size), head...)
	for _, p := range parts {
		out = append(out, p.Bytes...)
	}
	return out, nil
}

// precedence orders the models of a host: the longest prefix is tried first.
// Two models never claim the same one; the name makes the order total.
func precedence(a, b *policy.Model) int {
	return cmp.Or(cmp.Compare(len(b.Route.Prefix), len(a.Route.Prefix)), strings.Compare(a.Name, b.Name))
}
