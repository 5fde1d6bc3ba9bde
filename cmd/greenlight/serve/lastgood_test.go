package serve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greenlight/cmd/greenlight/serve"
)

// What was taken out of force on purpose does not come back with a later start: not
// when models may no longer be removed, and not when the files can't be read.
func TestARemovedPolicyStaysRemoved(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	model := func(name, host string) {
		t.Helper()
		write("policies/"+name+".yaml", `apiVersion: greenlight/v1
kind: Model
metadata: {name: `+name+`}
spec:
  discovery: {service: `+name+`}
  route: {fleets: [edge], hosts: [`+host+`]}
`)
	}
	fleet := `apiVersion: greenlight/v1
kind: Fleet
metadata: {name: edge}
spec: {routes: of-edge, listener: {port: 10000}}
`
	write("instances.json", `{"services": []}`)
	write("policies/edge.yaml", fleet)
	model("churn", "scores.example")
	model("fraud", "fraud.example")
	config := serve.Defaults()
	config.Policies, config.Data, config.Registry = filepath.Join(dir, "policies"), filepath.Join(dir, "data"), "file:"+filepath.Join(dir, "instances.json")
	config.XDS, config.Admin, config.HTTP = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	r := run(t, config)
	r.shows(`greenlight_model_phase{model="churn"`, `greenlight_model_phase{model="fraud"`)
	r.stop()

	// Churn goes, and fraud takes its host.
	for _, name := range []string{"churn", "edge"} {
		if err := os.Remove(filepath.Join(dir, "policies", name+".yaml")); err != nil {
			t.Fatal(err)
		}
	}
	model("fraud", "scores.example")
	config.AllowRemoval = true
	r = run(t, config)
	r.shows(`greenlight_model_problem{model="fraud",of="policy"} 0`)
	r.stop()

	config.AllowRemoval = false
	starts := func(how string) {
		t.Helper()
		r := run(t, config)
		r.shows(`greenlight_model_problem{model="fraud",of="policy"}`)
		if page := r.page(); strings.Contains(page, `model="churn"`) {
			t.Errorf("%s: churn is in force again:\n%s", how, page)
		}
		r.stop()
	}
	starts("without allowRemoval")
	if err := os.Rename(config.Policies, config.Policies+".away"); err != nil {
		t.Fatal(err)
	}
	starts("without its files")
}
