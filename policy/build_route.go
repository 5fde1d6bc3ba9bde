package policy

import (
	"math"
	"time"
)

// defaultRetryOn is safe for inference that is not idempotent: in each case
// the instance has not begun to work on the request.
func defaultRetryOn() []string {
	return []string{"connect-failure", "refused-stream", "reset-before-request"}
}

func (b *builder) route(model string, raw *rawRoute) Route {
	r := Route{
		Fleets:         b.fleets(raw.Fleets),
		Hosts:          b.hosts(model, raw.Hosts),
		Prefix:         b.text("spec.route.prefix", raw.Prefix, "/", RulePathSyntax, prefixFault),
		Protocol:       Protocol(b.choice("spec.route.protocol", raw.Protocol, string(HTTP1), string(HTTP1), string(HTTP2), string(GRPC))),
		Timeout:        b.wait("spec.route.timeout", raw.Timeout, 15*time.Second, 0, day),
		Retries:        b.retries(raw.Retries),
		Outlier:        b.outlier(raw.Outlier),
		Limits:         b.limits(raw.Limits),
		ConnectTimeout: b.wait("spec.route.connectTimeout", raw.ConnectTimeout, time.Second, time.Millisecond, 10*time.Minute),
	}
	b.preview(&r, raw.Preview)
	r.Sticky = b.sticky(raw.Sticky)
	b.apart(&r)
	return r
}

func prefixFault(prefix string) string { return pathFault(prefix, false) }

func (b *builder) fleets(written []string) []string {
	if len(written) == 0 {
		b.require("spec.route.fleets", "name at least one fleet, the node.cluster of its Envoys")
	}
	for i, fleet := range written {
		b.refuse(item("spec.route.fleets", i), RuleNameSyntax, fleet, foreignFault(fleet))
	}
	b.unique("spec.route.fleets", written)
	return written
}

// hosts are the model's name unless the policy has some.
func (b *builder) hosts(model string, written []string) []string {
	if !b.marks.has("spec.route.hosts") {
		return []string{model}
	}
	if len(written) == 0 {
		b.require("spec.route.hosts", "write at least one host, or remove the key for the model's name")
	}
	hosts := make([]string, len(written))
	for i, host := range written {
		hosts[i] = canonicalHost(host)
		b.refuse(item("spec.route.hosts", i), RuleHostSyntax, host, hostFault(hosts[i]))
	}
	b.unique("spec.route.hosts", hosts)
	return hosts
}

func (b *builder) retries(raw *rawRetries) Retries {
	if raw == nil {
		raw = &rawRetries{}
	}
	r := Retries{Attempts: b.count("spec.route.retries.attempts", raw.Attempts, 2, 0, 10), On: defaultRetryOn()}
	if !b.marks.has("spec.route.retries.on") {
		return r
	}
	if len(raw.On) == 0 {
		b.require("spec.route.retries.on", "write at least one condition, or attempts: 0 for no retries")
	}
	for i, condition := range raw.On {
		b.refuse(item("spec.route.retries.on", i), RuleRetryCondition, condition, retryFault(condition))
	}
	b.unique("spec.route.retries.on", raw.On)
	r.On = raw.On
	return r
}

func (b *builder) outlier(raw *rawOutlier) Outlier {
	if raw == nil {
		raw = &rawOutlier{}
	}
	share := b.weight(raw.MaxEjectionPercent, Full/2)
	if share%100 != 0 {
		b.problem("spec.route.outlier.maxEjectionPercent", RuleWeightSyntax, "route.outlier.maxEjectionPercent = %s; Envoy takes whole percents here", share)
	}
	return Outlier{
		Off:                truth(raw.Off, false),
		ConsecutiveErrors:  b.count("spec.route.outlier.consecutiveErrors", raw.ConsecutiveErrors, 5, 1, 1000),
		Interval:           b.wait("spec.route.outlier.interval", raw.Interval, 5*time.Second, 10*time.Millisecond, day),
		EjectFor:           b.wait("spec.route.outlier.ejectFor", raw.EjectFor, 15*time.Second, 10*time.Millisecond, day),
		MaxEjectionPercent: int(share / 100),
	}
}

func (b *builder) limits(raw *rawLimits) Limits {
	if raw == nil {
		raw = &rawLimits{}
	}
	return Limits{
		Connections: b.count("spec.route.limits.connections", raw.Connections, 10240, 1, math.MaxInt32),
		Pending:     b.count("spec.route.limits.pending", raw.Pending, 10240, 1, math.MaxInt32),
		Requests:    b.count("spec.route.limits.requests", raw.Requests, 10240, 1, math.MaxInt32),
		Retries:     b.count("spec.route.limits.retries", raw.Retries, 64, 0, math.MaxInt32),
	}
}
