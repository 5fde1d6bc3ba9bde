package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The limits of one file. They are far above what a policy needs, and low
// enough that the worst file below them is refused within a second or two: the
// parser's time grows with the square of a mapping's size, and its stack with
// the nesting.
const (
	maxFileSize  = 1 << 20
	maxDocuments = 2000
	maxTokens    = 10_000 // per document
	maxDepth     = 32     // of [ and {
	maxColumn    = 200    // of what opens a block
)

const byteOrderMark = "\uFEFF"

// chunk is one YAML document of a file: its root, or the one problem that
// kept it from being parsed.
type chunk struct {
	root    ast.Node
	line    int // of its first key
	hash    string
	problem *Problem
}

// split turns a file into its documents. Every document is parsed on its own:
// a mistake in one leaves the others readable (and go-yaml drops what follows
// an empty one). Problems have no File yet.
func split(content []byte) ([]chunk, *Problem) {
	text, problem := plainText(content)
	if problem != nil {
		return nil, problem
	}
	lines := strings.SplitAfter(text, "\n")
	var chunks []chunk
	for _, group := range documents(lexer.Tokenize(text)) {
		if len(chunks) == maxDocuments {
			return nil, &Problem{Rule: RuleTooLarge, Message: fmt.Sprintf("a file has at most %d documents; split it", maxDocuments)}
		}
		chunks = append(chunks, parseChunk(group, lines))
	}
	return chunks, nil
}

// plainText refuses what is no text, and takes off what has no meaning: the
// byte-order mark and carriage returns at line ends (go-yaml counts a line
// that ends with a comment and CR LF twice).
func plainText(content []byte) (string, *Problem) {
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

// tokens is one document as the lexer sees it, without comments, and where
// its lines end: at the next document's first line, or at 0 for the last one.
type tokens struct {
	list token.Tokens
	end  int
}

// documents groups a file's tokens by document and leaves out empty ones.
func documents(all token.Tokens) []tokens {
	var groups []tokens
	var present token.Tokens
	flush := func(end int) {
		if len(present) > 0 {
			groups = append(groups, tokens{present, end})
		}
		present = nil
	}
	for _, t := range all {
		switch t.Type {
		case token.CommentType:
		case token.DocumentHeaderType, token.DocumentEndType:
			flush(t.Position.Line)
		default:
			present = append(present, t)
		}
	}
	flush(0)
	return groups
}

func parseChunk(group tokens, lines []string) chunk {
	first := group.list[0]
	c := chunk{line: first.Position.Line, hash: hashLines(lines, first.Position.Line, group.end)}
	if c.problem = refuse(group.list); c.problem != nil {
		return c
	}
	c.root, c.problem = parse(group.list)
	return c
}

// hashLines is the SHA-256 of the lines from first up to, not including, end.
func hashLines(lines []string, first, end int) string {
	if end == 0 || end > len(lines) {
		end = len(lines) + 1
	}
	first = min(max(first, 1), end)
	sum := sha256.Sum256([]byte(strings.Join(lines[first-1:end-1], "")))
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
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
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
