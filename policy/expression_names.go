package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// reference is a name as an expression writes it.
type reference struct {
	name         string
	line, column int
}

// references lists every name in the order of the text: "a.b.c" is one.
func references(env *cel.Env, tree *ast.AST) []reference {
	var found []reference
	add := func(e ast.Expr, name string) {
		at := tree.SourceInfo().GetStartLocation(startID(e))
		found = append(found, reference{name, at.Line(), at.Column() + 1})
	}
	inner := map[int64]bool{} // parts of a name that is known already
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if inner[e.ID()] {
			if e.Kind() == ast.SelectKind {
				inner[e.AsSelect().Operand().ID()] = true
			}
			return
		}
		switch e.Kind() {
		case ast.CallKind:
			call := e.AsCall()
			if !call.IsMemberFunction() {
				return
			}
			if space, ok := dotted(call.Target()); ok && env.HasFunction(space+"."+call.FunctionName()) {
				inner[call.Target().ID()] = true // math in math.abs(x)
			}
		case ast.IdentKind, ast.SelectKind:
			if name, ok := dotted(e); ok {
				add(e, name)
				if e.Kind() == ast.SelectKind {
					inner[e.AsSelect().Operand().ID()] = true
				}
			}
		}
	}))
	slices.SortStableFunc(found, func(a, b reference) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.column - b.column
	})
	return found
}

// dotted gives "a.b.c" for a chain of selections from an identifier.
func dotted(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), true
	case ast.SelectKind:
		name, ok := dotted(e.AsSelect().Operand())
		return name + "." + e.AsSelect().FieldName(), ok
	}
	return "", false
}

// startID is the identifier that a chain of selections begins with.
func startID(e ast.Expr) int64 {
	for e.Kind() == ast.SelectKind {
		e = e.AsSelect().Operand()
	}
	return e.ID()
}

func unknownFigures(names []reference, figures []string) []expressionFault {
	var faults []expressionFault
	for _, r := range names {
		if !slices.Contains(figures, r.name) {
			faults = append(faults, expressionFault{r.line, r.column, RuleUnknownFigure, unknownFigure(r.name, figures)})
		}
	}
	return faults
}

// unknownFigure says what there is instead of a figure.
func unknownFigure(name string, figures []string) string {
	check, _, _ := strings.Cut(name, ".")
	var checks, given []string
	for _, f := range figures {
		prefix, figure, _ := strings.Cut(f, ".")
		if !slices.Contains(checks, prefix) {
			checks = append(checks, prefix)
		}
		if prefix == check {
			given = append(given, figure)
		}
	}
	switch {
	case len(given) > 0:
		return fmt.Sprintf("%s is unknown%s; %s gives %s%s", short(name), didYouMean(name, figures), check, strings.Join(given, ", "), liveHint(name, given))
	case len(checks) > 0:
		return fmt.Sprintf("%s is unknown%s; the checks with figures here are %s", short(name), didYouMean(name, figures), strings.Join(checks, ", "))
	default:
		return short(name) + " is unknown; no check here gives a figure"
	}
}

// liveHint says why a check gives no figure of the live color.
func liveHint(name string, given []string) string {
	ofLive := func(figure string) bool {
		return slices.ContainsFunc([]string{".live", ".ratio", ".difference", ".low", ".high"}, func(end string) bool {
			return strings.HasSuffix("."+figure, end)
		})
	}
	if !ofLive(name) || slices.ContainsFunc(given, ofLive) {
		return ""
	}
	return "; the live color is asked only if a gate compares with it, like notWorseThanLive or p99OfLive"
}

func usesOf(names []reference) []string {
	uses := []string{}
	for _, r := range names {
		uses = append(uses, r.name)
	}
	slices.Sort(uses)
	return slices.Compact(uses)
}
