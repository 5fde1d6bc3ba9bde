package resource_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"greenlight/policy"
	"greenlight/rollout"
	"greenlight/xds/resource"
)

func TestNames(t *testing.T) {
	if got := resource.ClusterName("fraud", policy.Green); got != "fraud/green" {
		t.Errorf("cluster is %q", got)
	}
	for _, c := range policy.Colors {
		if resource.ModelRoutes("fraud") == resource.ClusterName("fraud", c) {
			t.Errorf("routes and cluster share the name %q", resource.ModelRoutes("fraud"))
		}
	}
}

func TestFleetWithOwnListenersGetsNone(t *testing.T) {
	if l := resource.Listener(&policy.Fleet{Name: "edge", Routes: "edge"}); l != nil {
		t.Errorf("got %v", l)
	}
}

// TestInstanceIDsDoNotMatter: a restarted instance with a new id at the same
// address is no change for a fleet.
func TestInstanceIDsDoNotMatter(t *testing.T) {
	one := []rollout.Endpoint{{ID: "a", Address: "10.0.0.1", Port: 1, Weight: 1}, {ID: "b", Address: "10.0.0.2", Port: 1, Weight: 1}}
	two := []rollout.Endpoint{{ID: "y", Address: "10.0.0.2", Port: 1, Weight: 1}, {ID: "z", Address: "10.0.0.1", Port: 1, Weight: 1, Version: "new"}}
	if a, b := assignment(t, one), assignment(t, two); !bytes.Equal(a, b) {
		t.Error("ids or versions changed the assignment")
	}
}

// TestEndpointsAreLeftAlone: the caller's slice is shared with others.
func TestEndpointsAreLeftAlone(t *testing.T) {
	eps := []rollout.Endpoint{{ID: "b", Address: "10.0.0.2", Port: 1}, {ID: "a", Address: "10.0.0.1", Port: 1}, {ID: "c", Address: "10.0.0.1", Port: 1}}
	assignment(t, eps)
	if eps[0].ID != "b" || eps[1].ID != "a" || eps[2].ID != "c" {
		t.Errorf("endpoints were reordered: %v", eps)
	}
}

func assignment(t *testing.T, eps []rollout.Endpoint) []byte {
	t.Helper()
	return marshal(t, resource.Assignment("fraud", policy.Blue, eps))
}

// TestIdleTimeoutOutlastsTimeout: the idle timeout never ends a request that the
// route's timeout still allows.
func TestIdleTimeoutOutlastsTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		0: time.Hour, time.Second: 5 * time.Minute, 5 * time.Minute: 6 * time.Minute, time.Hour: time.Hour + time.Minute,
	} {
		m := blueLive(variant("m", func(r *policy.Route) { r.Timeout = timeout }))
		a := resource.Host("*", []resource.Model{m}).Routes[0].GetRoute()
		if a.Timeout.AsDuration() != timeout || a.IdleTimeout.AsDuration() != want {
			t.Errorf("timeout %v: got %v, idle %v, want idle %v", timeout, a.Timeout.AsDuration(), a.IdleTimeout.AsDuration(), want)
		}
	}
}

// TestSwitchTouchesWeightsAlone: a switch changes nothing of a model's routes
// but weights, and what live and idle mean.
func TestSwitchTouchesWeightsAlone(t *testing.T) {
	before := resource.Host("*", []resource.Model{{Policy: fraud(), Live: policy.Blue, Weights: rollout.AllOn(policy.Blue)}})
	after := resource.Host("*", []resource.Model{{Policy: fraud(), Live: policy.Blue, Weights: rollout.AllOn(policy.Green)}})
	if len(before.Routes) != len(after.Routes) {
		t.Fatalf("%d routes became %d", len(before.Routes), len(after.Routes))
	}
	for i, r := range before.Routes {
		same := bytes.Equal(marshal(t, r), marshal(t, after.Routes[i]))
		if users := r.Name == "fraud"; same == users {
			t.Errorf("route %s: same is %v", r.Name, same)
		}
	}
}

func TestEmptyFleetHasRoutes(t *testing.T) {
	if got, want := resource.RouteConfigBytes("edge", nil), marshal(t, resource.RouteConfig("edge", nil)); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// BenchmarkSwitch is what one model's switch costs among a thousand on one host.
func BenchmarkSwitch(b *testing.B) {
	var models []resource.Model
	var parts []resource.Part
	for i := range 1000 {
		m := blueLive(variant(fmt.Sprintf("m%03d", i), func(r *policy.Route) { r.Prefix = fmt.Sprintf("/m%03d", i) }))
		p, err := resource.NewPart(m)
		if err != nil {
			b.Fatal(err)
		}
		models, parts = append(models, m), append(parts, p)
	}
	b.Run("parts", func(b *testing.B) {
		for b.Loop() {
			p, err := resource.NewPart(models[7])
			if err != nil {
				b.Fatal(err)
			}
			parts[7] = p
			h, err := resource.HostBytes("all.internal", parts)
			if err != nil {
				b.Fatal(err)
			}
			resource.RouteConfigBytes("edge", [][]byte{h})
		}
	})
	b.Run("anew", func(b *testing.B) {
		for b.Loop() {
			marshal(b, resource.RouteConfig("edge", virtualHosts(models)))
		}
	})
}
