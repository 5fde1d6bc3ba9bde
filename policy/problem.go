package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong with a policy file, or doubtful about it: see
// Severity. Every error keeps the document that it stands in from being used.
type Problem struct {
	File string `json:"file"`
	// Line and Column count from 1; both are 0 when the problem has no place in
	// the file (the file is missing, too large, not text).
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Rule is the stable name of the rule that is broken; see the Rule constants.
	Rule    string `json:"rule"`
	Message string `json:"message"`
	// Model and Fleet name whose policy it is, as far as the file tells.
	Model string `json:"model,omitempty"`
	Fleet string `json:"fleet,omitempty"`

	// inherited: the place is not in the model's own file, and other models may
	// have the same problem.
	inherited bool
}

// String gives "file:line:column: message [rule]", with "warning: " before the
// message of a warning, on one line whatever the file's name holds.
func (p Problem) String() string {
	kind := ""
	if p.Severity() == SeverityWarning {
		kind = "warning: "
	}
	return printable(fmt.Sprintf("%s: %s%s [%s]", p.place(), kind, p.Message, p.Rule))
}

// place is the clickable part: the file, and line and column if there are any.
func (p Problem) place() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Render gives String and, below it, the line of source that the problem
// stands in with a caret under its column. Source is the whole file; if that
// line is not in it, or too long to be read, the answer is String alone.
func (p Problem) Render(source []byte) string {
	lines := strings.Split(string(source), "\n")
	if p.Line < 1 || p.Line > len(lines) || !utf8.ValidString(lines[p.Line-1]) {
		return p.String()
	}
	line := strings.TrimRight(strings.TrimPrefix(lines[p.Line-1], byteOrderMark), "\r")
	if len(line) > maxShown {
		return p.String()
	}
	number := fmt.Sprintf("%5d | ", p.Line)
	margin := strings.Repeat(" ", len(number)-2) + "| "
	return fmt.Sprintf("%s\n%s%s\n%s%s^", p, number, printable(line), margin, indent(line, p.Column-1))
}

// maxShown is the longest line that Render shows; a longer one wraps, and the
// caret is of no use below it.
const maxShown = 300

// indent is as wide as the first n characters of line: tabs stay tabs.
func indent(line string, n int) string {
	var b strings.Builder
	for _, r := range line {
		if n--; n < 0 {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// printable replaces what would move a terminal's cursor.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0) {
			return utf8.RuneError
		}
		return r
	}, line)
}

// sortProblems orders by place and drops exact repetitions.
func sortProblems(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message),
			cmp.Compare(a.Model+" "+a.Fleet, b.Model+" "+b.Fleet),
		)
	})
	return slices.Compact(problems)
}
