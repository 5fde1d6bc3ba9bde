package resource

import (
	"slices"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// bodyLimit is how much of a request is kept for a retry. Envoy's usual 1 MiB
// is less than many tensors have; a longer request is not retried.
const bodyLimit = 8 << 20

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
