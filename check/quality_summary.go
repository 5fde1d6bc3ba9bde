package check

import (
	"fmt"
	"strings"

	"greenlight/rollout"
)

// maxClauses is how many metrics a summary names.
const maxClauses = 3

// summary is one sentence with the figures that decided.
func (j *judgement) summary(rows int) string {
	result := j.result()
	var clauses []string
	for i := range j.measures {
		m := &j.measures[i]
		if m.Result == result && result != rollout.Pass {
			clauses = append(clauses, deciding(m))
		}
	}
	if result == rollout.Pass {
		for i := range j.whole {
			clauses = append(clauses, j.whole[i].inWords())
		}
	}
	failed := 0
	for _, s := range j.slices {
		if s.failed {
			failed++
		}
	}
	if extra := len(clauses) - maxClauses; extra > 0 {
		clauses = append(clauses[:maxClauses], fmt.Sprintf("and %d more", extra))
	}
	if failed > 0 {
		clauses = append(clauses, fmt.Sprintf("%s of %d worse than its gates allow", plural(failed, "slice"), len(j.slices)))
	}
	s := fmt.Sprintf("%s on %s rows", strings.Join(clauses, "; "), thousands(rows))
	if len(j.slices) > 0 {
		s += "; worst slice " + j.slices[0].inWords(j.whole)
	}
	return s
}

// deciding is a measure that decided, as a clause: "accuracy 0.87 (live 0.93)
// is below 0.9".
func deciding(m *rollout.Measure) string {
	s := m.Name
	if m.Idle != nil {
		s += " " + number(*m.Idle)
		if m.Live != nil {
			s += " (live " + number(*m.Live) + ")"
		}
	}
	return s + " " + m.Why
}
