package xds

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"greenlight/policy"
)

// secretly is a Secret whose value tests set; nil: it can't be had.
type secretly struct{ value atomic.Pointer[string] }

func (s *secretly) set(value string) { s.value.Store(&value) }

func (s *secretly) read(policy.Secret) (string, error) {
	if v := s.value.Load(); v != nil {
		return *v, nil
	}
	return "", errors.New("secret GREENLIGHT_SECRET_X: not set")
}

func restricted() *policy.Model {
	p := fraud()
	p.Route.PreviewToken = &policy.Secret{Env: "GREENLIGHT_SECRET_X"}
	return p
}

func TestPreviewTokenIsFollowed(t *testing.T) {
	var s secretly
	log := &lockedBuffer{}
	r := start(t, Options{Secret: s.read, Log: slog.New(slog.NewTextHandler(log, nil))})
	p := restricted()
	r.open(p)
	a := r.client("a")
	a.join()
	r.acked("fraud", 1)
	if got := r.Report("fraud").PreviewClosed; got != "secret GREENLIGHT_SECRET_X: not set" {
		t.Fatalf("closed because of %q", got)
	}
	if !bytes.Contains([]byte(log.String()), []byte("preview closed")) {
		t.Fatalf("the log does not say so: %s", log)
	}

	s.set("first-token")
	r.rereadTokens()
	if got := tokens(t, a.want(route, "edge")); got["first-token"] != 5 || len(got) != 1 {
		t.Fatalf("%v", got)
	}
	r.acked("fraud", 1)
	if got := r.Report("fraud"); got.PreviewClosed != "" || got.Generation != 1 {
		t.Fatalf("%+v", got)
	}
	r.rereadTokens()
	a.none() // nothing has changed

	s.set("second-token")
	r.Route(routing(p, 2, allGreen))
	if got := tokens(t, a.want(route, "edge")); got["second-token"] != 5 || len(got) != 1 {
		t.Fatalf("%v", got)
	}
	for _, unfit := range []string{" spaced", "two\nlines", "ü", string(make([]byte, 5000))} {
		s.set(unfit)
		if got := r.readToken(p); got.value != "" || got.fault == "" {
			t.Fatalf("%q was taken", unfit)
		}
	}
	s.set("two\nlines")
	r.rereadTokens()
	if got := tokens(t, a.want(route, "edge")); len(got) != 0 {
		t.Fatalf("%v", got)
	}
	r.acked("fraud", 1)

	shown := log.String() + fmt.Sprintf("%+v %+v", r.Report("fraud"), r.Fleets())
	for _, token := range []string{"first-token", "second-token", "two\nlines", `two\nlines`} {
		if bytes.Contains([]byte(shown), []byte(token)) {
			t.Errorf("the token %q is shown: %s", token, shown)
		}
	}
}

// A server that is given no way to find secrets keeps such previews closed.
func TestPreviewClosedWithoutSecrets(t *testing.T) {
	r := start(t, Options{})
	r.open(restricted())
	if r.Report("fraud").PreviewClosed == "" {
		t.Fatal("open")
	}
}

// tokens counts the routes that ask for each token.
func tokens(t *testing.T, m *discoveryv3.DiscoveryResponse) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, r := range routesOf(t, m) {
		for _, h := range r.Match.Headers {
			if h.Name == policy.PreviewTokenHeader {
				out[h.GetStringMatch().GetExact()]++
			}
		}
	}
	return out
}

// routesOf is every route of an answer's one configuration.
func routesOf(t *testing.T, m *discoveryv3.DiscoveryResponse) []*routev3.Route {
	t.Helper()
	rc := &routev3.RouteConfiguration{}
	if err := m.Resources[0].UnmarshalTo(rc); err != nil {
		t.Fatal(err)
	}
	var out []*routev3.Route
	for _, v := range rc.VirtualHosts {
		out = append(out, v.Routes...)
	}
	return out
}
