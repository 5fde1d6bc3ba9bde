package resource

import (
	"maps"
	"slices"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// bodyLimit is how much of a request is kept for a retry. Envoy's usual 1 MiB
// is less than many tensors have; a longer request is not retried.
const bodyLimit = 8 << 20

// VirtualHosts is all virtual hosts of a fleet that routes models, by name.
func VirtualHosts(models []Model) []*routev3.VirtualHost {
	byHost := map[string][]Model{}
	for _, m := range models {
		for _, h := range distinctHosts(m) {
			byHost[h] = append(byHost[h], m)
		}
	}
	var out []*routev3.VirtualHost
	for _, h := range slices.Sorted(maps.Keys(byHost)) {
		out = append(out, Host(h, byHost[h]))
	}
	return out
}

// Host is the virtual host of one domain, shared by models. Their order does not
// matter: the longest prefix is tried first, then the first name.
func Host(host string, models []Model) *routev3.VirtualHost {
	return HostSaying(CommonRetries(models), host, models)
}

// HostSaying is a host that says common for all of its models, of which models
// need only be some.
func HostSaying(common Retries, host string, models []Model) *routev3.VirtualHost {
	models = slices.SortedFunc(slices.Values(models), func(a, b Model) int { return precedence(a.Policy, b.Policy) })
	out := &routev3.VirtualHost{
		Name:                   host,
		Domains:                []string{host},
		RequestBodyBufferLimit: wrapperspb.UInt64(bodyLimit),
		RetryPolicy:            common.message(),
	}
	for _, m := range models {
		routes := modelRoutes(m)
		if own := RetriesOf(m.Policy); own != common {
			sayRetries(routes, own)
		}
		out.Routes = append(out.Routes, routes...)
	}
	return out
}

// distinctHosts guards against a host named twice: Envoy refuses a whole route
// configuration in which a domain comes twice.
func distinctHosts(m Model) []string {
	return slices.Compact(slices.Sorted(slices.Values(m.Policy.Route.Hosts)))
}
