package report_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"greenlight/report"
	"greenlight/rollout"
)

var update = flag.Bool("update", false, "rewrite the expected pages in testdata")

func write(t testing.TB, a rollout.Assessment) string {
	t.Helper()
	page, err := report.HTML(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// body is a page's body with its pictures replaced by their words: coordinates
// are the drawing library's.
func body(page string) string {
	_, page, _ = strings.Cut(page, "<body>")
	return regexp.MustCompile(`(?s)(</desc>).*?(</svg>)`).ReplaceAllString(page, "$1…$2")
}

func TestPage(t *testing.T) {
	got := body(write(t, sample()))
	const golden = "testdata/sample.html"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page is not %s; look at the difference after go test ./report -update:\n%s", golden, got)
	}
}
