package serve_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"greenlight/cmd/greenlight/serve"
)

// A restart says since when the policies are not in force, not since when it runs.
func TestAProblemOfPoliciesOutlivesARestart(t *testing.T) {
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
	const good = "apiVersion: greenlight/v1\nkind: Model\nmetadata: {name: fraud}\nspec: {discovery: {service: fraud}, route: {fleets: [edge]}}\n"
	file := filepath.Join(policies, "fraud.yaml")
	write(file, good)
	write(filepath.Join(dir, "instances.json"), `{"services": []}`)
	config := serve.Defaults()
	config.Policies = policies
	config.Data, config.Registry = filepath.Join(dir, "data"), "file:"+filepath.Join(dir, "instances.json")
	config.XDS, config.Admin, config.HTTP = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	since := regexp.MustCompile(`(?m)^greenlight_policy_problem_start_time_seconds .*$`)

	r := run(t, config)
	r.shows("\ngreenlight_policy_problem 0\n")
	write(file, good+"nonsense: true\n")
	began := since.FindString(r.shows("\ngreenlight_policy_problem 1\n"))
	r.stop()
	r = run(t, config)
	if got := since.FindString(r.shows("\ngreenlight_policy_problem 1\n")); got != began || began == "" {
		t.Errorf("after a restart: %q; before: %q", got, began)
	}
	write(file, good)
	r.shows("\ngreenlight_policy_problem 0\n")
}
