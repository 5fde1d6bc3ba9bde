package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// play runs the one test with this given and timeline against testdata's plain policy.
func play(t *testing.T, given, timeline string) string {
	t.Helper()
	text := "policies: policies/plain.yaml\ntests:\n  - name: it\n    given: {" + given + "}\n    timeline:\n"
	for line := range strings.SplitSeq(strings.TrimSpace(timeline), "\n") {
		text += "      - {" + strings.TrimSpace(line) + "}\n"
	}
	tests, problems := parse("testdata/it.yaml", []byte(text))
	for _, p := range problems {
		t.Fatalf("%s\n%s", p.Render([]byte(text)), text)
	}
	return tests[0].Run().Text(false)
}

// TestWrongExpectationsFail: each of them is found, with what was expected, what was
// got, when, and what led there.
func TestWrongExpectationsFail(t *testing.T) {
	const started = "at: 1m, command: switch\n"
	for name, c := range map[string]struct {
		given, timeline string
		want            []string
	}{
		"phase": {timeline: started + "at: 2m, expect: {phase: baking}", want: []string{
			"testdata/it.yaml:7: at 2m (09:02:00), expect:", "phase: expected baking", "got holding", "5% to green: validation passed",
		}},
		"live":       {timeline: "at: 0s, expect: {live: green}", want: []string{"live: expected green", "got blue"}},
		"version":    {timeline: "at: 0s, expect: {version: v2}", want: []string{"version: expected v2", "got v1"}},
		"weights":    {timeline: started + "at: 2m, expect: {weights: {green: 50%}}", want: []string{"weights: expected green 50%", "got blue 95%, green 5%"}},
		"mirror":     {timeline: "at: 0s, expect: {mirror: 10%}", want: []string{"mirror: expected 10%", "got 0%"}},
		"no switch":  {timeline: "at: 0s, expect: {outcome: running}", want: []string{"outcome: expected running", "got none"}},
		"outcome":    {timeline: started + "at: 2m, expect: {outcome: succeeded}", want: []string{"outcome: expected succeeded", "got running"}},
		"cause":      {given: "checks: {ready: fail}", timeline: started + "at: 2m, expect: {cause: too slow}", want: []string{`cause: expected what holds "too slow"`, "got check ready failed: as the scenario says"}},
		"expression": {given: "checks: {ready: fail}", timeline: started + "at: 2m, expect: {cause: /^slow/}", want: []string{"cause: expected what matches /^slow/"}},
		"no problem": {given: "registry: {green: 0}", timeline: started + `at: 2m, expect: {problem: ""}`, want: []string{"problem: expected nothing", "got waiting: green has 0 ready endpoints and needs 2"}},
		"a problem":  {timeline: "at: 0s, expect: {problem: stale}", want: []string{`problem: expected what holds "stale"`, "got nothing"}},
		"drift":      {timeline: "at: 0s, expect: {drift: green}", want: []string{"drift: expected", "got nothing"}},
		"judgement":  {timeline: started + "at: 2m, expect: {judgement: worse}", want: []string{"judgement: expected", "got nothing yet"}},
		"reason":     {timeline: started + "at: 2m, expect: {reason: forced}", want: []string{"reason: expected", "got confirmed by 3 nodes"}},
		"actor":      {timeline: started + "at: 2m, expect: {actor: ci}", want: []string{"actor: expected ci", "got tester"}},
		"to":         {timeline: started + "at: 2m, expect: {to: blue}", want: []string{"to: expected blue", "got green"}},
		"returnable": {given: "registry: {blue: 4, green: 4}", timeline: started + "at: 2m, registry: {blue: 0}\nat: 3m, expect: {returnable: true}", want: []string{"returnable: expected true", "got false: blue has 0 ready endpoints"}},
		"transitions": {timeline: started + "at: 2m, expect: {transitions: [preparing, validating, confirming 10%, holding]}", want: []string{
			"expected preparing, validating, confirming 10%, holding", "got preparing, validating, confirming 5%, holding",
		}},
		"too few transitions": {timeline: started + "at: 2m, expect: {transitions: [preparing]}", want: []string{"got preparing, validating 0%, confirming 5%"}},
		"refused":             {timeline: "at: 0s, command: pause", want: []string{"command:", "pause: expected to be taken", "got refused (not-now): no switch is running"}},
		"not refused":         {timeline: "at: 1m, command: switch, expect: {refused: running}", want: []string{"refused: expected", "got nothing"}},
		"eventually": {timeline: started + "at: 2m, eventually: {phase: baking, within: 5m}", want: []string{
			"at 7m (09:07:00), eventually, within 5m:", "phase: expected baking", "got holding",
		}},
		"never":           {timeline: started + "at: 2m, never: {phase: baking}\nat: 20m, expect: {phase: baking}", want: []string{"at 11m2.4s", "never, to the end:", "it was so at 11m2.4s"}},
		"always":          {timeline: started + "at: 2m, always: {weights: {green: 5%}, for: 10m}", want: []string{"at 11m2.2s", "always, for 10m:", "got blue 0%, green 100%"}},
		"policy problem":  {timeline: "at: 0s, expect: {policyProblem: rejected}", want: []string{"policyProblem: expected", "got nothing"}},
		"before nothing":  {timeline: "at: 0s, command: {verb: rollback, before: 1}", want: []string{"there were 0 switches, not 1"}},
		"not there":       {timeline: started + "at: 2m, restart: 1m\nat: 2m10s, command: pause", want: []string{"the control plane is not running"}},
		"nothing retires": {given: "retire: fails", timeline: started + "at: 45m, eventually: {phase: idle, within: 5h}", want: []string{"phase: expected idle", "got retiring"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := play(t, c.given, c.timeline)
			if !strings.HasPrefix(got, "FAIL") {
				t.Errorf("it passed:\n%s", got)
			}
			for _, want := range append(c.want, "what happened:") {
				if !strings.Contains(got, want) {
					t.Errorf("it lacks %q:\n%s", want, got)
				}
			}
		})
	}
}

// TestRightExpectationsPass: the same sentences, as they should be.
func TestRightExpectationsPass(t *testing.T) {
	const started = "at: 1m, command: switch\n"
	for name, c := range map[string]struct{ given, timeline string }{
		"met":            {"", "at: 0s, expect: {phase: idle, live: blue, version: v1, weights: {blue: 100%}, outcome: none, problem: \"\"}"},
		"live already":   {"live: green", "at: 0s, expect: {live: green, weights: {green: 100%}}"},
		"transitions":    {"", started + "at: 2m, expect: {transitions: [preparing, validating, confirming 5%, {phase: holding, weight: 5%, reason: confirmed by 3 nodes}]}"},
		"never":          {"", started + "at: 2m, never: {phase: baking, for: 9m}"},
		"always":         {"", started + "at: 2m, always: {weights: {green: 5%}, for: 9m}"},
		"eventually now": {"", started + "at: 2m, eventually: {phase: holding, within: 0s}"},
		"refused":        {"", "at: 0s, command: pause, expect: {refused: no switch is running}"},
		"restarted":      {"", started + "at: 2m, restart: true, expect: {phase: holding}\nat: 11m3s, expect: {phase: baking, live: green}"},
		"a slow check":   {"checks: {ready: {takes: 1m}}", started + "at: 5m, expect: {outcome: refused, cause: no result within 30s}"},
		"goes back to before a switch": {"", started + "at: 3h, registry: {blue: {ready: 2, version: v3}}\n" +
			"at: 4h, command: switch\nat: 5h, command: {verb: rollback, before: 2}\nat: 5h1m, expect: {live: green, version: v2}"},
		"away": {"nodes: {count: 3, away: 1}", started + "at: 1m1s, expect: {phase: validating}"},
		"none": {"nodes: 0", started + "at: 1m5s, expect: {phase: holding, reason: confirmed by 0 nodes}"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := play(t, c.given, c.timeline); !strings.HasPrefix(got, "ok") {
				t.Error(got)
			}
		})
	}
}

// TestPolicyChanges: the files change while the model is there, and spec.live decides.
func TestPolicyChanges(t *testing.T) {
	dir := t.TempDir()
	const head = "apiVersion: greenlight/v1\nkind: Model\nmetadata: {name: fraud}\nspec:\n  discovery: {service: fraud}\n  route: {fleets: [edge]}\n"
	for name, text := range map[string]string{
		"open": head, "green": head + "  live: green\n", "blue": head + "  live: blue\n",
		"other": strings.Replace(head, "service: fraud", "service: fraud-2", 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, timeline := range map[string]string{
		"a commit is a switch, and its revert goes back": `
			at: 1m, policies: green.yaml
			at: 2m, expect: {phase: baking, live: green, actor: policy, drift: ""}
			at: 10m, policies: open.yaml
			at: 11m, expect: {phase: baking}
			at: 12m, policies: blue.yaml, eventually: {phase: idle, live: blue, outcome: rolled-back, within: 1s}`,
		"a person goes another way": `
			at: 1m, policies: blue.yaml
			at: 2m, command: switch, expect: {refused: says what is live}
			at: 3m, command: {verb: switch, override: true, reason: blue leaks}
			at: 4m, expect: {live: green, drift: overridden by tester}
			at: 3h, expect: {live: green, drift: overridden by tester}`,
		"an Envoy that rejects it has the policy before it put back": `
			at: 1m, nack: impossible route
			at: 2m, policies: green.yaml
			at: 3m, expect: {policyProblem: "impossible route; the one before it stands", live: blue, phase: idle}
			at: 4m, command: switch, eventually: {live: green, within: 5s}`,
		"another discovery is asked anew": `
			at: 1m, command: switch
			at: 2m, policies: other.yaml, expect: {phase: baking, live: green}
			at: 40m, expect: {outcome: succeeded}`,
		"a restart keeps what the fleets have": `
			at: 1m, policies: green.yaml, restart: 10s
			at: 2m, expect: {phase: baking, live: green, actor: policy}`,
	} {
		t.Run(name, func(t *testing.T) {
			text := "policies: open.yaml\ntests:\n  - name: it\n    timeline:\n"
			for line := range strings.SplitSeq(strings.TrimSpace(timeline), "\n") {
				text += "      - {" + strings.TrimSpace(line) + "}\n"
			}
			tests, problems := parse(filepath.Join(dir, "it.yaml"), []byte(text))
			for _, p := range problems {
				t.Fatal(p)
			}
			if r := tests[0].Run(); !r.Passed() {
				t.Error(r.Text(true))
			}
		})
	}
}
