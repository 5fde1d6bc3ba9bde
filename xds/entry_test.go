package xds

import (
	"slices"
	"testing"

	"greenlight/policy"
	"greenlight/rollout"
)

// A report tells where a fleet takes users' requests, as far as that is known.
func TestReportTellsTheEntries(t *testing.T) {
	s := opened(t, Options{}, fraud())
	s.running(t, false)
	for name, c := range map[string]struct {
		fleet *policy.Fleet
		want  []rollout.Entry
	}{
		"no file":      {nil, nil},
		"own listener": {&policy.Fleet{Name: "edge", Routes: "edge"}, nil},
		"named": {
			&policy.Fleet{Name: "edge", Routes: "edge", Entry: "lb.internal:80"},
			[]rollout.Entry{{Fleet: "edge", Address: "lb.internal:80"}},
		},
		"one address": {
			&policy.Fleet{Name: "edge", Routes: "edge", Listener: &policy.Listener{Name: "l", Address: "10.0.0.7", Port: 80}},
			[]rollout.Entry{{Fleet: "edge", Node: "a", Address: "10.0.0.7:80"}},
		},
		"any address of an unknown peer": {
			&policy.Fleet{Name: "edge", Routes: "edge", Listener: &policy.Listener{Name: "l", Address: "0.0.0.0", Port: 80}}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			fleets := map[string]*policy.Fleet{}
			if c.fleet != nil {
				fleets["edge"] = c.fleet
			}
			s.SetFleets(fleets)
			if got := s.Report("fraud").Entries; !slices.Equal(got, c.want) {
				t.Errorf("entries %+v, want %+v", got, c.want)
			}
		})
	}
}

// Of a large fleet the first nodes are named, always the same.
func TestEntriesOfManyNodes(t *testing.T) {
	f := &fleet{name: "edge", nodes: map[*node]struct{}{}}
	var want []string
	for i := range 500 {
		id := string(rune('a'+i%26)) + string(rune('a'+i/26))
		f.nodes[&node{key: nodeKey{"edge", id}}] = struct{}{}
		want = append(want, id)
	}
	slices.Sort(want)
	for range 3 {
		var got []string
		for _, n := range f.firstNodes() {
			got = append(got, n.key.id)
		}
		if !slices.Equal(got, want[:rollout.ReportList]) {
			t.Fatalf("named %v, want %v", got, want[:rollout.ReportList])
		}
	}
}
