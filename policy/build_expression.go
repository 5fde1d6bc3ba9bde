package policy

import (
	"slices"
	"strings"
)

// writtenExpression is an expression that waits for the figures that it may use.
type writtenExpression struct {
	path  string // of the expression in the document
	check *ExpressionCheck
}

// expression takes the text; compile does the rest.
func (b *builder) expression(path string, raw *string) *ExpressionCheck {
	c := &ExpressionCheck{Text: *raw}
	b.expressions = append(b.expressions, &writtenExpression{path, c})
	return c
}

// compile type-checks the expressions of all lists. One may use the figures of
// its own list, at the steps also those of validate, in the bake also those of
// both: what was measured last of a check of that name.
func (b *builder) compile(validate, steps, bake checkList) {
	for _, e := range b.expressions {
		if b.marks.unread(e.path) {
			continue
		}
		seen := []checkList{validate}
		switch {
		case strings.HasPrefix(e.path, steps.path):
			seen = []checkList{steps, validate}
		case strings.HasPrefix(e.path, bake.path):
			seen = []checkList{bake, steps, validate}
		}
		figures, unclear := figuresOf(seen)
		compiled, faults := compileExpression(e.check.Text, figures)
		for _, f := range faults {
			if f.rule != RuleUnknownFigure || !unclear {
				b.expressionProblem(e, f)
			}
		}
		if compiled != nil {
			e.check.Uses = compiled.Uses()
		}
	}
}

// figuresOf lists the figures of all checks. If an entry has a problem they
// may not be all.
func figuresOf(lists []checkList) (figures []string, unclear bool) {
	named := map[string]bool{}
	for _, list := range lists {
		unclear = unclear || list.unclear
		for _, c := range list.checks {
			if named[c.Name] {
				continue // a check of an earlier list has the name
			}
			named[c.Name] = true
			for _, figure := range c.Figures() {
				figures = append(figures, c.FigureName(figure))
			}
		}
	}
	slices.Sort(figures)
	return slices.Compact(figures), unclear
}

// expressionProblem points into an expression that stands on one line, and
// says where in it otherwise.
func (b *builder) expressionProblem(e *writtenExpression, f expressionFault) {
	indent, inline := b.marks.inline[e.path]
	if !inline || f.line > 1 {
		b.problem(e.path, f.rule, "%s, line %d, column %d: %s", shown(e.path), f.line, f.column, f.says)
		return
	}
	at := b.marks.at(e.path)
	b.problems = append(b.problems, Problem{
		File: at.file, Line: at.line, Column: at.column + indent + f.column - 1, Rule: f.rule,
		Message: shown(e.path) + ": " + f.says,
	})
}
