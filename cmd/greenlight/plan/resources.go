package plan

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"greenlight/policy"
	"greenlight/xds/resource"
)

// The types of resources, as the admin API names them.
const (
	listenerType = "listener"
	routeType    = "route"
	clusterType  = "cluster"
)

// comparison is the two sides, and the models that are routed otherwise.
type comparison struct {
	before, after side
	touched       []string // sorted
}

func compare(before, after side) comparison {
	c := comparison{before: before, after: after}
	all := maps.Clone(before.models)
	maps.Copy(all, after.models)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, had := before.models[name]
		is, has := after.models[name]
		if had != has || !routedAlike(was, is) {
			c.touched = append(c.touched, name)
		}
	}
	return c
}

// routedAlike reports whether the fleets are given the same of a and of b.
func routedAlike(a, b resource.Model) bool {
	if a.Live != b.Live || a.Weights != b.Weights || a.Mirror != b.Mirror || a.Token != b.Token {
		return false
	}
	return a.Policy == b.Policy || reflect.DeepEqual(a.Policy.Route, b.Policy.Route)
}

// touches reports whether a model is routed otherwise.
func (c comparison) touches(model string) bool {
	_, found := slices.BinarySearch(c.touched, model)
	return found
}

// resources is what the fleet's nodes are sent: listener, routes, clusters.
func (c comparison) resources(fleet string) []Resource {
	out := c.listeners(fleet)
	out = append(out, c.routeConfigs(fleet)...)
	return append(out, c.clusters(fleet)...)
}

func (c comparison) listeners(fleet string) []Resource {
	was, is := c.before.fleets[fleet], c.after.fleets[fleet]
	if was == is {
		return nil
	}
	old, oldName := listener(was)
	now, newName := listener(is)
	if oldName != "" && newName != "" && oldName != newName {
		return append(differ(listenerType, oldName, old, nil), differ(listenerType, newName, nil, now)...)
	}
	return differ(listenerType, cmp.Or(newName, oldName), old, now)
}

// listener is the fleet's listener; nil for a fleet that keeps its own.
func listener(f *policy.Fleet) (proto.Message, string) {
	if f == nil || f.Listener == nil {
		return nil, ""
	}
	return resource.Listener(f), f.Listener.Name
}

func (c comparison) clusters(fleet string) []Resource {
	var out []Resource
	for _, model := range c.touched {
		for _, color := range policy.Colors {
			cluster := func(s side) proto.Message {
				if !s.routes(fleet, model) {
					return nil
				}
				return resource.Cluster(s.models[model].Policy, color)
			}
			out = append(out, differ(clusterType, resource.ClusterName(model, color), cluster(c.before), cluster(c.after))...)
		}
	}
	return out
}

// routeConfigs is the fleet's route configuration, or, if it gets another name, the
// old one and the new one. One that has lost all models stays, and is empty.
func (c comparison) routeConfigs(fleet string) []Resource {
	old, now := c.before.routesName(fleet), c.after.routesName(fleet)
	had, has := c.before.configured(fleet), c.after.configured(fleet)
	hosts := c.hosts(fleet)
	switch {
	case had && old != now:
		out := []Resource{{Type: routeType, Name: old, Change: Removed}}
		if has {
			out = append(out, Resource{Type: routeType, Name: now, Change: Added, Hosts: hosts})
		}
		return out
	case !had && has:
		return []Resource{{Type: routeType, Name: now, Change: Added, Hosts: hosts}}
	case len(hosts) > 0:
		return []Resource{{Type: routeType, Name: now, Change: Changed, Hosts: hosts}}
	default:
		return nil
	}
}

// hosts is the virtual hosts that differ. Only those of models that are routed
// otherwise can.
func (c comparison) hosts(fleet string) []Host {
	touched := map[string]bool{}
	for _, model := range c.touched {
		for _, s := range []side{c.before, c.after} {
			if !s.routes(fleet, model) {
				continue
			}
			for _, host := range s.models[model].Policy.Route.Hosts {
				touched[host] = true
			}
		}
	}
	var out []Host
	for _, host := range slices.Sorted(maps.Keys(touched)) {
		if h, differs := c.host(fleet, host); differs {
			out = append(out, h)
		}
	}
	return out
}

// host compares a virtual host by the routes of the models that are routed otherwise:
// those of others are equal, and a thousand models may share a host.
func (c comparison) host(fleet, name string) (Host, bool) {
	h := Host{Host: name, Claims: []Claim{}, Sharing: []string{}}
	was, is := c.virtualHost(c.before, fleet, name), c.virtualHost(c.after, fleet, name)
	h.Change, h.Diff = difference(message(was), message(is))
	if h.Change == "" {
		return h, false
	}
	h.Routes = routes(was.GetRoutes(), is.GetRoutes())
	for _, model := range c.sharers(fleet, name) {
		if !c.touches(model) {
			h.Sharing = append(h.Sharing, model)
			continue
		}
		for _, s := range []side{c.before, c.after} {
			if claim := (Claim{model, s.prefix(model)}); slices.Contains(s.hosts[fleet][name], model) && !slices.Contains(h.Claims, claim) {
				h.Claims = append(h.Claims, claim)
			}
		}
	}
	return h, true
}

// virtualHost is a host without the models that stay as they are; nil if no model is on it.
func (c comparison) virtualHost(s side, fleet, name string) *routev3.VirtualHost {
	all := s.hosts[fleet][name]
	if len(all) == 0 {
		return nil
	}
	var models []resource.Model
	for _, model := range all {
		if c.touches(model) {
			models = append(models, s.models[model])
		}
	}
	return resource.Host(name, models)
}

func (s side) prefix(model string) string {
	if m, there := s.models[model]; there {
		return m.Policy.Route.Prefix
	}
	return ""
}

// sharers is the models that a host has on either side, sorted.
func (c comparison) sharers(fleet, host string) []string {
	return sorted(slices.Concat(c.before.hosts[fleet][host], c.after.hosts[fleet][host]))
}

// message is h, and nil if h is: a nil pointer in an interface would not be.
func message(h *routev3.VirtualHost) proto.Message {
	if h == nil {
		return nil
	}
	return h
}

// routes compares the routes of a host by name, in the order of the new ones and then
// of those that are gone.
func routes(before, after []*routev3.Route) []Route {
	out := []Route{}
	was, is := byName(before), byName(after)
	for _, r := range after {
		switch old := was[r.Name]; {
		case old == nil:
			out = append(out, Route{r.Name, Added})
		case !proto.Equal(old, r):
			out = append(out, Route{r.Name, Changed})
		}
	}
	for _, r := range before {
		if is[r.Name] == nil {
			out = append(out, Route{r.Name, Removed})
		}
	}
	return out
}

func byName(all []*routev3.Route) map[string]*routev3.Route {
	out := make(map[string]*routev3.Route, len(all))
	for _, r := range all {
		out[r.Name] = r
	}
	return out
}

// clients is what gRPC clients of the model are sent. What changes in it is what changes
// for the fleets, and is not told twice.
func (c comparison) clients(model string) []Resource {
	was, had := c.before.models[model]
	is, has := c.after.models[model]
	listener := Resource{Type: listenerType, Name: model}
	routes := Resource{Type: routeType, Name: resource.ModelRoutes(model)}
	switch {
	case !had:
		listener.Change, routes.Change = Added, Added
	case !has:
		listener.Change, routes.Change = Removed, Removed
	case proto.Equal(resource.ModelRouteConfig(was), resource.ModelRouteConfig(is)):
		return nil
	default:
		routes.Change = Changed
		return []Resource{routes}
	}
	return []Resource{listener, routes}
}

// differ is a resource that differs; none if it does not.
func differ(kind, name string, before, after proto.Message) []Resource {
	change, text := difference(before, after)
	if change == "" {
		return nil
	}
	return []Resource{{Type: kind, Name: name, Change: change, Diff: text}}
}

// difference says how a message changes, and what in its JSON does; nil is no message.
func difference(before, after proto.Message) (Change, string) {
	change := Changed
	switch {
	case before == nil && after == nil, before != nil && after != nil && proto.Equal(before, after):
		return "", ""
	case before == nil:
		change = Added
	case after == nil:
		change = Removed
	}
	return change, unified(asJSON(before), asJSON(after))
}

// asJSON is the JSON that a message is told in. It fails only on text that is not
// UTF-8, which no policy contains.
func asJSON(m proto.Message) []byte {
	if m == nil {
		return nil
	}
	text, err := resource.JSON(m)
	if err != nil {
		return nil
	}
	return text
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
