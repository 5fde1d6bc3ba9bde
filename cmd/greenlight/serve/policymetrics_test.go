package serve

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"greenlight/policy"
)

func TestWherePoliciesComeFromIsMeasured(t *testing.T) {
	m := &policyMetrics{}
	s := pages(none, nil, func() []string { return nil }, m)
	if _, body := get(t, s, http.MethodGet, "/metrics"); strings.Contains(body, "greenlight_policy") {
		t.Errorf("before the first reading:\n%s", body)
	}
	m.origin.Store(&policy.Origin{
		Commit: &policy.Commit{ID: "0123456789abcdef0123456789abcdef01234567", Ref: "main"}, Problem: "away", Since: time.UnixMilli(1793534400500),
	})
	_, body := get(t, s, http.MethodGet, "/metrics")
	manual, err := os.ReadFile("../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`greenlight_policy_commit_info{commit="0123456789abcdef0123456789abcdef01234567",ref="main"} 1`,
		"greenlight_policy_problem 1", "greenlight_policy_problem_start_time_seconds 1.7935344005e+09",
	} {
		if !strings.Contains(body, line) {
			t.Errorf("%s is missing in:\n%s", line, body)
		}
	}
	for _, name := range []string{"greenlight_policy_commit_info{commit,ref}", "greenlight_policy_problem", "greenlight_policy_problem_start_time_seconds", "greenlight_policy_fetch_time_seconds"} {
		if !strings.Contains(string(manual), "`"+name+"`") {
			t.Errorf("docs/operating.md lacks %s", name)
		}
	}
	m.origin.Store(&policy.Origin{})
	if _, body := get(t, s, http.MethodGet, "/metrics"); !strings.Contains(body, "greenlight_policy_problem 0") || strings.Contains(body, "commit_info{") {
		t.Errorf("of a folder:\n%s", body)
	}
}
