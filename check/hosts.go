package check

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Hosts are what checks may reach beside the model's own endpoints.
type Hosts []allowedHost

// allowedHost is one of them; with an empty port every port of the host is.
type allowedHost struct{ name, port string }

// hostName is what may stand for a host that is no IP address.
var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$`)

// ParseHosts reads a list of HOST and HOST:PORT, separated by commas. An IPv6
// address with a port stands in brackets.
func ParseHosts(list string) (Hosts, error) {
	var out Hosts
	for _, text := range strings.Split(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		h, err := parseHost(text)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func parseHost(text string) (allowedHost, error) {
	h, bad := allowedHost{name: text}, false
	if name, port, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		bad = err != nil || n == 0
		h = allowedHost{name: name, port: strconv.FormatUint(n, 10)}
	} else if inner, ok := strings.CutPrefix(text, "["); ok {
		h.name = strings.TrimSuffix(inner, "]")
	}
	h.name = sameName(h.name)
	if _, err := netip.ParseAddr(h.name); bad || err != nil && !hostName.MatchString(h.name) {
		return h, fmt.Errorf("%q is no host; must be HOST or HOST:PORT (1 to 65535), without scheme, path or wildcard", text)
	}
	return h, nil
}

// sameName makes names equal that DNS takes for equal.
func sameName(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// check is nil if target may be asked. It looks at names only: which address an
// allowed name stands for, the resolver says.
func (h Hosts) check(target *url.URL) error {
	host, port := sameName(target.Hostname()), portOf(target)
	if slices.ContainsFunc(h, func(a allowedHost) bool {
		return a.name == host && (a.port == "" || a.port == port)
	}) {
		return nil
	}
	return fmt.Errorf("host %s is not allowed; name it with --check-hosts", net.JoinHostPort(host, port))
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}
