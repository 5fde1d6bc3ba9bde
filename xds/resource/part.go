package resource

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
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
	// Bytes is the routes as they stand in a marshalled virtual host, whichever
	// it is: each says its retries. Equal bytes are equal routing.
	Bytes []byte

	retries Retries
	short   []byte // the same for a host that says these retries
}

// NewPart marshals the routes of m.
func NewPart(m Model) (Part, error) {
	p := Part{Policy: m.Policy, retries: RetriesOf(m.Policy)}
	routes := modelRoutes(m)
	var err error
	if p.short, err = routesBytes(routes); err != nil {
		return Part{}, err
	}
	sayRetries(routes, p.retries)
	if p.Bytes, err = routesBytes(routes); err != nil {
		return Part{}, err
	}
	return p, nil
}

func routesBytes(routes []*routev3.Route) ([]byte, error) {
	var out []byte
	for _, r := range routes {
		b, err := Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("marshal route %s: %w", r.Name, err)
		}
		out = protowire.AppendTag(out, routesField, protowire.BytesType)
		out = protowire.AppendBytes(out, b)
	}
	return out, nil
}

// on is the part's bytes on a host that says common.
func (p Part) on(common Retries) []byte {
	if p.retries == common {
		return p.short
	}
	return p.Bytes
}

// HostBytes is the virtual host that parts share, marshalled: what Host builds
// of the same models, whatever their order.
func HostBytes(host string, parts []Part) ([]byte, error) {
	common := commonest(parts, func(p Part) Retries { return p.retries })
	head, err := Marshal(HostSaying(common, host, nil))
	if err != nil {
		return nil, fmt.Errorf("marshal virtual host %q: %w", host, err)
	}
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Part) int { return precedence(a.Policy, b.Policy) })
	size := len(head)
	for _, p := range parts {
		size += len(p.on(common))
	}
	out := append(make([]byte, 0, size), head...)
	for _, p := range parts {
		out = append(out, p.on(common)...)
	}
	return out, nil
}

// precedence orders the models of a host: the longest prefix is tried first.
// Two models never claim the same one; the name makes the order total.
func precedence(a, b *policy.Model) int {
	return cmp.Or(cmp.Compare(len(b.Route.Prefix), len(a.Route.Prefix)), strings.Compare(a.Name, b.Name))
}
