package policy

// expression notes one that always gives the same.
func (w *warner) expression(path string, list checkList, c *ExpressionCheck) {
	possible, ok := possibleResults(c.Text, w.domains(list, c.Uses))
	switch {
	case !ok:
	case !possible.no:
		w.warn(path, RuleNeverFails, "%s is true whatever is measured; compare with a value that a worse model does not reach", shown(path))
	case !possible.yes:
		w.warn(path, RuleNeverPasses, "%s is false whatever is measured, so no switch gets past it; figures are in seconds and shares from 0 to 1", shown(path))
	}
}

// domains is which values each figure can have that an expression of the list
// uses. Where two lists have a check of one name its own list counts, as when the
// expression is compiled; that no other one can be meant is left open.
func (w *warner) domains(list checkList, uses []string) map[string]span {
	domains := make(map[string]span, len(uses))
	for _, figure := range uses {
		domains[figure] = anyNumber
	}
	named := map[string]bool{}
	for _, checks := range [][]Check{list.checks, w.model.StepChecks.Checks, w.model.Validate} {
		for _, c := range checks {
			if named[c.Name] {
				continue
			}
			named[c.Name] = true
			for _, figure := range c.Figures() {
				if _, used := domains[c.FigureName(figure)]; used {
					domains[c.FigureName(figure)] = c.domain(figure)
				}
			}
		}
	}
	return domains
}
