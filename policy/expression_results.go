package policy

import (
	"maps"
	"math"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// maxCells bounds into how many combinations of cells the figures' values are
// divided. Beyond it the values are looked at as a whole, which finds less.
const maxCells = 4096

// exactInts is up to where floating-point numbers tell integers apart.
const exactInts = 1 << 53

// possibleResults is what an expression may give, errors aside, when each figure
// has a value of its domain. A result that is left out is impossible; one that is
// there may be impossible all the same. ok is false of what is no expression over
// these figures.
func possibleResults(text string, domains map[string]span) (possible results, ok bool) {
	names := slices.Sorted(maps.Keys(domains))
	env, err := expressionEnv(names)
	if err != nil {
		return results{}, false
	}
	checked, issues := env.Compile(text)
	if issues.Err() != nil {
		return results{}, false
	}
	root := checked.NativeRep().Expr()
	cuts := literals(root)
	count, cells := 1, make([][]span, len(names))
	for i, name := range names {
		cells[i] = domains[name].cells(cuts)
		if count *= len(cells[i]); count > maxCells {
			return valueOf(root, domains).truth, true
		}
	}
	at := make(map[string]span, len(names))
	for n := range count {
		rest := n
		for i, name := range names {
			at[name], rest = cells[i][rest%len(cells[i])], rest/len(cells[i])
		}
		possible = possible.union(valueOf(root, at).truth)
	}
	return possible, true
}

// literals lists the numbers that an expression holds, and their negatives, sorted.
func literals(root ast.Expr) []float64 {
	var found []float64
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.LiteralKind {
			return
		}
		if v, ok := literalNumber(e); ok && !math.IsInf(v, 0) && !math.IsNaN(v) {
			found = append(found, v, -v)
		}
	}))
	slices.Sort(found)
	return slices.Compact(found)
}

func literalNumber(e ast.Expr) (float64, bool) {
	switch v := e.AsLiteral().(type) {
	case types.Double:
		return float64(v), true
	case types.Int:
		return float64(v), v >= -exactInts && v <= exactInts
	case types.Uint:
		return float64(v), v <= exactInts
	}
	return 0, false
}

// possibleValue is what a part of an expression may be: a number of a span, or
// truth values. Of what is not understood it is everything.
type possibleValue struct {
	number span
	truth  results
	// figure is the name, if the part is nothing but a figure.
	figure string
	// integer arithmetic rounds and overflows in its own way.
	integer bool
}

var (
	anything = possibleValue{number: anyNumber, truth: anyResult}
	// anyResult is both.
	anyResult = results{true, true}
)

func valueOf(e ast.Expr, figures map[string]span) possibleValue {
	switch e.Kind() {
	case ast.LiteralKind:
		return valueOfLiteral(e)
	case ast.IdentKind, ast.SelectKind:
		name, _ := dotted(e)
		if s, known := figures[name]; known {
			return possibleValue{number: s, truth: anyResult, figure: name}
		}
	case ast.CallKind:
		return valueOfCall(e.AsCall(), figures)
	}
	return anything
}

func valueOfLiteral(e ast.Expr) possibleValue {
	if v, ok := e.AsLiteral().(types.Bool); ok {
		return possibleValue{number: anyNumber, truth: results{yes: bool(v), no: !bool(v)}}
	}
	v, ok := literalNumber(e)
	if !ok {
		return anything
	}
	_, double := e.AsLiteral().(types.Double)
	return possibleValue{number: point(v), truth: anyResult, integer: !double}
}

func valueOfCall(call ast.CallExpr, figures map[string]span) possibleValue {
	args := make([]possibleValue, len(call.Args()))
	for i, arg := range call.Args() {
		args[i] = valueOf(arg, figures)
	}
	switch len(args) {
	case 1:
		return valueOfUnary(call.FunctionName(), args[0])
	case 2:
		if r, ok := resultOf(call.FunctionName(), args[0], args[1]); ok {
			return possibleValue{number: anyNumber, truth: r}
		}
		if s, ok := numberOf(call.FunctionName(), args[0], args[1]); ok {
			return possibleValue{number: s, truth: anyResult}
		}
	case 3:
		if call.FunctionName() == operators.Conditional {
			return eitherOf(args[0].truth, args[1], args[2])
		}
	}
	return anything
}

func valueOfUnary(function string, of possibleValue) possibleValue {
	switch {
	case function == operators.LogicalNot:
		return possibleValue{number: anyNumber, truth: of.truth.not()}
	case function == operators.Negate:
		return possibleValue{number: of.number.negated(), truth: anyResult, integer: of.integer}
	case function == "math.abs" && !of.integer:
		return possibleValue{number: of.number.abs(), truth: anyResult}
	}
	return anything
}

// eitherOf is the values of the branches that a condition lets be taken.
func eitherOf(condition results, yes, no possibleValue) possibleValue {
	switch {
	case !condition.no:
		return yes
	case !condition.yes:
		return no
	}
	return possibleValue{
		number: hull(yes.number.lo, yes.number.hi, no.number.lo, no.number.hi), truth: yes.truth.union(no.truth),
		integer: yes.integer || no.integer,
	}
}

// resultOf is what logic and comparisons may give.
func resultOf(function string, a, b possibleValue) (results, bool) {
	x, y := a.number, b.number
	same := a.figure != "" && a.figure == b.figure
	switch function {
	case operators.LogicalAnd:
		return a.truth.and(b.truth), true
	case operators.LogicalOr:
		return a.truth.or(b.truth), true
	case operators.Less, operators.Greater, operators.NotEquals:
		if same {
			return results{no: true}, true
		}
	case operators.LessEquals, operators.GreaterEquals, operators.Equals:
		if same {
			return results{yes: true}, true
		}
	}
	switch function {
	case operators.Less:
		return x.below(y), true
	case operators.Greater:
		return y.below(x), true
	case operators.LessEquals:
		return x.atMost(y), true
	case operators.GreaterEquals:
		return y.atMost(x), true
	case operators.Equals:
		return x.equal(y), true
	case operators.NotEquals:
		return x.equal(y).not(), true
	}
	return results{}, false
}

// numberOf is what arithmetic on floating-point numbers may give. That of integers
// is left open.
func numberOf(function string, a, b possibleValue) (span, bool) {
	if a.integer && b.integer {
		return span{}, false
	}
	switch function {
	case operators.Add:
		return a.number.plus(b.number), true
	case operators.Subtract:
		return a.number.minus(b.number), true
	case operators.Multiply:
		return a.number.times(b.number), true
	case operators.Divide:
		return a.number.over(b.number), true
	}
	return span{}, false
}
