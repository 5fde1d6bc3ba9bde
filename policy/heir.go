package policy

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// heir is what the binder of a document knows of inheritance.
type heir struct {
	// files names the file of each inherited entry; what is in its value comes from
	// there, too, unless an entry in it says otherwise. Other entries are the
	// document's own.
	files map[*ast.MappingValueNode]string
	// model is the name that ${model} stands for in inherited texts.
	model string
	// gives is set for a Defaults document itself, whose placeholders are checked.
	gives bool
}

// enter follows an entry into the file that it comes from. It answers with
// where the binder was before.
func (b *binder) enter(entry *ast.MappingValueNode) (before string) {
	before = b.file
	if b.heir == nil {
		return before
	}
	if file, inherited := b.heir.files[entry]; inherited {
		b.file = file
	}
	return before
}

// here is a place in the file at hand.
func (b *binder) here(at place) place {
	at.file = b.file
	return at
}

// problem is a broken rule at the place.
func (p place) problem(rule, format string, args ...any) Problem {
	return Problem{File: p.file, Line: p.line, Column: p.column, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// takesBack reports whether an entry is a null that takes an inherited value
// back. It is one where documents are merged key by key, in spec and outside of
// lists, and only if the word is written: a key whose value was forgotten is not.
func (b *binder) takesBack(entry *ast.MappingValueNode, path string) bool {
	return b.heir != nil && b.lists == 0 && strings.HasPrefix(path, "spec.") && isNull(entry)
}

func isNull(entry *ast.MappingValueNode) bool {
	t := entry.Value.GetToken()
	return entry.Value.Type() == ast.NullType && t.Type == token.NullType && t.Value == "null"
}

// fill puts the model's name into an inherited text. In a Defaults document it
// checks the placeholders.
func (b *binder) fill(text, path string) string {
	switch {
	case b.heir == nil || ownPlaceholders(path):
	case b.heir.gives:
		if says := modelTextFault(text); says != "" {
			b.breaks(path, RuleTemplate, "%s: %s", shown(path), says)
		}
	case b.file != "":
		return fillModel(text, b.heir.model)
	}
	return text
}
