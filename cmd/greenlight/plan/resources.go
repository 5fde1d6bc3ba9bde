package plan

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

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

// host compares a virtual host by the routes of the models that are routed otherwise,
// and of those that are written otherwise: those of others are equal, and a thousand
// models may share a host.
func (c comparison) host(fleet, name string) (Host, bool) {
	h := Host{Host: name, Claims: []Claim{}, Sharing: []string{}, Rewritten: c.rewritten(fleet, name)}
	shown := func(model string) bool { return c.touches(model) || slices.Contains(h.Rewritten, model) }
	was, is := c.before.virtualHost(fleet, name, shown), c.after.virtualHost(fleet, name, shown)
	h.Routes = routes(was.GetRoutes(), is.GetRoutes())
	h.Change, h.Diff = difference(message(onlyOf(h.Routes, was)), message(onlyOf(h.Routes, is)))
	if h.Change == "" {
		return h, false
	}
	h.Routes = slices.DeleteFunc(h.Routes, func(r Route) bool { return slices.Contains(h.Rewritten, modelOf(r.Route)) })
	for _, model := range c.sharers(fleet, name) {
		if !c.touches(model) {
			if !shown(model) {
				h.Sharing = append(h.Sharing, model)
			}
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

// rewritten is the models of a host that are routed as before, and whose routes are
// written otherwise, because the host says other retries than before.
func (c comparison) rewritten(fleet, host string) []string {
	out := []string{}
	was, is := c.before.retries(fleet, host), c.after.retries(fleet, host)
	if was == is {
		return out
	}
	for _, model := range c.sharers(fleet, host) {
		if c.touches(model) {
			continue
		}
		if r := resource.RetriesOf(c.after.models[model].Policy); r == was || r == is {
			out = append(out, model)
		}
	}
	return out
}

// retries is what a host says of them.
func (s side) retries(fleet, host string) resource.Retries {
	return resource.CommonRetries(s.on(fleet, host, func(string) bool { return true }))
}

// virtualHost is a host with those of its models that are shown; nil if no model is on it.
func (s side) virtualHost(fleet, name string, shown func(model string) bool) *routev3.VirtualHost {
	if len(s.hosts[fleet][name]) == 0 {
		return nil
	}
	return resource.HostSaying(s.retries(fleet, name), name, s.on(fleet, name, shown))
}

// on is those models of a host that are shown.
func (s side) on(fleet, host string, shown func(model string) bool) []resource.Model {
	var out []resource.Model
	for _, model := range s.hosts[fleet][host] {
		if shown(model) {
			out = append(out, s.models[model])
		}
	}
	return out
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

// onlyOf leaves h the routes of those models of which some route differs.
func onlyOf(differ []Route, h *routev3.VirtualHost) *routev3.VirtualHost {
	models := map[string]bool{}
	for _, r := range differ {
		models[modelOf(r.Route)] = true
	}
	if h != nil {
		h.Routes = slices.DeleteFunc(h.Routes, func(r *routev3.Route) bool { return !models[modelOf(r.Name)] })
	}
	return h
}

// modelOf is the model that a route is named after.
func modelOf(route string) string {
	model, _, _ := strings.Cut(route, "/")
	return model
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
