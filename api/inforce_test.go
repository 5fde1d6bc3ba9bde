package api_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// A policy comes over the wire as it is, and so does the state, without what the
// checks have measured.
func TestPoliciesInForce(t *testing.T) {
	m := newModels("churn", "fraud")
	s := serve(t, m, &history{}, fleets{
		{Name: "edge", Nodes: []rollout.NodeView{{Node: "a", Connected: true}, {Node: "b", Connected: true}, {Node: "c"}}},
		{Name: "apps"},
	})
	inForce := &policy.Model{Name: "fraud", Source: policy.Source{File: "policies/fraud.yaml", Hash: "1"}, Bake: policy.Bake{For: 90 * time.Minute}}
	other := &policy.Model{Name: "fraud", Source: policy.Source{Hash: "2"}}
	st := m.statuses["fraud"]
	st.Policy, st.PolicyProblem, st.Drift = inForce, "a node rejected it", "blue is live"
	st.Endpoints = rollout.EndpointSet{Green: []rollout.Endpoint{{ID: "g", Version: "2"}}}
	st.State.Live, st.State.Weights, st.State.Phase = policy.Blue, rollout.Split(policy.Blue, 9500), rollout.Baking
	st.State.Facts.EndpointsKnown = true
	st.State.Switch = &rollout.Switch{ID: "s1", Verdicts: []rollout.Verdict{{Check: "golden"}}, Transitions: []rollout.Transition{{To: rollout.Baking}}}
	m.statuses["fraud"] = st
	s.filed = api.Filed{Folder: "policies", Files: "/data/current/policies", AllowRemoval: true, Set: policy.Set{
		Origin: policy.Origin{Problem: "connection refused"},
		Models: map[string]policy.Entry{"fraud": {Model: other}},
		Fleets: map[string]policy.FleetEntry{"edge": {Fleet: &policy.Fleet{Name: "edge", Routes: "r"}}, "bad": {Problem: "broken"}},
	}}
	r, err := s.client.ListPolicies(t.Context(), &adminv1.ListPoliciesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if r.GetFormat() != api.PoliciesFormat || r.GetFolder() != "policies" || r.GetFilesFolder() != "/data/current/policies" || !r.GetAllowRemoval() || r.GetAt() == nil || r.GetOrigin().GetProblem() != "connection refused" {
		t.Errorf("%v", r)
	}
	if len(r.GetModels()) != 2 || r.GetModels()[1].GetModel() != "fraud" {
		t.Fatalf("%v", r.GetModels())
	}
	fraud := r.GetModels()[1]
	for raw, want := range map[*[]byte]any{&fraud.Policy: inForce, &fraud.Filed: other} {
		got := &policy.Model{}
		if err := json.Unmarshal(*raw, got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: got %+v, want %+v", err, got, want)
		}
	}
	var state rollout.State
	if err := json.Unmarshal(fraud.GetState(), &state); err != nil || state.Switch.Verdicts != nil || len(state.Switch.Transitions) != 1 {
		t.Errorf("%v: %+v", err, state.Switch)
	}
	var facts api.Facts
	if err := json.Unmarshal(fraud.GetFacts(), &facts); err != nil || !facts.EndpointsKnown || !reflect.DeepEqual(facts.Endpoints, st.Endpoints) {
		t.Errorf("%v: %+v", err, facts)
	}
	if fraud.GetLive() != adminv1.Color_COLOR_BLUE || fraud.GetWeights().GetBluePercent() != 95 || fraud.GetPhase() != adminv1.Phase_PHASE_BAKING ||
		fraud.GetDrift() != "blue is live" || fraud.GetProblem() != "a node rejected it" || len(fraud.GetGreenVersions()) != 1 {
		t.Errorf("%v", fraud)
	}
	if len(st.State.Switch.Verdicts) != 1 {
		t.Error("the status itself was changed")
	}
	want := []*adminv1.FleetInForce{{Fleet: "apps"}, {Fleet: "bad", Problem: "broken"}, {Fleet: "edge", Policy: []byte(`{}`), Connected: 2, Stale: 1}}
	for i, f := range r.GetFleets() {
		if f.GetFleet() != want[i].GetFleet() || f.GetProblem() != want[i].GetProblem() || f.GetConnected() != want[i].GetConnected() ||
			f.GetStale() != want[i].GetStale() || (len(f.GetPolicy()) > 0) != (len(want[i].GetPolicy()) > 0) {
			t.Errorf("got %v, want %v", f, want[i])
		}
	}
}
