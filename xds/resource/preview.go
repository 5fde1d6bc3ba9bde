package resource

import (
	"fmt"
	"regexp"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"greenlight/policy"
	"greenlight/rollout"
)

// chooser is a way for a request to choose its color.
type chooser struct {
	prefix string // of its routes' names
	shown  string // in answers
	is     func(value string) *routev3.HeaderMatcher
	any    func() *routev3.HeaderMatcher
}

// choosers are the ways that a policy offers, the first to be heeded first.
func choosers(p *policy.Model) []chooser {
	var out []chooser
	if header := p.Route.Preview; header != "" {
		out = append(out, chooser{
			prefix: p.Name + "/preview/", shown: "request header " + header,
			is:  func(value string) *routev3.HeaderMatcher { return equals(header, value) },
			any: func() *routev3.HeaderMatcher { return present(header) },
		})
	}
	if cookie := p.Route.PreviewCookie; cookie != "" {
		out = append(out, chooser{
			prefix: p.Name + "/preview/cookie/", shown: "cookie " + cookie,
			is: func(value string) *routev3.HeaderMatcher {
				return cookieMatcher(cookie, regexp.QuoteMeta(value)+`[ \t]*(;.*)?`)
			},
			any: func() *routev3.HeaderMatcher { return cookieMatcher(cookie, ".*") },
		})
	}
	return out
}

// previewRoutes lets a request choose its color by the policy's header or cookie.
// Who asks for a color gets that color or an error, never the other one; a value
// that means nothing is answered 400 rather than routed like a user's request,
// and a request without the token that the policy asks for 403.
func previewRoutes(m Model, path match, to action) []*routev3.Route {
	var out []*routev3.Route
	for _, by := range choosers(m.Policy) {
		if m.Policy.Route.PreviewToken == nil {
			out = append(out, openRoutes(m, by, path, to)...)
			continue
		}
		if m.Token != "" {
			allowed := func(h ...*routev3.HeaderMatcher) *routev3.RouteMatch {
				return path(append(h, equals(policy.PreviewTokenHeader, m.Token))...)
			}
			out = append(out, openRoutes(m, by, allowed, to)...)
		}
		out = append(out, deniedRoute(m, by, path))
	}
	return out
}

// openRoutes is the routes of one way to choose.
func openRoutes(m Model, by chooser, path match, to action) []*routev3.Route {
	var out []*routev3.Route
	for _, v := range previewValues(m.Live) {
		out = append(out, &routev3.Route{
			Name:                   by.prefix + v.value,
			Match:                  path(by.is(v.value)),
			Action:                 to(m.Policy, rollout.AllOn(v.color)),
			RequestHeadersToRemove: secretHeaders(m.Policy),
		})
	}
	return append(out, &routev3.Route{
		Name:   by.prefix + "unknown",
		Match:  path(by.any()),
		Action: answer(400, fmt.Sprintf("model %s: the value of %s must be blue, green, live or idle\n", m.Policy.Name, by.shown)),
	})
}

// deniedRoute answers whoever chooses a color and was let through by no route before.
func deniedRoute(m Model, by chooser, path match) *routev3.Route {
	text := fmt.Sprintf("model %s: %s needs the preview's token in request header %s\n", m.Policy.Name, by.shown, policy.PreviewTokenHeader)
	if m.Token == "" {
		text = fmt.Sprintf("model %s: the preview is closed here, because its token can't be had; the server's log says why\n", m.Policy.Name)
	}
	return &routev3.Route{Name: by.prefix + "denied", Match: path(by.any()), Action: answer(403, text)}
}

// secretHeaders is what no model sees.
func secretHeaders(p *policy.Model) []string {
	if p.Route.PreviewToken == nil {
		return nil
	}
	return []string{policy.PreviewTokenHeader}
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

func answer(status uint32, text string) *routev3.Route_DirectResponse {
	return &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
		Status: status,
		Body:   &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: text}},
	}}
}
