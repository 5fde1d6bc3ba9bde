package reconcile

import (
	"regexp"
	"strings"
)

// wording is a problem without the figures in it. Some are counted anew with every
// report of users' requests, which makes no new problem of them. Names, addresses
// and times stay.
func wording(problem string) string {
	words := strings.Fields(problem)
	for i, w := range words {
		if counted.MatchString(w) {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

// counted is a number as problems write it: "37", "0.5%", "12.3ms,", "1m30s".
var counted = regexp.MustCompile(`^\(?[0-9]+(\.[0-9]+)?([a-zµ]+[0-9]*)*%?[,;:)]*$`)
