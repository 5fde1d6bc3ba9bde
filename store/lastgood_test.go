package store_test

import (
	"reflect"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/store"
)

func TestEndpointsKeepTheLastGoodSet(t *testing.T) {
	s := open(t, journal(t))
	good := rollout.EndpointSet{
		Blue:    []rollout.Endpoint{{ID: "b1", Address: "10.0.0.1", Port: 80, Weight: 1, Version: "7"}},
		Unready: map[policy.Color]int{policy.Green: 2},
	}
	if err := s.SaveEndpoints("fraud", good); err != nil {
		t.Fatal(err)
	}
	bad := rollout.EndpointSet{Problem: "consul: connection refused", Since: began}
	if err := s.SaveEndpoints("fraud", bad); err != nil {
		t.Fatal(err)
	}
	got, err := s.Endpoints()
	if err != nil || !reflect.DeepEqual(got, map[string]rollout.EndpointSet{"fraud": good}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestPoliciesSurviveReopening(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	fleet := &policy.Fleet{Name: "edge", Routes: "edge", Listener: &policy.Listener{Name: "greenlight", Address: "0.0.0.0", Port: 80}}
	for _, err := range []error{s.SavePolicy(model("fraud")), s.SaveTaken(model("spam")), s.SaveFleet(fleet), s.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, path)
	models, err := s.Policies()
	if err != nil || !reflect.DeepEqual(models, map[string]*policy.Model{"fraud": model("fraud")}) {
		t.Errorf("models: %+v, %v", models, err)
	}
	taken, err := s.TakenPolicies()
	if err != nil || !reflect.DeepEqual(taken, map[string]*policy.Model{"spam": model("spam")}) {
		t.Errorf("taken: %+v, %v", taken, err)
	}
	fleets, err := s.FleetPolicies()
	if err != nil || !reflect.DeepEqual(fleets, map[string]*policy.Fleet{"edge": fleet}) {
		t.Errorf("fleets: %+v, %v", fleets, err)
	}
	if err := s.SavePolicy(&policy.Model{}); err == nil {
		t.Error("a policy without a name was kept")
	}
	// What is out of force is forgotten, and what the nodes once took is not.
	for _, err := range []error{s.ForgetPolicy("fraud"), s.ForgetPolicy("spam"), s.ForgetFleet("edge"), s.ForgetFleet("edge"), s.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, path)
	models, _ = s.Policies()
	fleets, _ = s.FleetPolicies()
	taken, _ = s.TakenPolicies()
	if len(models) != 0 || len(fleets) != 0 || len(taken) != 1 {
		t.Errorf("models %+v, fleets %+v, taken %+v", models, fleets, taken)
	}
}

func TestTroublesAreReplacedAsAWhole(t *testing.T) {
	path := journal(t)
	s := open(t, path)
	want := map[string]store.Trouble{"origin": {"connection refused", began}, "model fraud": {"fraud.yaml is gone", began.Add(time.Hour)}}
	for _, err := range []error{s.SaveTroubles(map[string]store.Trouble{"fleet edge": {"broken", began}}), s.SaveTroubles(want), s.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := open(t, path).Troubles(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestNodesAreReplacedAsAWhole(t *testing.T) {
	s := open(t, journal(t))
	a := rollout.NodeRecord{Fleet: "edge", Node: "a", Agent: "envoy 1.40.0", LastSeen: began}
	b := rollout.NodeRecord{Fleet: "edge", Node: "b", LastSeen: began}
	c := rollout.NodeRecord{Fleet: "core", Node: "a", LastSeen: began}
	later := a
	later.LastSeen = began.Add(time.Hour)
	for _, step := range []struct{ save, want []rollout.NodeRecord }{
		{nil, nil},
		{[]rollout.NodeRecord{a, b, c}, []rollout.NodeRecord{c, a, b}},
		{[]rollout.NodeRecord{later, c}, []rollout.NodeRecord{c, later}},
		{[]rollout.NodeRecord{b}, []rollout.NodeRecord{b}},
		{nil, nil},
	} {
		if err := s.SaveNodes(step.save); err != nil {
			t.Fatal(err)
		}
		got, err := s.Nodes()
		if err != nil || !reflect.DeepEqual(got, step.want) {
			t.Errorf("got %+v, %v; want %+v", got, err, step.want)
		}
	}
}
