package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// widest is the column up to which comments move to stand in one column; beside a
// longer line its comment stands two spaces behind it.
const widest = 64

// YAML is the policy as a document: in the model's place it says the same. Each
// value has a comment on where it comes from.
func (e *Effective) YAML() []byte {
	w := &yamlWriter{}
	w.mapping(e.fields, "", "")
	column := 0
	for _, l := range w.lines {
		if n := utf8.RuneCountInString(l.text); l.comment != "" && n <= widest {
			column = max(column, n)
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# The policy of model %s with every default written out.\n", e.Model.Name)
	if !e.Model.Judge.Asked {
		out.WriteString("# There is no judge: users' traffic stops what is worse, and delays nothing.\n")
	}
	for _, l := range w.lines {
		out.WriteString(l.text)
		if l.comment != "" {
			out.WriteString(strings.Repeat(" ", max(0, column-utf8.RuneCountInString(l.text))) + "  # " + l.comment)
		}
		out.WriteByte('\n')
	}
	return []byte(out.String())
}

type yamlLine struct{ text, comment string }

type yamlWriter struct{ lines []yamlLine }

// mapping writes fields at an indentation. First stands before the first of them:
// the indentation again, or that with the dash of a list's entry.
func (w *yamlWriter) mapping(fields []field, first, rest string) {
	for i, f := range fields {
		margin := rest
		if i == 0 {
			margin = first
		}
		start := margin + yamlKey(f.key) + ":"
		switch {
		case f.plain():
			w.line(start+" "+yamlValue(f.value), f.from)
		case f.items != nil && len(f.items) == 0:
			w.line(start+" []", f.from)
		case f.items != nil:
			w.line(start, "")
			for _, below := range f.items {
				w.mapping(below, rest+"  - ", rest+"    ")
			}
		case len(f.fields) == 0:
			w.line(start+" {}", f.from)
		default:
			w.line(start, "")
			w.mapping(f.fields, rest+"  ", rest+"  ")
		}
	}
}

func (w *yamlWriter) line(text, from string) {
	w.lines = append(w.lines, yamlLine{text, printable(from)})
}

// yamlKey leaves a key such as off as policies write it.
func yamlKey(key string) string {
	if plainWord.MatchString(key) && !slices.Contains([]string{"null", "true", "false"}, strings.ToLower(key)) {
		return key
	}
	return yamlText(key)
}

func yamlValue(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return yamlText(v)
	case json.Number:
		return v.String()
	case []string:
		words := make([]string, len(v))
		for i, text := range v {
			words[i] = yamlText(text)
		}
		return "[" + strings.Join(words, ", ") + "]"
	default:
		return fmt.Sprint(v) // a whole number or a truth value
	}
}

var (
	// plainWord is what YAML takes for text without quotes, also in brackets.
	plainWord = regexp.MustCompile(`^[A-Za-z/<][A-Za-z0-9_./%-]*$`)
	// plainMeasure is a duration or a weight.
	plainMeasure = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(%|ns|us|µs|ms|s|m|h)[0-9a-zµ.]*$`)
	// yamlWords are plain words that YAML readers take for something else.
	yamlWords = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)

// yamlText writes a text so that it is read as that text.
func yamlText(text string) string {
	if (plainWord.MatchString(text) || plainMeasure.MatchString(text)) && !slices.Contains(yamlWords, strings.ToLower(text)) {
		return text
	}
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteString(`\` + string(r))
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\t':
			out.WriteString(`\t`)
		case unicode.IsPrint(r):
			out.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08X`, r)
		default:
			fmt.Fprintf(&out, `\u%04X`, r)
		}
	}
	out.WriteByte('"')
	return out.String()
}
