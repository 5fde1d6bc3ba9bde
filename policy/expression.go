package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/ext"
)

// Limits of an expression. They are far above what a gate needs.
const (
	maxExpression      = 4096 // bytes
	maxExpressionDepth = 64
	maxExpressionCost  = 100_000
)

// maxCELMessage bounds what is passed on of CEL's words: a syntax error lists
// all that could have followed.
const maxCELMessage = 160

// Expression is a compiled CEL expression over figures. It may be evaluated by
// many goroutines.
type Expression struct {
	program cel.Program
	uses    []string
}

// CompileExpression compiles text, which must be a truth value and may use the
// given figures ("quality.accuracy.idle"), all of them floating-point numbers.
// The error names line and column of text for everything that is wrong.
func CompileExpression(text string, figures []string) (*Expression, error) {
	e, faults := compileExpression(text, figures)
	if len(faults) == 0 {
		return e, nil
	}
	all := make([]error, len(faults))
	for i, f := range faults {
		all[i] = fmt.Errorf("%d:%d: %s", f.line, f.column, f.says)
	}
	return nil, errors.Join(all...)
}

// Uses lists the figures that the expression refers to, sorted.
func (e *Expression) Uses() []string { return slices.Clone(e.uses) }

// Eval evaluates the expression. Figures needs those that it refers to; one
// that it comes upon and that is missing is an error.
func (e *Expression) Eval(figures map[string]float64) (bool, error) {
	values := make(map[string]any, len(e.uses))
	for _, name := range e.uses {
		if value, measured := figures[name]; measured {
			values[name] = value
		}
	}
	result, _, err := e.program.Eval(values)
	if err != nil {
		return false, fmt.Errorf("evaluate expression: %w", err)
	}
	truth, ok := result.Value().(bool)
	if !ok {
		return false, fmt.Errorf("evaluate expression: it gives %v, which is neither true nor false", result.Type())
	}
	return truth, nil
}

// expressionFault is what is wrong at one place of an expression; line and
// column count from 1.
type expressionFault struct {
	line, column int
	rule         string
	says         string
}

func compileExpression(text string, figures []string) (*Expression, []expressionFault) {
	if strings.TrimSpace(text) == "" || len(text) > maxExpression {
		return nil, []expressionFault{{1, 1, RuleExpression, fmt.Sprintf("an expression has 1 to %d bytes", maxExpression)}}
	}
	env, err := expressionEnv(figures)
	if err != nil {
		return nil, []expressionFault{{1, 1, RuleExpression, firstLine(err.Error())}}
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, faultsOf(issues)
	}
	names := references(env, parsed.NativeRep())
	if faults := unknownFigures(names, figures); len(faults) > 0 {
		return nil, faults
	}
	if len(names) == 0 {
		return nil, []expressionFault{{1, 1, RuleExpression, "it uses no figure, so it always gives the same; figures are written like latency.p99.ratio"}}
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, faultsOf(issues)
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, []expressionFault{{1, 1, RuleExpression, fmt.Sprintf("it gives a %s; a condition gives true or false, like latency.p99.ratio < 1.2", checked.OutputType())}}
	}
	program, err := env.Program(checked, cel.CostLimit(maxExpressionCost), finiteOnly())
	if err != nil {
		return nil, []expressionFault{{1, 1, RuleExpression, firstLine(err.Error())}}
	}
	return &Expression{program: program, uses: usesOf(names)}, nil
}

// expressionEnv has CEL's standard functions and the math library, without
// macros: there is nothing to loop over.
func expressionEnv(figures []string) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.StdLib(), ext.Math(), cel.ClearMacros(),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserRecursionLimit(maxExpressionDepth),
		cel.ParserExpressionSizeLimit(maxExpression),
	}
	for _, name := range figures {
		options = append(options, cel.Variable(name, cel.DoubleType))
	}
	env, err := cel.NewCustomEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare CEL: %w", err)
	}
	return env, nil
}

// faultsOf gives what CEL found wrong.
func faultsOf(issues *cel.Issues) []expressionFault {
	faults := make([]expressionFault, 0, len(issues.Errors()))
	for _, e := range issues.Errors() {
		faults = append(faults, expressionFault{max(e.Location.Line(), 1), max(e.Location.Column()+1, 1), RuleExpression, plainCEL(e)})
	}
	return faults
}

// plainCEL is CEL's message with what to do about the usual slip.
func plainCEL(e *common.Error) string {
	says := strings.Join(strings.Fields(strings.ToValidUTF8(e.Message, "?")), " ")
	if len(says) > maxCELMessage {
		says = strings.ToValidUTF8(says[:maxCELMessage], "") + "…"
	}
	if strings.Contains(e.Message, "no matching overload") && strings.Contains(e.Message, "double") && strings.Contains(e.Message, "int") {
		says += "; figures are floating-point numbers, so write 0.0 for 0"
	}
	return says
}
