package serve

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestGroups(t *testing.T) {
	file := filepath.Join(t.TempDir(), "groups.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("risk: [ann, Bob]\nops: [bob]\n")
	for person, want := range map[string][]string{"ann": {"risk"}, "bob": {"ops", "risk"}, "eve": nil} {
		if got, err := groupsOf(file, person); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", person, got, err)
		}
	}
	if got, err := groupsOf(file, "Risk"); err == nil {
		t.Errorf("whoever has the name of a group passes for all of it: %v", got)
	}
	write("risk: []\n")
	if got, err := groupsOf(file, "ann"); err != nil || len(got) > 0 {
		t.Errorf("who left is still in: %v, %v", got, err)
	}
	write("")
	if got, err := groupsOf(file, "ann"); err != nil || len(got) > 0 {
		t.Errorf("an empty file: %v, %v", got, err)
	}
	for _, broken := range []string{"risk: ann\n", "- risk\n", "risk: [a]\nrisk: [b]\n", strings.Repeat("#", maxGroups+1)} {
		write(broken)
		if _, err := groupsOf(file, "ann"); err == nil || !strings.Contains(err.Error(), "groups.yaml") {
			t.Errorf("%.20q: %v", broken, err)
		}
	}
	if _, err := groupsOf("/nowhere.yaml", "ann"); err == nil {
		t.Error("a missing file has groups")
	}
	if got, err := groupsOf("", "ann"); err != nil || got != nil {
		t.Errorf("without a file: %v, %v", got, err)
	}
}
