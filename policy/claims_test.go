package policy_test

import (
	"fmt"
	"strings"
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

// Many models on one place are told in a time that grows with their number.
func TestMergeOfManyConflicts(t *testing.T) {
	f := newFolder(t)
	f.write("holder.yaml", model("m500", "x"))
	f.clean()
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: s}, route: {fleets: [edge], hosts: [x]}}`))
	var all strings.Builder
	for i := range 1000 {
		if i != 500 {
			all.WriteString(heir(fmt.Sprintf("m%03d", i), `{}`) + "---\n")
		}
	}
	f.write("all.yaml", all.String())
	f.merge()
	f.stands("m500", "x")
	f.stands("m000", "", "and so does model m500")
	f.stands("m999", "", "and so does model m500")
	if len(f.set.Problems) != 1 {
		t.Errorf("%d problems, want one", len(f.set.Problems))
	}
}
