package policy

import "slices"

// Rule describes one rule, for tools that show rules apart from problems.
type Rule struct {
	// Name is what Problem.Rule holds; it is stable.
	Name     string
	Severity Severity
	// Short says in one sentence what breaks the rule.
	Short string
	// Help says why it matters and what to do about it.
	Help string
}

// Rules lists every rule: first the errors, then the warnings.
func Rules() []Rule { return slices.Clone(rules) }

var rules = slices.Concat(
	ranked(SeverityError, fileRules), ranked(SeverityError, yamlRules), ranked(SeverityError, valueRules),
	ranked(SeverityWarning, warningRules),
)

// ruleIndex finds a rule by its name.
var ruleIndex = func() map[string]int {
	index := make(map[string]int, len(rules))
	for i, r := range rules {
		index[r.Name] = i
	}
	return index
}()

func ranked(severity Severity, listed []Rule) []Rule {
	out := slices.Clone(listed)
	for i := range out {
		out[i].Severity = severity
	}
	return out
}
