package resource

import (
	"math"
	"regexp"
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"greenlight/policy"
	"greenlight/rollout"
)

const (
	requestID = "x-request-id"
	// idSyntax is what a request's id must be for it to become a cookie's value:
	// Envoy's own are UUIDs, but a client may send one.
	idSyntax = "[A-Za-z0-9_-]+"
	// copiedBody is the longest body, in bytes, of a request that is copied. Envoy
	// reads a user's request only as fast as both colors take it: when a cluster's
	// connection holds 1 MiB that was not taken, the user waits, without a timeout,
	// because the request has not ended. What fits in there can't be held up.
	copiedBody = 512 << 10
)

// userRoutes is where users' requests go, the last route for all of them.
func userRoutes(m Model, path match) []*routev3.Route {
	all := &routev3.Route{
		Name:                   m.Policy.Name,
		Match:                  path(),
		Action:                 users(m),
		RequestHeadersToRemove: secretHeaders(m.Policy),
	}
	out := uncopied(m, path)
	if m.Policy.Route.Sticky.CookieTTL > 0 {
		out = append(out, newcomers(m, path))
	}
	out = append(out, all)
	for _, r := range out {
		r.Metadata = weightsMetadata(m.Weights)
	}
	return out
}

// uncopied is for requests of users that are not copied while others are: those
// that are too long, and those that don't say how long they are. A newcomer among
// them is given its cookie another time.
func uncopied(m Model, path match) []*routev3.Route {
	if m.Mirror.Percent == 0 {
		return nil
	}
	m.Mirror = rollout.Mirror{}
	route := func(name string, h *routev3.HeaderMatcher) *routev3.Route {
		return &routev3.Route{
			Name: m.Policy.Name + "/uncopied/" + name, Match: path(h), Action: users(m),
			RequestHeadersToRemove: secretHeaders(m.Policy),
		}
	}
	long := &routev3.HeaderMatcher{Name: "content-length", HeaderMatchSpecifier: &routev3.HeaderMatcher_RangeMatch{
		RangeMatch: &typev3.Int64Range{Start: copiedBody + 1, End: math.MaxInt64},
	}}
	return []*routev3.Route{route("long", long), route("chunked", present("transfer-encoding"))}
}

// newcomers is for users without the cookie that keeps them on a color: they are
// given one. Envoy's own cookies (the ttl of its hash policy) are of no use here,
// because it makes them for the choice of an endpoint, after the cluster was
// chosen. So the request's id chooses the cluster and becomes the cookie's value:
// alone in a policy, a header and a cookie of one value have the same hash, and
// the user's next request goes where this one went.
func newcomers(m Model, path match) *routev3.Route {
	s := m.Policy.Route.Sticky
	without := cookieMatcher(s.Cookie, `[^; \t].*`)
	without.InvertMatch, without.TreatMissingHeaderAsEmpty = true, true
	to := users(m)
	to.Route.HashPolicy = []*routev3.RouteAction_HashPolicy{hashOfHeader(requestID)}
	return &routev3.Route{
		Name:   m.Policy.Name + "/newcomers",
		Match:  path(without, fits(requestID, idSyntax)),
		Action: to,
		ResponseHeadersToAdd: []*corev3.HeaderValueOption{{
			Header: &corev3.HeaderValue{Key: "set-cookie", Value: s.Cookie + "=%REQ(" + requestID + ")%; Max-Age=" +
				strconv.FormatInt(int64(s.CookieTTL.Seconds()), 10) + "; Path=/; HttpOnly; SameSite=Lax"},
			AppendAction: corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD,
		}},
		RequestHeadersToRemove: secretHeaders(m.Policy),
	}
}

// users is forward by the model's weights, with what is for users alone: whom the
// split remembers, and who else gets a copy.
func users(m Model) *routev3.Route_Route {
	to := forward(m.Policy, m.Weights)
	to.Route.RequestMirrorPolicies = mirrors(m)
	stick(to.Route, m.Policy.Route.Sticky)
	return to
}

// stick makes a split sticky. Envoy takes the hash modulo the sum of the weights
// and looks into whose interval it falls, in the order of the list. The sum is
// always policy.Full and blue always comes first, so a color that grows keeps
// every hash that it had. A request without the header or the cookie has no
// hash, and Envoy draws one at random.
func stick(to *routev3.RouteAction, s policy.Sticky) {
	var by *routev3.RouteAction_HashPolicy
	switch {
	case s.Header != "":
		by = hashOfHeader(s.Header)
	case s.Cookie != "":
		by = &routev3.RouteAction_HashPolicy{PolicySpecifier: &routev3.RouteAction_HashPolicy_Cookie_{
			Cookie: &routev3.RouteAction_HashPolicy_Cookie{Name: s.Cookie},
		}}
	case s.SourceIP:
		by = &routev3.RouteAction_HashPolicy{PolicySpecifier: &routev3.RouteAction_HashPolicy_ConnectionProperties_{
			ConnectionProperties: &routev3.RouteAction_HashPolicy_ConnectionProperties{SourceIp: true},
		}}
	default:
		return
	}
	to.HashPolicy = []*routev3.RouteAction_HashPolicy{by}
	to.GetWeightedClusters().RandomValueSpecifier = &routev3.WeightedCluster_UseHashPolicy{UseHashPolicy: wrapperspb.Bool(true)}
}

func hashOfHeader(name string) *routev3.RouteAction_HashPolicy {
	return &routev3.RouteAction_HashPolicy{PolicySpecifier: &routev3.RouteAction_HashPolicy_Header_{
		Header: &routev3.RouteAction_HashPolicy_Header{HeaderName: name},
	}}
}

// mirrors sends copies of users' requests to the color of m.Mirror. Envoy drops
// the answers and waits for none of them; a copy has "-shadow" behind its host.
func mirrors(m Model) []*routev3.RouteAction_RequestMirrorPolicy {
	if m.Mirror.Percent == 0 {
		return nil
	}
	return []*routev3.RouteAction_RequestMirrorPolicy{{
		Cluster: ClusterName(m.Policy.Name, m.Mirror.To),
		RuntimeFraction: &corev3.RuntimeFractionalPercent{DefaultValue: &typev3.FractionalPercent{
			Numerator: uint32(m.Mirror.Percent), Denominator: typev3.FractionalPercent_TEN_THOUSAND,
		}},
	}}
}

// cookieMatcher matches requests with a cookie of this very name whose value,
// and what follows in the header, fits a pattern. It is a pattern on the header
// because Envoys that don't know a newer field would match every request.
func cookieMatcher(name, value string) *routev3.HeaderMatcher {
	return fits("cookie", `(.*;)?[ \t]*`+regexp.QuoteMeta(name)+`=`+value)
}

// fits matches requests with a header whose whole value fits a pattern (RE2).
func fits(header, pattern string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: header, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{
			SafeRegex: &matcherv3.RegexMatcher{Regex: pattern},
		}},
	}}
}
