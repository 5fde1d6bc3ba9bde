package shown_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"greenlight/check/shown"
)

func TestShorten(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "12345": "12345", "123456": "1234…", "äöüßé": "äöüßé", "äöüßéâ": "äöüß…",
		"a\nb\x00c": "a b c", "a\xffb": "a\uFFFDb", strings.Repeat("x", 1<<20): "xxxx…", "\xff\xfe\xfd": "\uFFFD",
	} {
		if got := shown.Shorten(in, 5); got != want {
			t.Errorf("%.20q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestWhateverIsShownIsShortAndPrintable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 50).Draw(t, "most")
		got := shown.Shorten(string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")), most)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > most || strings.ContainsAny(got, "\n\r\t\x00\x1b") {
			t.Fatalf("%q", got)
		}
	})
}
