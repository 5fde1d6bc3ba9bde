package cli

import (
	"bytes"
	"fmt"
	"strings"
)

// githubCommands writes a workflow command of GitHub Actions for every problem:
// each becomes an annotation at its line. Paths are relative to here, the
// checkout's root.
func githubCommands(problems []lintProblem, here string) []byte {
	var out bytes.Buffer
	for _, p := range problems {
		properties := []string{"file=" + githubProperty(relativeTo(here, p.File))}
		if p.Line > 0 {
			properties = append(properties, fmt.Sprintf("line=%d", p.Line), fmt.Sprintf("col=%d", p.Column))
		}
		properties = append(properties, "title="+githubProperty(p.Rule))
		fmt.Fprintf(&out, "::%s %s::%s\n", p.Severity, strings.Join(properties, ","), githubText(p.Message))
	}
	return out.Bytes()
}

var (
	githubEscapes  = []string{"%", "%25", "\r", "%0D", "\n", "%0A"}
	githubData     = strings.NewReplacer(githubEscapes...)
	githubInValues = strings.NewReplacer(append(githubEscapes[:len(githubEscapes):len(githubEscapes)], ":", "%3A", ",", "%2C")...)
)

// githubText is text as the message of a command.
func githubText(text string) string { return githubData.Replace(text) }

// githubProperty is text as the value of a property, which "," and ":" would end.
func githubProperty(text string) string { return githubInValues.Replace(text) }
