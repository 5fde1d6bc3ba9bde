package resource

import (
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"greenlight/policy"
	"greenlight/rollout"
)

// previewRoutes lets a request choose its color by the policy's header. Who asks
// for a color gets that color or an error, never the other one; a value that
// means nothing is answered 400 rather than routed like a user's request.
func previewRoutes(m Model, path match, to action) []*routev3.Route {
	header := m.Policy.Route.Preview
	if header == "" {
		return nil
	}
	var out []*routev3.Route
	for _, v := range previewValues(m.Live) {
		out = append(out, &routev3.Route{
			Name:   m.Policy.Name + "/preview/" + v.value,
			Match:  path(equals(header, v.value)),
			Action: to(m.Policy, rollout.AllOn(v.color)),
		})
	}
	return append(out, &routev3.Route{
		Name:   m.Policy.Name + "/preview/unknown",
		Match:  path(present(header)),
		Action: badRequest(fmt.Sprintf("model %s: the value of request header %s must be blue, green, live or idle\n", m.Policy.Name, header)),
	})
}

type previewValue struct {
	value string
	color policy.Color
}

func previewValues(live policy.Color) []previewValue {
	return []previewValue{
		{"blue", policy.Blue},
		{"green", policy.Green},
		{"live", live},
		{"idle", live.Other()},
	}
}

func equals(header, value string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: header, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: value}},
	}}
}

func present(header string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: header, HeaderMatchSpecifier: &routev3.HeaderMatcher_PresentMatch{PresentMatch: true}}
}

func badRequest(text string) *routev3.Route_DirectResponse {
	return &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
		Status: 400,
		Body:   &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: text}},
	}}
}
