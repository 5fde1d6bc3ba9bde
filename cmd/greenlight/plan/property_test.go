package plan

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greenlight/policy"
	"greenlight/rollout"
)

// Once what a plan says is in force, another plan of the same files changes nothing;
// and what is in force then is what the plan foretold, step by step.
func TestAPlanThatWasAppliedChangesNothing(t *testing.T) {
	root := t.TempDir()
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		before, after := filepath.Join(root, fmt.Sprint(runs, "-before")), filepath.Join(root, fmt.Sprint(runs, "-after"))
		drawFolder(r, before)
		drawFolder(r, after)
		b := Against(policy.Read(before), rapid.Bool().Draw(r, "allow removal"), clock)
		if rapid.Bool().Draw(r, "server") {
			known(&b)
		}
		b = throughJSON(r, b)
		p := Make(b, policy.Read(after))
		if len(p.Problems) > 0 {
			if p.Changed || len(p.Models)+len(p.Fleets) > 0 {
				r.Fatalf("broken files change something: %+v", p)
			}
			return
		}
		again := Make(applied(r, b, p, after), policy.Read(after))
		if again.Changed || len(again.Problems) > 0 {
			r.Fatalf("planned again:\n%s\nat first:\n%s", again.Text(false, read), p.Text(false, read))
		}
		for _, f := range again.Fleets {
			if f.Change != Kept {
				r.Fatalf("planned again: %+v", f)
			}
		}
	})
}

// applied puts files in force as the server does: each changed policy is an event of
// its model. What the fleets are told then must be what the plan compared.
func applied(r *rapid.T, b Basis, p Plan, folder string) Basis {
	b = b.in(folder)
	next, _ := Next(b, policy.Read(folder))
	_, after := sides(b, policy.Read(folder))
	states := map[string]rollout.State{}
	for name, e := range next.Models {
		s, known := b.States[name]
		was := b.inForce(name)
		if !known || was == nil {
			continue
		}
		if e.Model != was && e.Model.Source.Hash != was.Source.Hash {
			if !reflect.DeepEqual(was.Discovery, e.Model.Discovery) {
				s, _ = rollout.Step(s, rollout.Rediscovering{}, e.Model, b.At)
			}
			s, _ = rollout.Step(s, rollout.PolicyChanged{}, e.Model, b.At)
		}
		if planned := after.models[name]; planned.Weights != s.Weights || planned.Live != s.Routing(e.Model).Live {
			r.Fatalf("%s: planned %+v, came %+v", name, planned, s)
		}
		states[name] = s
	}
	if b.States != nil {
		b.States = states
	}
	b.Set = next
	return throughJSON(r, b)
}

// throughJSON gives b's policies as a server tells them.
func throughJSON(r interface{ Fatalf(string, ...any) }, b Basis) Basis {
	set := policy.Set{Models: map[string]policy.Entry{}, Fleets: map[string]policy.FleetEntry{}}
	through := func(from, to any) {
		raw, err := json.Marshal(from)
		if err == nil {
			err = json.Unmarshal(raw, to)
		}
		if err != nil {
			r.Fatalf("%v", err)
		}
	}
	for name, e := range b.Set.Models {
		if e.Model != nil {
			m := &policy.Model{}
			through(e.Model, m)
			set.Models[name] = policy.Entry{Model: m}
		}
	}
	for name, e := range b.Set.Fleets {
		if e.Fleet != nil {
			f := &policy.Fleet{}
			through(e.Fleet, f)
			set.Fleets[name] = policy.FleetEntry{Fleet: f}
		}
	}
	b.Set = set
	return b
}

func drawFolder(r *rapid.T, folder string) {
	pick := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(r, what) }
	if err := os.MkdirAll(folder, 0o755); err != nil {
		r.Fatalf("%v", err)
	}
	file := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			r.Fatalf("%v", err)
		}
	}
	file("empty.yaml", "")
	file("cases.jsonl", "{}\n")
	for i := range 4 {
		name := fmt.Sprintf("m%d", i)
		if pick("there "+name, "yes", "yes", "yes", "no") == "no" {
			continue
		}
		prefix := pick("prefix", "/"+name, "/"+name, "/")
		text := fmt.Sprintf("apiVersion: greenlight/v1\nkind: Model\nmetadata: {name: %s}\nspec:\n", name)
		text += "  discovery: {service: " + pick("service", name, name, "other") + "}\n"
		text += fmt.Sprintf("  route: {fleets: [%s], hosts: [%s], prefix: %s%s}\n",
			pick("fleets", "edge", "apps", "edge, apps"), pick("hosts", "h0", "h1", "h0, h1", `"*.h"`), prefix, pick("route", "", ", timeout: 5s", ", preview: {off: true}", ", retries: {attempts: 5}"))
		text += pick("live", "", "", "  live: blue\n", "  live: green\n", `  live: {version: "2026-11-01"}`+"\n", `  live: {version: "3"}`+"\n")
		text += pick("bake", "", "  bake: {for: 1h}\n")
		text += pick("checks", "", "  validate: [{golden: {file: cases.jsonl}}]\n", "  validate: [{ready: {path: /ready}}]\n")
		if rapid.IntRange(0, 20).Draw(r, "mistake") == 0 {
			text = strings.Replace(text, "spec", "spce", 1)
		}
		file(name+".yaml", text)
	}
	if spec := pick("edge", "", "{}", "{listener: {port: 8080}}", "{listener: {port: 9090}}", "{routes: main}"); spec != "" {
		file("edge.yaml", "apiVersion: greenlight/v1\nkind: Fleet\nmetadata: {name: edge}\nspec: "+spec+"\n")
	}
}
