package policy

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What single words may be. Each function gives the sentence that states the
// broken rule, or nothing.

var (
	nameSyntax    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	foreignSyntax = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:/-]*[A-Za-z0-9])?$`)
	metaSyntax    = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	hostSyntax    = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)
	headerSyntax  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9a-z-]+$")
)

// nameFault is for names that Greenlight gives: they become cluster names.
func nameFault(name string) string {
	if len(name) > 63 || !nameSyntax.MatchString(name) {
		return "a name is 1 to 63 of a-z, 0-9 and -, and neither begins nor ends with -"
	}
	return ""
}

// foreignFault is for names that others gave: services, fleets, listeners.
func foreignFault(name string) string {
	if len(name) > 128 || !foreignSyntax.MatchString(name) {
		return "it is 1 to 128 letters, digits and . _ : / -, and begins and ends with a letter or digit"
	}
	return ""
}

// FleetFault says why name can't be a fleet's; empty if it can.
func FleetFault(name string) string { return foreignFault(name) }

func metaFault(key string) string {
	if len(key) > 128 || !metaSyntax.MatchString(key) {
		return "a meta key is 1 to 128 letters, digits, _ and -"
	}
	return ""
}

// hostFault wants lower case already.
func hostFault(host string) string {
	rest := strings.TrimPrefix(host, "*.")
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	switch {
	case host == "*" || (err == nil && address.Zone() == ""):
		return ""
	case strings.Contains(host, ":"):
		return "a host has no port and no scheme"
	case strings.Contains(rest, "*"):
		return "a * stands alone or for the first label, like *.models.internal"
	case len(rest) > 253 || !hostSyntax.MatchString(rest) || slices.ContainsFunc(strings.Split(rest, "."), longLabel):
		return "a host is a domain, an IP address, *.suffix or *"
	}
	return ""
}

func longLabel(label string) bool { return len(label) > 63 }

// canonicalHost is the host as the Host header writes it.
func canonicalHost(host string) string {
	host = strings.ToLower(host)
	if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && address.Is6() {
		return "[" + address.String() + "]"
	}
	return host
}

// connectionHeaders belong to a connection or to routing itself; Envoy does
// not let a route match them, or a client cannot choose them freely.
var connectionHeaders = []string{"connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

func headerFault(header string) string {
	switch {
	case len(header) > 128 || !headerSyntax.MatchString(header):
		return "a header name is letters, digits and -, without a colon"
	case slices.Contains(connectionHeaders, header):
		return "this header belongs to the connection; take one of your own, like x-model-color"
	}
	return ""
}

// pathFault is for request paths; only where query is allowed may one follow.
func pathFault(path string, query bool) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "a path begins with /"
	case len(path) > 2048:
		return "a path has at most 2048 bytes"
	case strings.Contains(path, "#"):
		return "a path has no #fragment"
	case strings.Contains(path, "?") && !query:
		return "a prefix has no ?query"
	case strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "a path has no spaces and only ASCII; write others as %XX"
	}
	return ""
}

func urlFault(text string) string {
	address, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 2048:
		return "it is not a URL"
	case address.Scheme != "http" && address.Scheme != "https":
		return "write an http:// or https:// URL"
	case address.Hostname() == "":
		return "the URL names no host"
	case address.User != nil:
		return "take user:password@ out of the URL; a policy is no place for a password"
	case address.Fragment != "":
		return "a URL has no #fragment here"
	}
	return ""
}

// textFault is for free text that is shown to people.
func textFault(text string) string {
	if text == "" || len(text) > 200 || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\n\t") {
		return "write 1 to 200 characters on one line"
	}
	return ""
}

// retryConditions are Envoy's retry_on and retry_grpc_on conditions that need
// no configuration beside them.
var retryConditions = []string{
	"5xx", "gateway-error", "reset", "reset-before-request", "connect-failure",
	"envoy-ratelimited", "retriable-4xx", "refused-stream", "http3-post-connect-failure",
	"cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
}

func retryFault(condition string) string {
	if slices.Contains(retryConditions, condition) {
		return ""
	}
	return fmt.Sprintf("Envoy's conditions are %s%s", strings.Join(retryConditions, ", "), didYouMean(condition, retryConditions))
}

func addressFault(text string) string {
	if address, err := netip.ParseAddr(text); err != nil || address.Zone() != "" {
		return "it is an IP address, like 0.0.0.0 or ::"
	}
	return ""
}
