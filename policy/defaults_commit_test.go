package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

// Of a repository everything is told by the names that files have there, also
// what is inherited.
func TestDefaultsOfARepository(t *testing.T) {
	f := newFolder(t)
	commit := func(id string) policy.Set {
		f.now = f.now.Add(time.Minute)
		f.set = policy.Merge(f.set, policy.Read(f.dir).Of(policy.Commit{ID: id}, f.dir), f.now)
		if says := fmt.Sprint(f.set.Problems, f.set.Origin.Problem); strings.Contains(says, f.dir) {
			t.Errorf("%s tells where files lie on this machine: %s", id, says)
		}
		return f.set
	}
	f.write("defaults.yaml", defaultsOf(`{discovery: {service: s}, route: {fleets: [edge]}, bake: {for: 1m}}`))
	f.write("team/a.yaml", heir("a", `{}`))
	commit("one")
	if got := fmt.Sprint(f.model("a").Source.Defaults); got != "[defaults.yaml]" || len(f.set.Problems) > 0 {
		t.Errorf("it inherits %s, %v", got, f.set.Problems)
	}

	f.write("defaults.yaml", defaultsOf(`{discovery: {service: s}, route: {fleets: [edge]}, bake: {for: 9000h}}`))
	if set := commit("two"); len(set.Problems) != 1 || !strings.HasPrefix(set.Problems[0].String(), "defaults.yaml:3:") {
		t.Errorf("a bad value: %v", set.Problems)
	}
	f.stands("a", "a", "defaults.yaml:3:", "the last good policy stands")

	f.write("defaults.yaml", defaultsOf(`{baake: {}}`))
	commit("three")
	f.stands("a", "a", "defaults.yaml:3:", "baake")

	f.remove("defaults.yaml")
	f.write("team/a.yaml", model("a", "a"))
	commit("four")
	f.stands("a", "a", "file defaults.yaml, which gave defaults to its folder, is gone")
	if f.model("a").Bake.For != time.Minute {
		t.Error("the last good policy does not stand")
	}

	f.write("other.yaml", defaultsOf(`{}`))
	if set := commit("five"); len(set.Problems) > 0 || f.model("a").Bake.For != 30*time.Minute {
		t.Errorf("after the end of the defaults: %v", set.Problems)
	}
}
