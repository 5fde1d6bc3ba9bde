package resource

import (
	"cmp"
	"strings"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	previousv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"

	"greenlight/policy"
)

// Retries were more than half of all that a route says, and a fleet's routes are
// sent whole. So a virtual host says them once, for its routes that say nothing
// of retries; a route that does is taken at its word alone, nothing is merged.

const (
	retryBase = 25 * time.Millisecond
	retryMax  = 250 * time.Millisecond
	// hostAttempts is how often Envoy picks anew to avoid an endpoint that a
	// retry has already met.
	hostAttempts = 5
)

// Retries is how failed requests of a model are tried again; the zero value: not at all.
type Retries struct {
	attempts int
	on       string
}

// RetriesOf is what a policy says of retries.
func RetriesOf(p *policy.Model) Retries {
	r := p.Route.Retries
	if r.Attempts == 0 || len(r.On) == 0 {
		return Retries{}
	}
	return Retries{attempts: r.Attempts, on: strings.Join(r.On, ",")}
}

// CommonRetries is what a host says for models that share it. Their weights have no
// part in it: a switch of one leaves the routes of the others as they are, to the byte.
func CommonRetries(models []Model) Retries {
	return commonest(models, func(m Model) Retries { return RetriesOf(m.Policy) })
}

// commonest is the retries that most of all have, whatever their order. Those that
// have none don't count: that takes a route two bytes to say.
func commonest[T any](all []T, of func(T) Retries) Retries {
	counts := map[Retries]int{}
	for _, one := range all {
		if r := of(one); r != (Retries{}) {
			counts[r]++
		}
	}
	var out Retries
	for r, n := range counts {
		if cmp.Or(cmp.Compare(n, counts[out]), cmp.Compare(r.attempts, out.attempts), strings.Compare(r.on, out.on)) > 0 {
			out = r
		}
	}
	return out
}

// sayRetries has routes say by themselves what their host does not.
func sayRetries(routes []*routev3.Route, r Retries) {
	for _, route := range routes {
		to := route.GetRoute()
		if to == nil {
			continue
		}
		if to.RetryPolicy = r.message(); to.RetryPolicy == nil {
			to.RetryPolicy = &routev3.RetryPolicy{} // without it the host's would count
		}
	}
}

// message is nil where there are no retries: grpc-go refuses a count of 0.
func (r Retries) message() *routev3.RetryPolicy {
	if r == (Retries{}) {
		return nil
	}
	return &routev3.RetryPolicy{
		RetryOn:    r.on,
		NumRetries: number(r.attempts),
		RetryHostPredicate: []*routev3.RetryPolicy_RetryHostPredicate{{
			Name:       "envoy.retry_host_predicates.previous_hosts",
			ConfigType: &routev3.RetryPolicy_RetryHostPredicate_TypedConfig{TypedConfig: pack(&previousv3.PreviousHostsPredicate{})},
		}},
		HostSelectionRetryMaxAttempts: hostAttempts,
		RetryBackOff: &routev3.RetryPolicy_RetryBackOff{
			BaseInterval: duration(retryBase),
			MaxInterval:  duration(retryMax),
		},
	}
}
