package greenlight

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"greenlight/rollout"
	"greenlight/store"
	"greenlight/xds"
)

// A node whose lease ended while a server ran is not known to the next one: the
// server saves the nodes that are left, and the journal drops the others.
func TestNodeWhoseLeaseEndedDoesNotComeBack(t *testing.T) {
	synctest.Test(t, nodeWhoseLeaseEnded)
}

func nodeWhoseLeaseEnded(t *testing.T) {
	journal, err := store.Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	gone := rollout.NodeRecord{Fleet: "edge", Node: "gone", Agent: "envoy", LastSeen: time.Now().Add(-time.Hour)}
	if err := journal.SaveNodes([]rollout.NodeRecord{gone}); err != nil {
		t.Fatal(err)
	}
	s, err := xds.New(xds.Options{Nodes: journal, Lease: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s.Open()
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond) // leases are looked at every second
	defer cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if known, err := journal.Nodes(); err != nil || len(known) != 0 {
		t.Errorf("the journal knows %+v, %v", known, err)
	}
}
