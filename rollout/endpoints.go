package rollout

import "greenlight/policy"

// Need is how many ready endpoints the idle color must have before it gets
// any weight, when the live color has live of them.
func Need(p *policy.Model, live int) int {
	need := 1
	for _, c := range p.Validate {
		if c.Endpoints != nil {
			need = max(need, c.Endpoints.Min, share(live, c.Endpoints.OfLive))
		}
	}
	return need
}

// share is w of n, rounded up.
func share(n int, w policy.Weight) int {
	full := int(policy.Full)
	return (n*int(w) + full - 1) / full
}

// Served is what the clusters should hold after next was heard: a color that
// has weight is never emptied, its endpoints of prev stay until there are new ones.
func Served(prev, next EndpointSet, w Weights) (blue, green []Endpoint) {
	return served(policy.Blue, prev, next, w), served(policy.Green, prev, next, w)
}

func served(c policy.Color, prev, next EndpointSet, w Weights) []Endpoint {
	if len(next.Of(c)) == 0 && w.Of(c) > 0 {
		return prev.Of(c)
	}
	return next.Of(c)
}
