package check

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"greenlight/rollout"
)

// Whatever a path says, the request goes to the endpoint.
func TestClientReachesNothingElse(t *testing.T) {
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.Host+" "+r.RequestURI) }))
	defer s.Close()
	host, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	n, _ := strconv.Atoi(port)

	c := New(Options{}).newClient(rollout.CheckJob{}, "ready", rollout.Endpoint{Address: host, Port: n}, 10)
	defer c.close()
	if c.transport.Proxy != nil {
		t.Error("the client takes a proxy")
	}
	for _, path := range []string{"/", "//example.com/x", "/@example.com/", "/a?u=http://example.com"} {
		if _, err := c.get(context.Background(), path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if want := s.Listener.Addr().String() + " " + path; seen[len(seen)-1] != want {
			t.Errorf("%s arrived as %q", path, seen[len(seen)-1])
		}
	}
	if _, err := c.get(context.Background(), "/%zz"); err == nil {
		t.Error("a broken path was sent")
	}
}
