package git

import (
	"path/filepath"
	"testing"
)

// Policies are named as the repository names them, and name the files that they use by
// the checkout in force.
func TestNamed(t *testing.T) {
	for path, want := range map[string][2]string{
		"":                  {".", "/data/current"},
		"policies/":         {"policies", "/data/current/policies"},
		"ml/./policies/all": {"ml/policies/all", "/data/current/ml/policies/all"},
	} {
		s, err := New(Options{URL: "/srv/policies.git", Folder: "/data", Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if named, files := s.Named(); named != want[0] || files != filepath.FromSlash(want[1]) {
			t.Errorf("%q: %q, %q", path, named, files)
		}
	}
}
