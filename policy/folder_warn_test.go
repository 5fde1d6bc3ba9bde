package policy

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// A server is told of a warning when it comes, and not again.
func TestFolderLogsWarningsOnce(t *testing.T) {
	var logged bytes.Buffer
	w := &folderWatch{Folder: NewFolder("policies", false, slog.New(slog.NewTextHandler(&logged, nil)))}
	warned := Set{Warnings: []Problem{{File: "churn.yaml", Line: 7, Column: 3, Rule: RuleBakeUnwatched, Message: "too short", Model: "churn"}}}
	w.tell(warned)
	w.set = warned
	w.tell(warned)
	if got := strings.Count(logged.String(), `msg="policy warning" file=churn.yaml:7:3 rule=bake-unwatched warning="too short" model=churn`); got != 1 {
		t.Errorf("logged %d times:\n%s", got, logged.String())
	}
}
