package policy

import (
	"regexp"
	"strings"
	"time"
)

// How requests and users are told apart: who chooses a color, and who stays on one.

const defaultPreview = "x-model-color"

// maxCookieName bounds a cookie's name. It stands in patterns, and Envoy takes
// none whose program is longer than 100 instructions, of which about 26 are ours.
const maxCookieName = 64

func (b *builder) preview(r *Route, raw *rawPreview) {
	r.Preview = defaultPreview
	if raw == nil {
		return
	}
	if truth(raw.Off, false) {
		for _, key := range []string{"header", "cookie", "token"} {
			if b.marks.has("spec.route.preview." + key) {
				b.problem("spec.route.preview", RuleContradiction, "route.preview has a %s and off: true; keep one", key)
			}
		}
		r.Preview = ""
		return
	}
	if raw.Header != nil {
		r.Preview = b.requestHeader("spec.route.preview.header", *raw.Header)
	}
	r.PreviewCookie = b.text("spec.route.preview.cookie", raw.Cookie, "", RuleCookieSyntax, cookieFault)
	r.PreviewToken = b.secret("spec.route.preview.token", raw.Token)
}

func (b *builder) sticky(raw *rawSticky) Sticky {
	var s Sticky
	if raw == nil {
		return s
	}
	written := 0
	for _, key := range []string{"header", "cookie", "sourceIP"} {
		if b.marks.has("spec.route.sticky." + key) {
			written++
		}
	}
	if written != 1 {
		b.problem("spec.route.sticky", RuleContradiction, "route.sticky needs exactly one of header, cookie and sourceIP: true")
	}
	if raw.Header != nil {
		s.Header = b.requestHeader("spec.route.sticky.header", *raw.Header)
	}
	if raw.Cookie != nil {
		s.Cookie, s.CookieTTL = b.cookie("spec.route.sticky.cookie", raw.Cookie)
	}
	if s.SourceIP = truth(raw.SourceIP, false); raw.SourceIP != nil && !s.SourceIP {
		b.problem("spec.route.sticky.sourceIP", RuleUnknownValue, "route.sticky.sourceIP = false; write true, or remove route.sticky")
	}
	return s
}

func (b *builder) cookie(path string, raw *rawCookie) (name string, ttl time.Duration) {
	if raw.Name == nil {
		b.require(path+".name", "write the name of the cookie")
	}
	name = b.text(path+".name", raw.Name, "", RuleCookieSyntax, cookieFault)
	ttl = b.wait(path+".ttl", raw.TTL, 0, time.Second, aYear)
	if ttl%time.Second != 0 {
		b.problem(path+".ttl", RuleDurationRange, "%s = %s; a cookie's time is in whole seconds", shown(path+".ttl"), ttl)
	}
	return name, ttl
}

func (b *builder) requestHeader(path, written string) string {
	header := strings.ToLower(written)
	says := headerFault(header)
	switch header {
	case "cookie":
		says = "a cookie has a key of its own here, cookie"
	case PreviewTokenHeader:
		says = "this header carries the preview's token"
	}
	b.refuse(path, RuleHeaderSyntax, written, says)
	return header
}

// apart refuses one name for two purposes: a request that chooses a color is no
// user's, so a user known by the same header or cookie could never be served.
func (b *builder) apart(r *Route) {
	const says = "%s is also what a preview is chosen by, and whoever chooses a color is not split; take another name"
	if r.Sticky.Header != "" && r.Sticky.Header == r.Preview {
		b.problem("spec.route.sticky.header", RuleContradiction, says, "route.sticky.header")
	}
	if r.Sticky.Cookie != "" && r.Sticky.Cookie == r.PreviewCookie {
		b.problem("spec.route.sticky.cookie.name", RuleContradiction, says, "route.sticky.cookie.name")
	}
}

var cookieSyntax = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func cookieFault(name string) string {
	if len(name) > maxCookieName || !cookieSyntax.MatchString(name) {
		return "a cookie's name is 1 to 64 letters, digits, - and _"
	}
	return ""
}
