// Package shown makes text fit to be shown to people.
package shown

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Shorten cuts s to at most most runes, and makes it printable: it may have come
// from anywhere.
func Shorten(s string, most int) string {
	// A rune has at most utf8.UTFMax bytes: the rest of a large body is not even looked at.
	s = strings.ToValidUTF8(s[:min(len(s), (most+1)*utf8.UTFMax)], "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
