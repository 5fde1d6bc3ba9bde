package plan

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greenlight/api"
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

const minimal = "apiVersion: greenlight/v1\nkind: Model\nmetadata: {name: fraud}\nspec:\n  discovery: {service: fraud}\n  route: {fleets: [edge]}\n"

// folder writes one policy and answers with the folder.
func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "fraud.yaml"), text)
	return dir
}

// started is a model whose policy's switch to green is in a phase.
func started(t *testing.T, p *policy.Model, phase rollout.Phase) rollout.State {
	t.Helper()
	s := placed(p.Name, policy.Blue)
	s, _ = rollout.Step(s, rollout.Command{Verb: rollout.Start, Actor: rollout.ByPolicy, ByPolicy: true, ID: "s1", Target: policy.Green}, p, clock)
	if s.Switch == nil {
		t.Fatal("no switch has started")
	}
	if phase == rollout.Baking {
		s.Phase, s.Weights = phase, rollout.AllOn(policy.Green)
		s.Switch.Transitions = append(s.Switch.Transitions, rollout.Transition{To: rollout.Confirming, Weights: s.Weights})
		s.Deadline = clock.Add(time.Hour)
	}
	if s.Phase != phase {
		t.Fatalf("the switch is %s", s.Phase)
	}
	return s
}

// What a running switch has to do with a change of the policy.
func TestPlanInTheMiddleOfASwitch(t *testing.T) {
	frozen := "  calendar: {zone: UTC, freeze: [{from: 2026-10-30, to: 2026-11-03, reason: audit}]}\n"
	for name, tt := range map[string]struct {
		before, after string
		phase         rollout.Phase
		does          Does
		says          string
	}{
		"taken back before users met it":  {"  live: green\n", "  live: blue\n", rollout.Validating, Aborts, "the running switch to green (2026-11-01) is aborted"},
		"taken back with all users on it": {"  live: green\n", "  live: blue\n", rollout.Baking, GoesBack, "all users go back to blue (2026-10-01) at once"},
		"kept to its plan":                {"  live: green\n", "  live: green\n  bake: {for: 2h}\n", rollout.Baking, "", "it keeps to the policy that it began with"},
		"let go on":                       {"  live: green\n" + frozen, "  live: green\n", rollout.Waiting, Begins, "that waits for its turn begins at once"},
	} {
		t.Run(name, func(t *testing.T) {
			b := Against(policy.Read(folder(t, minimal+tt.before)), false, clock)
			b.States = map[string]rollout.State{"fraud": started(t, b.Set.Models["fraud"].Model, tt.phase)}
			p := Make(b, policy.Read(folder(t, minimal+tt.after)))
			if len(p.Models) != 1 {
				t.Fatalf("%+v", p)
			}
			does := Does("")
			if sw := p.Models[0].Switch; sw != nil {
				does = sw.Does
			}
			if text := string(p.Text(false, read)); does != tt.does || !strings.Contains(text, tt.says) {
				t.Errorf("%s:\n%s", does, text)
			}
			if weights := len(p.Fleets) > 0; weights != (tt.does == GoesBack) {
				t.Errorf("weights move: %v, %+v", weights, p.Fleets)
			}
		})
	}
}

// A policy that nodes have rejected is not tried again while its file stays, and what
// they run instead is no change.
func TestPlanAfterARejection(t *testing.T) {
	inForce, rejected := policy.Read(folder(t, minimal)).Models()[0], policy.Read(folder(t, minimal+"  live: green\n")).Models()[0]
	b := Basis{At: clock, InForce: map[string]*policy.Model{"fraud": inForce},
		Set: policy.Set{Models: map[string]policy.Entry{"fraud": {Model: rejected}}}}
	for name, tt := range map[string]struct {
		text    string
		changed bool
	}{
		"the file stays":          {minimal + "  live: green\n", false},
		"what nodes run is filed": {minimal, false},
		"the file is another one": {minimal + "  live: {color: green}\n", true},
		"it is something new":     {minimal + "  bake: {for: 3h}\n", true},
	} {
		dir := folder(t, tt.text)
		with := b
		with.Folder, with.Files = filepath.Dir(rejected.Source.File), filepath.Dir(rejected.Source.File)
		if p := Make(with, policy.Read(dir)); p.Changed != tt.changed {
			t.Errorf("%s:\n%s", name, p.Text(false, read))
		}
	}
}

func TestAnotherFormatIsRefused(t *testing.T) {
	_, err := InForce("the server", &adminv1.ListPoliciesResponse{Format: api.PoliciesFormat + 1})
	if err == nil || !strings.Contains(err.Error(), "use the version of greenlight that the server has") {
		t.Error(err)
	}
}

// Diffs that no comment can hold are left out, and named.
func TestMarkdownFitsAComment(t *testing.T) {
	var all strings.Builder
	for range 300 {
		all.WriteString("+ " + strings.Repeat("x", 100) + "\n")
	}
	big := Resource{Type: clusterType, Name: "fraud/blue", Change: Added, Diff: all.String()}
	p := Plan{Changed: true, Fleets: []Fleet{{Fleet: "edge", Resources: []Resource{big, big, big}}}}
	text := string(p.Markdown(read))
	if len(text) > 65_536 || strings.Count(text, "<details>") != 1 || !strings.Contains(text, "Too long for a comment is what changes in cluster fraud/blue") {
		t.Errorf("%d characters, %d diffs:\n%s", len(text), strings.Count(text, "<details>"), text[len(text)-300:])
	}
}

// What others have chosen is text in a comment, and nothing else.
func TestMarkdownHoldsNoMarkupOfOthers(t *testing.T) {
	p := Plan{Changed: true, Folder: "a`b|c", Against: "<b>@all</b>", Models: []Model{{
		Model: "fraud", Change: Changed, Fields: []Field{{Field: "metadata.owners", Old: "[a|b]", New: "<img src=x>", Effect: Figures}},
	}}}
	text := string(p.Markdown(read))
	for _, bad := range []string{"<b>", "<img", "@all", "a`b", "a|b"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q stands in it:\n%s", bad, text)
		}
	}
}

func TestColors(t *testing.T) {
	p := Plan{Changed: true, Models: []Model{{Model: "fraud", Change: Added}}, Fleets: []Fleet{{Fleet: "edge", Resources: []Resource{
		{Type: clusterType, Name: "fraud/blue", Change: Changed, Diff: "@@ -1,1 +1,1 @@\n-a\n+b\n"},
	}}}}
	colored, plain := string(p.Text(true, read)), string(p.Text(false, read))
	for _, want := range []string{green + "+" + reset, cyan + "@@ -1,1 +1,1 @@" + reset, red + "-a" + reset, green + "+b" + reset} {
		if !strings.Contains(colored, want) {
			t.Errorf("%q is missing in %q", want, colored)
		}
	}
	for _, code := range []string{bold, green, red, cyan, reset} {
		colored = strings.ReplaceAll(colored, code, "")
	}
	if colored != plain {
		t.Error("colors change the text")
	}
}

// What the server does not route yet is sent to nobody.
func TestPlanOfWhatIsNotRoutedYet(t *testing.T) {
	b := Against(policy.Read(folder(t, minimal)), false, clock)
	b.States = map[string]rollout.State{"fraud": rollout.New("fraud")}
	p := Make(b, policy.Read(folder(t, strings.Replace(minimal, "[edge]", "[edge], timeout: 5s", 1))))
	if text := string(p.Text(false, read)); !p.Changed || len(p.Fleets) > 0 || !strings.Contains(text, "it is not routed yet") {
		t.Error(text)
	}
}

// What a server answers with is the basis of a plan, whose files are named as here.
func TestWhatAServerSaysIsABasis(t *testing.T) {
	here := folder(t, minimal)
	there := policy.Read(here).Models()[0]
	there.Source.File, there.Source.Hash = "policies/fraud.yaml", "1"
	raw := func(v any) []byte {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	s := placed("fraud", policy.Blue)
	b, err := InForce("the server", &adminv1.ListPoliciesResponse{
		Format: api.PoliciesFormat, Folder: "policies", FilesFolder: "/data/current/policies",
		Origin: &adminv1.PolicyOrigin{Commit: &adminv1.PolicyCommit{Id: "9d1c0f2ab34e5d6f"}, Problem: "connection refused"},
		Models: []*adminv1.ModelInForce{{
			Model: "fraud", Policy: raw(there), Problem: "a node\x1b rejected it", State: raw(s),
			Facts: raw(api.Facts{Endpoints: s.Facts.Endpoints, EndpointsKnown: true, Report: s.Facts.Report, ReportKnown: true}),
		}, {Model: "broken", Problem: "never good"}},
		Fleets: []*adminv1.FleetInForce{{Fleet: "edge", Policy: raw(policy.Fleet{Name: "edge", Routes: "edge", Source: policy.Source{File: "policies/edge.yaml"}}), Connected: 3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(here, "fraud.yaml"), minimal+"  live: green\n")
	p := Make(b, policy.Read(here))
	text := string(p.Text(false, read))
	for _, want := range []string{
		"the server, commit 9d1c0f2ab3", "! now, connection refused", "! now, model fraud: a node  rejected it", "! now, model broken: never good",
		"~ model fraud  " + here + "/fraud.yaml:1  blue 2026-10-01 is live", "a switch to green (2026-11-01) starts",
		"= fleet edge  " + here + "/edge.yaml:0  3 connected nodes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}
