package serve_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"greenlight/cmd/greenlight/serve"
	"greenlight/store"
)

// What was removed must not come back by the last good policies of a later start.
func TestWhatWasRemovedIsNotKeptForTheNextStart(t *testing.T) {
	dir := t.TempDir()
	policies := filepath.Join(dir, "policies")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	model := func(name string) {
		write(filepath.Join(policies, name+".yaml"), `apiVersion: greenlight/v1
kind: Model
metadata: {name: `+name+`}
spec: {discovery: {service: `+name+`}, route: {fleets: [edge]}}
`)
	}
	fleet := filepath.Join(policies, "fleet.yaml")
	model("fraud")
	model("churn")
	write(fleet, "apiVersion: greenlight/v1\nkind: Fleet\nmetadata: {name: edge}\nspec: {routes: edge}\n")
	write(filepath.Join(dir, "instances.json"), `{"services": []}`)
	config := serve.Defaults()
	config.Policies, config.AllowRemoval = policies, true
	config.Data, config.Registry = filepath.Join(dir, "data"), "file:"+filepath.Join(dir, "instances.json")
	config.XDS, config.Admin, config.HTTP = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	kept := func() (models, fleets []string) {
		t.Helper()
		s, err := store.Open(filepath.Join(config.Data, "journal.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		m, err := s.Policies()
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.FleetPolicies()
		if err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(maps.Keys(m)), slices.Sorted(maps.Keys(f))
	}

	r := run(t, config)
	r.shows(`model="fraud"`, `model="churn"`)
	r.stop()
	if models, fleets := kept(); !slices.Equal(models, []string{"churn", "fraud"}) || !slices.Equal(fleets, []string{"edge"}) {
		t.Fatalf("kept: models %q, fleets %q", models, fleets)
	}

	r = run(t, config)
	r.shows(`model="fraud"`, `model="churn"`)
	for _, gone := range []string{fleet, filepath.Join(policies, "fraud.yaml")} {
		if err := os.Remove(gone); err != nil {
			t.Fatal(err)
		}
	}
	r.hides(`model="fraud"`)
	r.stop()
	if models, fleets := kept(); !slices.Equal(models, []string{"churn"}) || len(fleets) > 0 {
		t.Errorf("kept after the removal: models %q, fleets %q", models, fleets)
	}
}
