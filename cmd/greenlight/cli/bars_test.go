package cli

import (
	"strings"
	"testing"

	"greenlight/api/adminv1"
)

func TestBarsShowEachCheckAndItsResult(t *testing.T) {
	var out strings.Builder
	b := newDrawnBars(&out)
	b.show(&adminv1.CheckProgress{Check: "quality\x1b[2J", Done: 1})
	b.show(&adminv1.CheckProgress{Check: "quality\x1b[2J", Done: 3, Total: 20})
	b.show(&adminv1.CheckProgress{Check: "ready", Done: 2, Total: 2, Result: adminv1.Result_RESULT_PASS})
	b.show(&adminv1.CheckProgress{Check: "errors", Result: adminv1.Result_RESULT_INCONCLUSIVE})
	b.end()
	shown := out.String()
	for _, want := range []string{"quality [2J", "3/20", "ready", "2/2", "pass", "errors", "inconclusive"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the bars don't show %q:\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "\x1b[2J") {
		t.Errorf("a check's name reached the terminal unclean:\n%q", shown)
	}
}
