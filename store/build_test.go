package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/store"
)

var began = time.Date(2026, 11, 23, 10, 15, 2, 0, time.UTC)

func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func journal(t testing.TB) string { return filepath.Join(t.TempDir(), "greenlight.db") }

// model is a policy with a value in most fields.
func model(name string) *policy.Model {
	return &policy.Model{
		Name:      name,
		Source:    policy.Source{File: "policies/" + name + ".yaml", Line: 1, Hash: "abc"},
		Discovery: policy.Discovery{Services: map[policy.Color]string{policy.Blue: "b", policy.Green: "g"}, VersionMeta: "version"},
		Route:     policy.Route{Fleets: []string{"edge"}, Hosts: []string{name + ".internal"}, Prefix: "/", Timeout: 2 * time.Second},
		Validate:  []policy.Check{{Name: "ready", Timeout: time.Second, Ready: &policy.ReadyCheck{Path: "/ready"}}},
		Shift:     []policy.Step{{Weight: 500, Hold: time.Minute}, {Weight: policy.Full}},
	}
}

// state is a model in the middle of switch n.
func state(name string, n int) rollout.State {
	at := began.Add(time.Duration(n) * time.Second)
	return rollout.State{
		Model: name, Live: policy.Blue, Phase: rollout.Holding, Since: at,
		Generation: uint64(n), Weights: rollout.Split(policy.Green, 500), Deadline: at.Add(time.Minute),
		Switch: &rollout.Switch{
			ID: fmt.Sprintf("%s-%06d", name, n), Model: name, From: policy.Blue, To: policy.Green,
			Actor: "ann", Key: fmt.Sprintf("key-%d", n), Started: at,
			Transitions: []rollout.Transition{{At: at, From: rollout.Idle, To: rollout.Preparing}},
			Verdicts: []rollout.Verdict{{Check: "golden", Result: rollout.Fail, Figures: map[string]float64{"cases": 3},
				Evidence: []rollout.Evidence{{Endpoint: "green 10.0.0.1:8080", Expected: "1", Got: "2"}}}},
			Plan: *model(name),
		},
	}
}
