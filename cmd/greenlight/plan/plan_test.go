package plan

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"greenlight/policy"
	"greenlight/rollout"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

var clock = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// Each archive in testdata has the files before and after a change. Its comment says
// with what the plan is made: "server" knows where the models stand, "allow-removal"
// lets models go.
func TestPlans(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".txtar")
		t.Run(name, func(t *testing.T) {
			want := func(ending string) string { return filepath.Join(here, "testdata", name+ending) }
			p := planOf(t, filepath.Join(here, archive))
			compareFile(t, want(".txt"), p.Text(false, read))
			compareFile(t, want(".md"), p.Markdown(read))
			compareFile(t, want(".json"), encoded(t, p))
		})
	}
}

func read(file string) []byte {
	text, _ := os.ReadFile(file)
	return text
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func compareFile(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got:\n%s", filepath.Base(file), got)
	}
}

func planOf(t *testing.T, archive string) Plan {
	t.Helper()
	b, r := parted(t, archive)
	return Make(b, r)
}

// parted is an archive's basis and reading, in a folder of their own.
func parted(t *testing.T, archive string) (Basis, policy.Reading) {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, f := range a.Files {
		write(t, f.Name, string(f.Data))
	}
	options := string(a.Comment)
	b := Against(policy.Read("before"), strings.Contains(options, "allow-removal"), clock)
	if strings.Contains(options, "server") {
		known(&b)
	}
	return b, policy.Read("after")
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// known gives every model of b a standing: blue is live, green is ready.
func known(b *Basis) {
	b.Name, b.Nodes, b.States = "the server at greenlight.internal:18001", map[string]int{"edge": 3}, map[string]rollout.State{}
	for name := range b.Set.Models {
		b.States[name] = placed(name, policy.Blue)
	}
}

func placed(name string, live policy.Color) rollout.State {
	s := rollout.New(name)
	s.Live, s.Weights, s.Generation, s.Since = live, rollout.AllOn(live), 7, clock.Add(-time.Hour)
	s.Facts = rollout.Facts{
		EndpointsKnown: true, ReportKnown: true,
		Endpoints: rollout.EndpointSet{
			Blue:  []rollout.Endpoint{{ID: name + "-b1", Address: "10.0.0.1", Port: 8080, Weight: 1, Version: "2026-10-01"}},
			Green: []rollout.Endpoint{{ID: name + "-g1", Address: "10.0.0.2", Port: 8080, Weight: 1, Version: "2026-11-01"}},
		},
		Report: rollout.Report{Generation: 7, Settled: true, Connected: 3, Acked: 3},
	}
	return s
}
