package policy

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// What single nodes of the syntax tree are, and where they stand.

// placeOf is where an entry's value is pointed at: a scalar itself, but the
// key of a mapping or a list.
func placeOf(entry *ast.MappingValueNode, key place) place {
	if isScalar(entry.Value) {
		return startOf(entry.Value)
	}
	return key
}

// startOf is where a value begins. A block mapping's own token is its first
// colon.
func startOf(node ast.Node) place {
	t := node.GetToken()
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	if t == nil || t.Position == nil {
		return place{line: 1, column: 1}
	}
	return place{line: t.Position.Line, column: t.Position.Column}
}

func isScalar(node ast.Node) bool {
	_, ok := scalarText(node)
	return ok
}

// scalarText is a scalar as it is written, without quotes.
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

// inlineText reports whether a text is written on one line and without
// escapes, and how far behind its token it begins.
func inlineText(t *token.Token) (indent int, ok bool) {
	written := strings.TrimSpace(t.Origin)
	switch t.Type {
	case token.StringType:
		return 0, written == t.Value
	case token.SingleQuoteType, token.DoubleQuoteType:
		return 1, len(written) == len(t.Value)+2 && written[1:len(written)-1] == t.Value
	}
	return 0, false
}

func typeName(node ast.Node) string {
	text, _ := scalarText(node)
	switch node.Type() {
	case ast.MappingType, ast.MappingValueType:
		return "a mapping"
	case ast.SequenceType:
		return "a list"
	case ast.BoolType:
		return "the truth value " + text
	case ast.IntegerType, ast.FloatType, ast.InfinityType, ast.NanType:
		return "the number " + short(text)
	default:
		return "the text " + strconv.Quote(short(text))
	}
}

// quoted helps with a name that YAML reads as something else.
func quoted(node ast.Node) string {
	if text, ok := scalarText(node); ok {
		return ", in quotes: " + strconv.Quote(short(text))
	}
	return ""
}

// shown is a path as messages write it: what is in spec needs no prefix.
func shown(path string) string {
	if path == "" {
		return "the document"
	}
	return strings.TrimPrefix(path, "spec.")
}

// peek reads one top-level scalar, or one of a top-level mapping, before
// anything is known of the document; empty if it is not there.
func peek(root ast.Node, path ...string) string {
	mapping, ok := root.(*ast.MappingNode)
	if !ok {
		return ""
	}
	for _, entry := range mapping.Values {
		if entry.Key.GetToken().Value != path[0] {
			continue
		}
		if len(path) > 1 {
			return peek(entry.Value, path[1:]...)
		}
		if text, ok := scalarText(entry.Value); ok && entry.Value.Type() == ast.StringType {
			return text
		}
		return ""
	}
	return ""
}
