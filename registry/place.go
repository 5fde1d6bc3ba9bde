package registry

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"greenlight/policy"
	"greenlight/rollout"
)

// placed is an answer as a policy's discovery sees it.
type placed struct {
	set rollout.EndpointSet
	// unplaced lists instances that have no color, broken those that can't be
	// ready whatever their checks say; each with the reason.
	unplaced, broken []string
}

// place sorts a service's instances into colors. locate turns an instance's
// address into an IP address.
func place(d policy.Discovery, services map[string][]instance, locate func(string) (netip.Addr, error)) placed {
	p := placed{set: rollout.EndpointSet{Blue: []rollout.Endpoint{}, Green: []rollout.Endpoint{}}}
	shared := sharedIDs(d, services)
	for color, in := range chosen(d, services, &p) {
		e, why := ready(d, in, locate)
		if why != "" {
			p.broken = append(p.broken, in.name()+": "+why)
		}
		if e == nil {
			p.count(color)
			continue
		}
		if shared[in.id] {
			e.ID = in.name()
		}
		if color == policy.Blue {
			p.set.Blue = append(p.set.Blue, *e)
		} else {
			p.set.Green = append(p.set.Green, *e)
		}
	}
	slices.SortFunc(p.set.Blue, byID)
	slices.SortFunc(p.set.Green, byID)
	return p
}

func byID(a, b rollout.Endpoint) int { return cmp.Compare(a.ID, b.ID) }

func (p *placed) count(c policy.Color) {
	if p.set.Unready == nil {
		p.set.Unready = map[policy.Color]int{}
	}
	p.set.Unready[c]++
}

// chosen yields every instance that has a color, with its color, and notes the
// others in p.
func chosen(d policy.Discovery, services map[string][]instance, p *placed) func(func(policy.Color, instance) bool) {
	return func(yield func(policy.Color, instance) bool) {
		for _, name := range serviceNames(d) {
			for _, in := range services[name] {
				color, why := colorOf(d, name, in)
				if why != "" {
					p.unplaced = append(p.unplaced, in.name()+": "+why)
					continue
				}
				if !yield(color, in) {
					return
				}
			}
		}
	}
}

// serviceNames are the services that d speaks of, each once.
func serviceNames(d policy.Discovery) []string {
	if len(d.Services) == 0 {
		return []string{d.Service}
	}
	var names []string
	for _, c := range policy.Colors {
		if n := d.Services[c]; n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// colorOf tells the color of an instance of a service, or why it has none.
func colorOf(d policy.Discovery, service string, in instance) (policy.Color, string) {
	switch {
	case len(d.Services) > 0:
		if d.Services[policy.Blue] == service {
			return policy.Blue, ""
		}
		return policy.Green, ""
	case d.ColorTags:
		blue, green := slices.Contains(in.tags, "blue"), slices.Contains(in.tags, "green")
		switch {
		case blue && green:
			return "", `has both tags "blue" and "green"`
		case blue:
			return policy.Blue, ""
		case green:
			return policy.Green, ""
		}
		return "", `has neither tag "blue" nor "green"`
	}
	value, ok := in.meta[d.ColorMeta]
	switch c := policy.Color(value); {
	case !ok:
		return "", fmt.Sprintf("has no meta %q", d.ColorMeta)
	case !c.Valid():
		return "", fmt.Sprintf(`meta %q is %q; must be "blue" or "green"`, d.ColorMeta, value)
	default:
		return c, ""
	}
}

// ready makes an endpoint of an instance; nil if the instance gets no traffic.
// The reason is empty when that is merely what its checks say.
func ready(d policy.Discovery, in instance, locate func(string) (netip.Addr, error)) (*rollout.Endpoint, string) {
	weight := in.weights.passing
	switch {
	case in.status == critical, in.status == warning && !d.Warning:
		return nil, ""
	case in.status == warning:
		weight = in.weights.warning
	}
	if weight <= 0 {
		return nil, ""
	}
	if in.port < 1 || in.port > 65535 {
		return nil, fmt.Sprintf("port %d; must be 1 to 65535", in.port)
	}
	ip, err := locate(in.address)
	if err != nil {
		return nil, err.Error()
	}
	return &rollout.Endpoint{
		ID: in.id, Address: ip.String(), Port: in.port,
		Weight: uint32(weight), Version: in.meta[d.VersionMeta],
	}, ""
}

// sharedIDs are the ids that several instances of the model have: Consul keeps
// service ids unique on a node only.
func sharedIDs(d policy.Discovery, services map[string][]instance) map[string]bool {
	shared := map[string]bool{}
	seen := map[string]bool{}
	for _, name := range serviceNames(d) {
		for _, in := range services[name] {
			if seen[in.id] {
				shared[in.id] = true
			}
			seen[in.id] = true
		}
	}
	return shared
}

// name tells the instance apart from those of other nodes.
func (in instance) name() string {
	if in.node == "" {
		return in.id
	}
	return in.id + "@" + in.node
}
