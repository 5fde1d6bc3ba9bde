package rollout_test

import (
	"reflect"
	"testing"

	"greenlight/policy"
	"greenlight/rollout"

	"pgregory.net/rapid"
)

func TestNeed(t *testing.T) {
	for _, c := range []struct {
		name   string
		checks []policy.Check
		live   int
		need   int
	}{
		{"no check asks for one", nil, 7, 1},
		{"golden asks for one", []policy.Check{golden()}, 7, 1},
		{"min without live", []policy.Check{endpoints(2, policy.Full)}, 0, 2},
		{"as many as live", []policy.Check{endpoints(2, policy.Full)}, 5, 5},
		{"rounded up", []policy.Check{endpoints(1, 5000)}, 5, 3},
		{"one hundredth of a percent of one", []policy.Check{endpoints(1, 1)}, 1, 1},
		{"the largest of several", []policy.Check{endpoints(4, 0), endpoints(1, 5000)}, 4, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rollout.Need(&policy.Model{Validate: c.checks}, c.live); got != c.need {
				t.Errorf("Need = %d, want %d", got, c.need)
			}
		})
	}
}

func TestLost(t *testing.T) {
	for _, c := range []struct {
		below  policy.Weight
		needed int
		least  int
	}{
		{5000, 4, 2}, {5000, 5, 3}, {5000, 1, 1}, {0, 10, 1}, {policy.Full, 3, 3},
	} {
		p := &policy.Model{Rollback: policy.Rollback{EndpointsBelow: c.below}}
		if got := rollout.Lost(p, c.needed); got != c.least {
			t.Errorf("Lost(%d of %d) = %d, want %d", c.below, c.needed, got, c.least)
		}
	}
}

// TestNeedIsTheSmallest: need satisfies every check, and one fewer does not.
func TestNeedIsTheSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live := rapid.IntRange(0, 5000).Draw(t, "live")
		p := &policy.Model{Validate: []policy.Check{endpoints(
			rapid.IntRange(1, 20).Draw(t, "min"),
			policy.Weight(rapid.IntRange(0, int(policy.Full)).Draw(t, "ofLive")),
		)}}
		if got, want := rollout.Need(p, live), asked(*p, live); got != want {
			t.Fatalf("Need = %d, want %d", got, want)
		}
	})
}

func TestServed(t *testing.T) {
	two, one := instances(policy.Blue, 2, "v1"), instances(policy.Blue, 1, "v1")
	for _, c := range []struct {
		name       string
		prev, next []rollout.Endpoint
		weight     policy.Weight
		want       []rollout.Endpoint
	}{
		{"new ones replace old ones", two, one, policy.Full, one},
		{"a color with weight is never emptied", two, nil, 1, two},
		{"a color without weight is", two, nil, 0, nil},
		{"a color without weight is filled", nil, two, 0, two},
		{"nothing was ever there", nil, nil, policy.Full, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			prev, next := rollout.EndpointSet{Blue: c.prev}, rollout.EndpointSet{Blue: c.next}
			blue, green := rollout.Served(prev, next, rollout.Split(policy.Blue, c.weight))
			if !reflect.DeepEqual(blue, c.want) || len(green) != 0 {
				t.Errorf("Served = %v %v, want %v", blue, green, c.want)
			}
			mirrored := rollout.Split(policy.Green, c.weight)
			prev, next = rollout.EndpointSet{Green: c.prev}, rollout.EndpointSet{Green: c.next}
			if _, green = rollout.Served(prev, next, mirrored); !reflect.DeepEqual(green, c.want) {
				t.Errorf("Served green = %v, want %v", green, c.want)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	for _, c := range policy.Colors {
		w := rollout.Split(c, 2500)
		if w.Of(c) != 2500 || w.Of(c.Other()) != 7500 {
			t.Errorf("Split(%s) = %+v", c, w)
		}
	}
}
