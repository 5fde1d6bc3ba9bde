package cli

import (
	"bytes"
	"encoding/json"
	"fmt"

	"greenlight/policy"
)

// lintResult is what `policy lint -o json` prints. Its shape is part of the command
// line's contract: keys may be added, none is renamed or changes its meaning.
type lintResult struct {
	Problems []lintProblem `json:"problems"`
	Errors   int           `json:"errors"`
	Warnings int           `json:"warnings"`
}

// lintProblem is a problem with its severity.
type lintProblem struct {
	policy.Problem
	Severity policy.Severity `json:"severity"`
}

func lintResultOf(problems []policy.Problem) lintResult {
	r := lintResult{Problems: make([]lintProblem, len(problems))}
	for i, p := range problems {
		r.Problems[i] = lintProblem{p, p.Severity()}
		if p.Severity() == policy.SeverityWarning {
			r.Warnings++
		} else {
			r.Errors++
		}
	}
	return r
}

// indented is v as JSON for people and programs: limits stay < and >.
func indented(v any) ([]byte, error) {
	var out bytes.Buffer
	to := json.NewEncoder(&out)
	to.SetEscapeHTML(false)
	to.SetIndent("", "  ")
	if err := to.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return out.Bytes(), nil
}
