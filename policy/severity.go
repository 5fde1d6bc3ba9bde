package policy

// Severity says what a problem costs.
type Severity string

// The severities. An error keeps its document from being used; a warning keeps
// nothing out of force: the policy does what it says, which is hardly what is meant.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Severity is that of the rule. A rule that nobody knows is an error.
func (p Problem) Severity() Severity {
	if i, known := ruleIndex[p.Rule]; known {
		return rules[i].Severity
	}
	return SeverityError
}
