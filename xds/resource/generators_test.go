package resource_test

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

func durations(least, most time.Duration) *rapid.Generator[time.Duration] {
	return rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(int64(least), int64(most)).Draw(t, "duration"))
	})
}

// prefixes are few and akin, so that models of one host get in each other's way.
var prefixes = rapid.Custom(func(t *rapid.T) string {
	segments := rapid.SliceOfN(rapid.SampledFrom([]string{"v2", "models", "a", "ab", "a.b", "é"}), 0, 3).Draw(t, "segments")
	p := "/" + strings.Join(segments, "/")
	if rapid.Bool().Draw(t, "slash") && len(segments) > 0 {
		p += "/"
	}
	return p
})

// retries are seldom all the same on a host, and seldom all different.
var retries = rapid.OneOf(
	rapid.SampledFrom([]policy.Retries{
		{}, {Attempts: 2, On: []string{"connect-failure"}}, {Attempts: 1, On: []string{"connect-failure"}}, {Attempts: 2, On: []string{"5xx"}},
	}),
	rapid.Custom(func(t *rapid.T) policy.Retries {
		return policy.Retries{
			Attempts: rapid.IntRange(0, 100).Draw(t, "attempts"),
			On:       rapid.SliceOf(rapid.SampledFrom([]string{"connect-failure", "unavailable", "5xx"})).Draw(t, "on"),
		}
	}),
)

var routes = rapid.Custom(func(t *rapid.T) policy.Route {
	return policy.Route{
		Fleets:        []string{"edge"},
		Hosts:         rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a.internal", "b.internal", "*", "*.internal"}), 1, 3, rapid.ID[string]).Draw(t, "hosts"),
		Prefix:        prefixes.Draw(t, "prefix"),
		Preview:       rapid.SampledFrom([]string{"", "x-model-color", "color"}).Draw(t, "preview"),
		PreviewCookie: rapid.SampledFrom([]string{"", "color", "a.b"}).Draw(t, "previewCookie"),
		PreviewToken:  rapid.SampledFrom([]*policy.Secret{nil, {Env: "GREENLIGHT_SECRET_T"}}).Draw(t, "previewToken"),
		Sticky: rapid.SampledFrom([]policy.Sticky{
			{}, {Header: "x-user"}, {Cookie: "user"}, {Cookie: "user", CookieTTL: time.Hour}, {SourceIP: true},
		}).Draw(t, "sticky"),
		Protocol: rapid.SampledFrom([]policy.Protocol{policy.HTTP1, policy.HTTP2, policy.GRPC}).Draw(t, "protocol"),
		Timeout:  durations(0, 24*time.Hour).Draw(t, "timeout"),
		Retries:  retries.Draw(t, "retries"),
		Outlier: policy.Outlier{
			Off:                rapid.Bool().Draw(t, "off"),
			ConsecutiveErrors:  rapid.IntRange(1, 1000).Draw(t, "consecutive"),
			Interval:           durations(time.Millisecond, time.Hour).Draw(t, "interval"),
			EjectFor:           durations(time.Millisecond, time.Hour).Draw(t, "ejectFor"),
			MaxEjectionPercent: rapid.IntRange(0, 100).Draw(t, "maxEjection"),
		},
		Limits: policy.Limits{
			Connections: rapid.IntRange(1, 1<<31).Draw(t, "connections"),
			Pending:     rapid.IntRange(1, 1<<31).Draw(t, "pending"),
			Requests:    rapid.IntRange(1, 1<<31).Draw(t, "requests"),
			Retries:     rapid.IntRange(0, 1<<31).Draw(t, "retries"),
		},
		ConnectTimeout: durations(time.Millisecond, time.Minute).Draw(t, "connectTimeout"),
	}
})

// fleetModels are models that one fleet can route: no two claim one host and prefix.
var fleetModels = rapid.Custom(func(t *rapid.T) []resource.Model {
	var out []resource.Model
	claimed := map[string]bool{}
	for i := range rapid.IntRange(0, 6).Draw(t, "models") {
		m := intent(fmt.Sprintf("m%d", i), routes.Draw(t, "route"), t)
		free := true
		for _, h := range m.Policy.Route.Hosts {
			free = free && !claimed[h+m.Policy.Route.Prefix]
		}
		if !free {
			continue
		}
		for _, h := range m.Policy.Route.Hosts {
			claimed[h+m.Policy.Route.Prefix] = true
		}
		out = append(out, m)
	}
	return out
})

func intent(name string, r policy.Route, t *rapid.T) resource.Model {
	c := rapid.SampledFrom(policy.Colors[:])
	w := policy.Weight(rapid.OneOf(rapid.Uint16Range(0, uint16(policy.Full)), rapid.SampledFrom([]uint16{0, 1, 9999, 10000})).Draw(t, "weight"))
	return resource.Model{
		Policy:  &policy.Model{Name: name, Route: r},
		Live:    c.Draw(t, "live"),
		Weights: rollout.Split(c.Draw(t, "target"), w),
		Mirror: rollout.Mirror{
			To:      c.Draw(t, "mirror"),
			Percent: policy.Weight(rapid.Uint16Range(0, uint16(policy.Full)).Draw(t, "percent")),
		},
		Token: rapid.SampledFrom([]string{"", "token"}).Draw(t, "token"),
	}
}

var endpoints = rapid.SliceOf(rapid.Custom(func(t *rapid.T) rollout.Endpoint {
	return rollout.Endpoint{
		ID:      rapid.StringN(1, 5, -1).Draw(t, "id"),
		Address: rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.2", "::1", "fd00::7"}).Draw(t, "address"),
		Port:    rapid.IntRange(1, 65535).Draw(t, "port"),
		Weight:  rapid.OneOf(rapid.Uint32(), rapid.Uint32Range(0, 3)).Draw(t, "weight"),
	}
}))
