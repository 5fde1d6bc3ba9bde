package plan

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// unified is the hunks of a unified diff of two JSON texts, without names of files.
// Beside its place in the text a hunk has the name of what it lies in.
func unified(before, after []byte) string {
	out := diff.Diff("", before, "", after)
	if out == nil {
		return ""
	}
	for range 3 { // the names
		_, out, _ = bytes.Cut(out, []byte("\n"))
	}
	text := strings.Split(string(after), "\n")
	var named strings.Builder
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "@@") {
			line = strings.TrimRight(strings.TrimSuffix(line, "\n")+" "+nameAt(text, hunkStart(line)), " ") + "\n"
		}
		named.WriteString(line)
	}
	return named.String()
}

// hunkStart is the line at which a hunk begins in the new text, from 0.
func hunkStart(head string) int {
	var oldStart, oldCount, start int
	if _, err := fmt.Sscanf(head, "@@ -%d,%d +%d,", &oldStart, &oldCount, &start); err != nil {
		return 0
	}
	return max(0, start-1)
}

// outermost is how far the names of virtual hosts and their routes are indented.
const outermost = 6

// nameAt is the name that was last given before a line, as far out as routes are.
func nameAt(text []string, line int) string {
	for i := min(line, len(text)) - 1; i >= 0; i-- {
		line := strings.TrimLeft(text[i], " ")
		if name, is := strings.CutPrefix(line, `"name": `); is && len(text[i])-len(line) <= outermost {
			return strings.Trim(name, `",`)
		}
	}
	return ""
}
