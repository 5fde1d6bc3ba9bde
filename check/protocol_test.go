package check_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"greenlight/check"
	"greenlight/policy"
	"greenlight/rollout"
)

// serveOnly serves one version of HTTP without TLS, and answers any other with an error.
func serveOnly(t *testing.T, http2 bool, h http.HandlerFunc) rollout.Endpoint {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(http2)
	s.Config.Protocols.SetHTTP1(!http2)
	s.Start()
	t.Cleanup(s.Close)
	return endpointAt(t, fmt.Sprintf("http2=%t", http2), s.Listener.Addr().String())
}

// An endpoint is spoken to in the protocol of the route, and in no other.
func TestChecksSpeakTheRoutesProtocol(t *testing.T) {
	file := goldenFile(t, `{"request":1,"expect":{"x":1}}`, `{"request":2,"expect":{"x":1}}`)
	for _, c := range []struct {
		protocol policy.Protocol
		http2    bool // what the server speaks
		want     rollout.Result
	}{
		{"", false, rollout.Pass},
		{policy.HTTP1, false, rollout.Pass},
		{policy.HTTP2, true, rollout.Pass},
		{policy.GRPC, true, rollout.Pass},
		{policy.HTTP1, true, rollout.Fail},
		{policy.HTTP2, false, rollout.Fail},
	} {
		t.Run(fmt.Sprintf("%s to http2=%t", c.protocol, c.http2), func(t *testing.T) {
			e := serveOnly(t, c.http2, func(w http.ResponseWriter, r *http.Request) {
				if address := r.Context().Value(http.LocalAddrContextKey).(net.Addr).String(); c.want == rollout.Pass && r.Host != address {
					t.Errorf("a request for %q came to %s", r.Host, address)
				}
				respond(http.StatusOK, `{"x":1}`)(w, r)
			})
			j := job([]policy.Check{ready("/"), golden(policy.PlainJSON, file)}, e)
			j.Protocol = c.protocol
			for _, v := range check.New(check.Options{}).Run(context.Background(), j) {
				wantVerdict(t, v, c.want)
			}
		})
	}
}

// The limits on what an endpoint may answer hold for HTTP/2, too.
func TestHTTP2AnswersAreBounded(t *testing.T) {
	endless := serveOnly(t, true, func(w http.ResponseWriter, _ *http.Request) {
		for chunk := make([]byte, 1<<16); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	j := job([]policy.Check{golden(policy.PlainJSON, goldenFile(t, `{"request":1,"expect":{"x":1}}`))}, endless)
	j.Protocol = policy.HTTP2
	v := check.New(check.Options{MaxBody: 1000}).Run(context.Background(), j)[0]
	wantVerdict(t, v, rollout.Fail, "expected an answer of at most 1000 bytes, got a longer one")

	j = job([]policy.Check{ready("/")}, serveOnly(t, true, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 1<<20))
	}))
	j.Protocol = policy.HTTP2
	wantVerdict(t, check.New(check.Options{}).Run(context.Background(), j)[0], rollout.Fail)
}
