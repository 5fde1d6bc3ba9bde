package api

import (
	"context"
	"net"
	"slices"
	"testing"

	"google.golang.org/grpc/peer"
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
