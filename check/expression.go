package check

import (
	"context"
	"fmt"
	"strings"

	"greenlight/policy"
	"greenlight/rollout"
)

// evaluate asks whether an expression is true for the newest figures of all
// checks. One figure that is missing leaves it open, even where the rest would
// be enough: who named it wanted it measured.
func (r *Runner) evaluate(_ context.Context, job rollout.CheckJob, c policy.Check, p *progress) finding {
	p.begin(1)
	defer p.step()
	expression, err := policy.CompileExpression(c.Expression.Text, c.Expression.Uses)
	if err != nil {
		return final("%v", err)
	}
	figures := figuresOf(job.Earlier)
	var missing, values []string
	f := finding{measures: []rollout.Measure{{Name: "expression", Rule: c.Expression.Text}}}
	for _, name := range expression.Uses() {
		value, measured := figures[name]
		if !measured {
			missing = append(missing, whyMissing(name, job.Earlier))
			continue
		}
		values = append(values, name+" = "+number(value))
		f.measures = append(f.measures, rollout.Measure{Name: name, Idle: &value})
	}
	if len(missing) > 0 {
		return f.unsettled(strings.Join(missing, "; "))
	}
	truth, err := expression.Eval(figures)
	if err != nil {
		return f.unsettled(fmt.Sprintf("%v, with %s", err, strings.Join(values, ", ")))
	}
	f.result = passIf(truth)
	f.measures[0].Result = f.result
	f.summary = fmt.Sprintf("%s is %t: %s", shorten(c.Expression.Text), truth, strings.Join(values, ", "))
	if !truth {
		f.measures[0].Why = "it is false"
		f.evidence = []rollout.Evidence{{Case: c.Expression.Text, Expected: "true", Got: "false with " + strings.Join(values, ", ")}}
	}
	return f
}

// unsettled is an expression of which nothing can be said.
func (f finding) unsettled(why string) finding {
	f.result, f.summary, f.final = rollout.Inconclusive, why, true
	f.measures[0].Result, f.measures[0].Why = f.result, why
	return f
}

// figuresOf is all figures by the names that expressions have for them.
func figuresOf(verdicts []rollout.Verdict) map[string]float64 {
	out := map[string]float64{}
	for _, v := range verdicts {
		for name, value := range v.Figures {
			out[inExpression(v.Check)+"."+name] = value
		}
	}
	return out
}

// inExpression is how expressions write a check's name: "-" would be a minus.
func inExpression(check string) string { return strings.ReplaceAll(check, "-", "_") }

// whyMissing names the check that should have measured a figure.
func whyMissing(figure string, verdicts []rollout.Verdict) string {
	check, _, _ := strings.Cut(figure, ".")
	for _, v := range verdicts {
		if inExpression(v.Check) == check {
			return fmt.Sprintf("%s was not measured: check %s is %s (%s)", figure, v.Check, v.Result, v.Summary)
		}
	}
	return fmt.Sprintf("%s was not measured: no check %s has run", figure, check)
}
