package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The limits of one file and of each document in it. They are far above what
// a policy needs, and low enough that the worst file below them is refused
// within some seconds: go-yaml's time grows with the square of a mapping's
// size, and of the tabs and blank lines in a text; its stack grows with the
// nesting.
const (
	maxFileSize     = 1 << 20
	maxDocuments    = 2000
	maxDocumentSize = 64 << 10
	maxBlankLines   = 500
	maxTabs         = 200
	maxTokens       = 10_000
	maxDepth        = 32  // of [ and {
	maxColumn       = 200 // of what opens a block
)

const byteOrderMark = "\uFEFF"

// chunk is one YAML document of a file: its root, or the one problem that
// kept it from being parsed.
type chunk struct {
	root    ast.Node
	line    int // of its first key
	hash    string
	problem *Problem
	// defaults: it has a line that says kind: Defaults, which tells what a document
	// is that could not be parsed.
	defaults bool
}

// split turns a file into its documents. Each is read on its own: a mistake in
// one leaves the others readable (and go-yaml drops what follows an empty one).
// Problems have no File yet.
func split(content []byte) ([]chunk, *Problem) {
	text, problem := plainText(content)
	if problem != nil {
		return nil, problem
	}
	var chunks []chunk
	for _, s := range sections(text) {
		c, empty := s.parse()
		if empty {
			continue
		}
		if len(chunks) == maxDocuments {
			return nil, &Problem{Rule: RuleTooLarge, Message: fmt.Sprintf("a file has at most %d documents; split it", maxDocuments)}
		}
		chunks = append(chunks, c)
	}
	return chunks, nil
}

// plainText refuses what is no text, and takes off what has no meaning: the
// byte-order mark and carriage returns at line ends (go-yaml counts a line
// that ends with a comment and CR LF twice).
func plainText(content []byte) (string, *Problem) {
	if isLFSPointer(content) {
		return "", &Problem{Rule: RuleLFSPointer, Message: "the file is " + lfsAdvice}
	}
	if len(content) > maxFileSize {
		return "", &Problem{Rule: RuleTooLarge, Message: fmt.Sprintf("the file has %d bytes; a policy file has at most %d", len(content), maxFileSize)}
	}
	text := strings.TrimPrefix(string(content), byteOrderMark)
	text = strings.ReplaceAll(text, "\r\n", "\n")
	line, column := 1, 1
	for i, r := range text {
		if says := junk(text[i:], r); says != "" {
			return "", &Problem{Line: line, Column: column, Rule: RuleNotText, Message: says + "; a policy file is UTF-8 text"}
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return text, nil
}

// junk says what is wrong with the character r at the beginning of rest.
func junk(rest string, r rune) string {
	switch {
	case r == utf8.RuneError && !strings.HasPrefix(rest, string(utf8.RuneError)):
		return fmt.Sprintf("byte 0x%02x is not UTF-8", rest[0])
	case r == '\n' || r == '\t':
		return ""
	case r < ' ' || (r >= 0x7f && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069):
		return fmt.Sprintf("control character U+%04X", r)
	case r == '\uFEFF' || r == '\u2028' || r == '\u2029':
		return fmt.Sprintf("invisible character U+%04X", r)
	}
	return ""
}

// section is the text of one document, from its --- on, and the number of
// lines before it.
type section struct {
	text   string
	before int
}

// sections divides a file at the lines that begin or end a document. Such a
// line is one wherever it stands: YAML allows it in no text.
func sections(text string) []section {
	var all []section
	start, before, line := 0, 0, 0
	for at := 0; at < len(text); line++ {
		end := at + len(text[at:])
		if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if isMarker(text[at:end]) && at > start {
			all = append(all, section{text[start:at], before})
			start, before = at, line
		}
		at = end
	}
	return append(all, section{text[start:], before})
}

func isMarker(line string) bool {
	rest, begins := strings.CutPrefix(line, "---")
	if !begins {
		rest, begins = strings.CutPrefix(line, "...")
	}
	return begins && (rest == "" || strings.ContainsAny(rest[:1], " \t\n"))
}

// parse reads one document; empty says that it has nothing but comments.
func (s section) parse() (c chunk, empty bool) {
	c.line, c.defaults = s.before+1, defaultsLine.MatchString(s.text)
	if c.problem = s.tooLarge(); c.problem != nil {
		return c, false
	}
	list := s.tokens()
	if len(list) == 0 {
		return c, true
	}
	first := list[0].Position.Line
	c.line, c.hash = first, hashFrom(s.text, first-s.before)
	if c.problem = refuse(list); c.problem == nil {
		c.root, c.problem = parse(list)
	}
	return c, false
}

func (s section) tooLarge() *Problem {
	says := ""
	switch {
	case len(s.text) > maxDocumentSize:
		says = fmt.Sprintf("has %d bytes; at most %d", len(s.text), maxDocumentSize)
	case strings.Count(s.text, "\t") > maxTabs:
		says = fmt.Sprintf("has more than %d tabs; indent with spaces", maxTabs)
	case blankLines(s.text) > maxBlankLines:
		says = fmt.Sprintf("has more than %d blank lines; remove some", maxBlankLines)
	default:
		return nil
	}
	return &Problem{Line: s.before + 1, Column: 1, Rule: RuleTooLarge, Message: "the document that begins here " + says}
}

func blankLines(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			n++
		}
	}
	return n
}

// defaultsLine tells a Defaults document that can't be parsed.
var defaultsLine = regexp.MustCompile(`(?m)(?:^|[{,])\s*["']?kind["']?:\s*["']?Defaults\b`)

// tokens is the document as the lexer sees it, without comments and markers,
// with lines counted from the beginning of the file.
func (s section) tokens() token.Tokens {
	var list token.Tokens
	for _, t := range lexer.Tokenize(s.text) {
		switch t.Type {
		case token.CommentType, token.DocumentHeaderType, token.DocumentEndType:
		default:
			t.Position.Line += s.before
			list = append(list, t)
		}
	}
	return list
}

// hashFrom is the SHA-256 of text from a line on: comments before the first
// key do not count.
func hashFrom(text string, line int) string {
	for ; line > 1; line-- {
		_, text, _ = strings.Cut(text, "\n")
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// refuse finds what policies do without: aliases (a few lines can stand for
// gigabytes), tags, directives, and nesting that no policy has.
func refuse(list token.Tokens) *Problem {
	if len(list) > maxTokens {
		return problemAt(list[maxTokens], RuleTooLarge, "the document is too large (more than %d words and signs); split it", maxTokens)
	}
	depth := 0
	for _, t := range list {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return problemAt(t, RuleNoAliases, "anchors, aliases and merge keys are refused; write the values out")
		case token.TagType:
			return problemAt(t, RuleNoTags, "tags are refused; remove %s", short(t.Value))
		case token.DirectiveType:
			return problemAt(t, RuleSyntax, "directives are refused; remove the line that begins with %%")
		case token.InvalidType:
			return problemAt(t, RuleSyntax, "%s", firstLine(t.Error))
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType:
			if depth <= 0 && t.Position.Column > maxColumn {
				return problemAt(t, RuleTooDeep, "a key or list entry begins beyond column %d; no policy is nested that deep", maxColumn)
			}
		}
		if depth > maxDepth {
			return problemAt(t, RuleTooDeep, "more than %d brackets are open; no policy is nested that deep", maxDepth)
		}
	}
	return nil
}

// parse calls go-yaml. A file must not be able to end the process, so a panic
// of the parser becomes a problem of the file.
func parse(list token.Tokens) (root ast.Node, problem *Problem) {
	defer func() {
		if recover() != nil {
			root, problem = nil, problemAt(list[0], RuleSyntax, "the document that begins here is not YAML that can be read")
		}
	}()
	file, err := parser.Parse(list, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxProblem(err, list[0])
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, problemAt(list[0], RuleSyntax, "the document that begins here is not one YAML value")
	}
	return file.Docs[0].Body, nil
}

// syntaxProblem takes place and message from the parser's error.
func syntaxProblem(err error, first *token.Token) *Problem {
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok && syntax.Token != nil {
		return problemAt(syntax.Token, RuleSyntax, "%s", syntax.Message)
	}
	return problemAt(first, RuleSyntax, "%s", firstLine(err.Error()))
}

func problemAt(t *token.Token, rule, format string, args ...any) *Problem {
	return &Problem{Line: t.Position.Line, Column: t.Position.Column, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// short is a value as messages quote it: on one line and not endless.
func short(value string) string {
	const most = 60
	value = strings.Join(strings.Fields(value), " ")
	if value == "" {
		return `""`
	}
	if utf8.RuneCountInString(value) <= most {
		return value
	}
	return string([]rune(value)[:most]) + "…"
}
