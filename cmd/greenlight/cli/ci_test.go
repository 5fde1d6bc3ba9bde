package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/testscript"
)

const pipelines = "../../../examples/ci"

// The example pipelines do what they say: their own steps are run, in a repository of
// policies, against a good change and a broken one. What needs the service that they are
// for is left out: installing, commenting, uploading.
func TestPipelines(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/ci",
		Setup: func(env *testscript.Env) error {
			for name, value := range map[string]string{
				"HOME": env.WorkDir, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
				"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org", "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.org",
				"RUNNER_TEMP": filepath.Join(env.WorkDir, "runner"), "GITHUB_STEP_SUMMARY": filepath.Join(env.WorkDir, "summary.md"),
			} {
				env.Setenv(name, value)
			}
			return writeSteps(env.WorkDir)
		},
	})
}

// writeSteps puts the steps of all pipelines into dir/steps.
func writeSteps(dir string) error {
	hook, err := os.ReadFile(filepath.Join(pipelines, "pre-commit"))
	if err != nil {
		return err
	}
	steps := map[string]string{"hook": string(hook)}
	var github struct {
		Jobs map[string]struct {
			Steps []struct{ Name, Run string }
		}
	}
	var gitlab map[string]struct{ Script []string }
	for file, into := range map[string]any{"github-actions.yaml": &github, "gitlab-ci.yaml": &gitlab} {
		raw, err := os.ReadFile(filepath.Join(pipelines, file))
		if err != nil {
			return err
		}
		if err := yaml.Unmarshal(raw, into); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, s := range github.Jobs["policies"].Steps {
		if s.Run != "" {
			steps["github-"+s.Name] = s.Run
		}
	}
	steps["gitlab"] = strings.Join(gitlab["policies"].Script, "\n")
	if err := os.MkdirAll(filepath.Join(dir, "steps"), 0o755); err != nil {
		return err
	}
	for name, text := range steps {
		if err := os.WriteFile(filepath.Join(dir, "steps", name), []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}
