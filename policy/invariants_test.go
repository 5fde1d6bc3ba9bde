package policy_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

// checkInvariants states what the rest of Greenlight may count on in a Model,
// whatever file it came from.
func checkInvariants(t *testing.T, m *policy.Model) {
	t.Helper()
	must := func(ok bool, says string) {
		t.Helper()
		if !ok {
			t.Errorf("model %q: %s: %+v", m.Name, says, m)
		}
	}
	must(nameLike.MatchString(m.Name) && len(m.Name) <= 63, "the name can't be part of a cluster's name")
	must(m.Source.File != "" && m.Source.Line > 0 && len(m.Source.Hash) == 64, "the source is incomplete")
	must(m.InitialLive == "" || m.InitialLive.Valid(), "initialLive is no color")
	checkDiscovery(must, m.Discovery)
	checkRoute(must, m.Route)
	checkShift(must, m.Shift)

	endpoints := 0
	for _, c := range m.Validate {
		if c.Endpoints != nil {
			endpoints++
		}
	}
	must(endpoints == 1, "validate has not exactly one endpoints check")
	checkPredict(must, m.Predict)
	checkChecks(must, m, m.Validate)
	checkChecks(must, m, m.StepChecks.Checks, m.Validate)
	checkChecks(must, m, m.Bake.Checks, m.StepChecks.Checks, m.Validate)
	must(m.StepChecks.Every > 0, "the steps' checks run without a pause")
	must(m.Prepare.Within > 0 && m.Confirm.Within > 0 && m.Bake.Every > 0, "a wait is not positive")
	must(m.Bake.For >= 0 && m.Retire.After >= 0, "a wait is negative")
	must(m.Confirm.Otherwise == policy.OtherwiseHold || m.Confirm.Otherwise == policy.OtherwiseRollback, "confirm.otherwise is unknown")
	must(m.Rollback.EndpointsBelow <= policy.Full, "endpointsBelow is more than all")
	checkRetire(must, m)
	checkCalendar(must, m.Calendar)
	checkJSON(t, m)
}

var (
	nameLike   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	headerLike = regexp.MustCompile(`^[^:A-Z\s\x00-\x1f\x7f-\x{10ffff}]+$`)
)

func checkDiscovery(must func(bool, string), d policy.Discovery) {
	must((d.Service != "") != (len(d.Services) > 0), "discovery has not exactly one shape")
	if d.Service != "" {
		must((d.ColorMeta != "") != d.ColorTags, "the shared service tells its color in not exactly one way")
	} else {
		must(len(d.Services) == 2 && d.Services[policy.Blue] != d.Services[policy.Green], "the colors' services are not two")
		must(d.ColorMeta == "" && !d.ColorTags, "services per color have a color key too")
	}
	must(d.VersionMeta != "" && d.VersionMeta != d.ColorMeta, "the version has no key of its own")
}

func checkRoute(must func(bool, string), r policy.Route) {
	must(len(r.Fleets) > 0 && len(r.Hosts) > 0, "no fleet or no host")
	must(strings.HasPrefix(r.Prefix, "/") && !strings.ContainsAny(r.Prefix, "?#\n\r\t \x00"), "the prefix is no path")
	for i, h := range r.Hosts {
		must(h != "" && h == strings.ToLower(h) && !slices.Contains(r.Hosts[:i], h), "a host is empty, not lower case or doubled")
	}
	must(r.Preview == "" || headerLike.MatchString(r.Preview), "the preview header is no header name")
	must(r.Preview != "" || r.PreviewCookie == "" && r.PreviewToken == nil, "a preview is off, and has a cookie or a token")
	must(r.Sticky.Header == "" || headerLike.MatchString(r.Sticky.Header) && r.Sticky.Header != r.Preview, "the sticky header is none, or the preview's")
	must(r.Sticky.Cookie == "" || r.Sticky.Cookie != r.PreviewCookie, "the sticky cookie is the preview's")
	must(r.Sticky.CookieTTL == 0 || r.Sticky.Cookie != "" && r.Sticky.CookieTTL%time.Second == 0, "a cookie's time without a cookie, or not in seconds")
	must(!r.Sticky.SourceIP || r.Sticky.Header == "" && r.Sticky.Cookie == "", "a split is sticky by two things")
	must(r.Sticky.Header == "" || r.Sticky.Cookie == "", "a split is sticky by two things")
	must(slices.Contains([]policy.Protocol{policy.HTTP1, policy.HTTP2, policy.GRPC}, r.Protocol), "the protocol is unknown")
	must(r.Timeout >= 0 && r.ConnectTimeout > 0, "a timeout is out of range")
	must(r.Retries.Attempts >= 0 && len(r.Retries.On) > 0, "retries are out of range")
	must(r.Outlier.MaxEjectionPercent >= 0 && r.Outlier.MaxEjectionPercent <= 100, "an ejection is out of range")
	must(r.Outlier.ConsecutiveErrors > 0 && r.Outlier.Interval > 0 && r.Outlier.EjectFor > 0, "outlier detection is out of range")
	must(r.Limits.Connections > 0 && r.Limits.Pending > 0 && r.Limits.Requests > 0 && r.Limits.Retries >= 0, "a limit is out of range")
}

func checkShift(must func(bool, string), steps []policy.Step) {
	must(len(steps) > 0 && len(steps) <= 100 && steps[len(steps)-1].Weight == policy.Full, "the shift does not end at full weight")
	last := policy.Weight(0)
	for _, s := range steps {
		must(s.Weight > last && s.Hold >= 0, "the steps do not rise")
		last = s.Weight
	}
}

func checkRetire(must func(bool, string), m *policy.Model) {
	r, ways := m.Retire, 0
	web := func(text string) bool {
		u, err := url.Parse(text)
		return err == nil && u.Host != "" && strings.HasPrefix(u.Scheme, "http")
	}
	if r.Webhook != "" {
		ways++
		must(web(r.Webhook), "the webhook is no URL")
	}
	if c := r.Consul; c != nil {
		ways++
		must((c.Scheme == "http" || c.Scheme == "https") && c.Port > 0 && c.Port <= 65535, "Consul's agents are nowhere")
	}
	if n := r.Nomad; n != nil {
		ways++
		blue, green := n.Jobs[policy.Blue], n.Jobs[policy.Green]
		must(web(n.Address), "Nomad's address is no URL")
		must(blue != "" && green != "" && blue != green && len(n.Jobs) == 2 && n.Group != "", "the colors' jobs are not two, or have no group")
		must(m.Rolling == nil, "Nomad chooses the instances of a batch")
	}
	must(ways <= 1, "instances are let go in more than one way")
	must(ways == 0 || !r.Off && !r.Repurpose, "a color is kept and let go")
	must(r.Secret == nil || r.Webhook != "", "a secret signs nothing")
}

// checkJSON: a model comes back from JSON as it was; the journal keeps it so.
func checkJSON(t *testing.T, m *policy.Model) {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatalf("write model: %v", err)
	}
	var back policy.Model
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("read model: %v", err)
	}
	if !reflect.DeepEqual(*m, back) {
		t.Errorf("a model changed on its way through JSON:\n%+v\n%+v", *m, back)
	}
}
