package api

import (
	"context"
	"net"
	"slices"
	"testing"

	"google.golang.org/grpc/peer"
	"pgregory.net/rapid"
)

// A caller without a name is the same one on its next connection.
func TestPeerHasNoPort(t *testing.T) {
	for addr, want := range map[net.Addr]string{
		&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 4711}: "10.0.0.1",
		&net.TCPAddr{IP: net.IPv6loopback, Port: 4711}:      "::1",
		&net.UnixAddr{Net: "unix", Name: "@"}:               "@",
	} {
		ctx := peer.NewContext(context.Background(), &peer.Peer{Addr: addr})
		if got := actor(ctx, ""); got != want {
			t.Errorf("actor of %v = %q, want %q", addr, got, want)
		}
	}
	if got := actor(context.Background(), ""); got != "unknown" {
		t.Errorf("actor without a peer = %q", got)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"fraud", "fraud-eu", "churn", "prices", "a"}
	tests := []struct {
		typed string
		want  []string
	}{
		{"fruad", []string{"fraud"}},
		{"fraud-us", []string{"fraud", "fraud-eu"}},
		{"price", []string{"prices"}},
		{"churn2", []string{"churn"}},
		{"nothing-like-it", nil},
	}
	for _, tt := range tests {
		got := nearest(tt.typed, names)
		got = slices.DeleteFunc(got, func(s string) bool { return s == "a" })
		if !slices.Equal(got, tt.want) {
			t.Errorf("nearest(%q) = %q, want %q", tt.typed, got, tt.want)
		}
	}
}

// distance is a metric: it is 0 only for equals, the same both ways, and no
// detour is shorter.
func TestDistanceIsAMetric(t *testing.T) {
	word := rapid.StringMatching(`[ab-]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		ab := distance(a, b)
		if (ab == 0) != (a == b) {
			t.Fatalf("distance(%q, %q) = %d", a, b, ab)
		}
		if ba := distance(b, a); ab != ba {
			t.Fatalf("distance(%q, %q) = %d, back %d", a, b, ab, ba)
		}
		if via := distance(a, c) + distance(c, b); ab > via {
			t.Fatalf("distance(%q, %q) = %d, by way of %q %d", a, b, ab, c, via)
		}
	})
}
