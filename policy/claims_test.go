package policy_test

import (
	"testing"

	"greenlight/policy"
)

func TestSharedClaim(t *testing.T) {
	model := func(fleet, host, prefix string) *policy.Model {
		return &policy.Model{Route: policy.Route{Fleets: []string{"other", fleet}, Hosts: []string{host}, Prefix: prefix}}
	}
	held := model("edge", "a.example", "/v2")
	for _, c := range []struct {
		m    *policy.Model
		want string
	}{
		{model("edge", "a.example", "/v2"), "fleet other, host a.example, prefix /v2"},
		{model("edge", "b.example", "/v2"), ""},
		{model("edge", "a.example", "/v1"), ""},
		{&policy.Model{Route: policy.Route{Fleets: []string{"edge"}, Hosts: []string{"b.example", "a.example"}, Prefix: "/v2"}}, "fleet edge, host a.example, prefix /v2"},
		{&policy.Model{Route: policy.Route{Fleets: []string{"core"}, Hosts: []string{"a.example"}, Prefix: "/v2"}}, ""},
		{nil, ""},
	} {
		if got := policy.SharedClaim(c.m, held); got != c.want {
			t.Errorf("SharedClaim = %q, want %q", got, c.want)
		}
	}
}
