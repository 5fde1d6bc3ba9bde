package policy

// The rules of warnings. Like those of errors their names are stable. A warning
// says only what is so whatever is measured: one that is sometimes wrong teaches
// people to read over all of them.
const (
	RuleNeverFails     = "never-fails"     // a gate that nothing can break
	RuleNeverPasses    = "never-passes"    // a check that can't come out well
	RuleWideLimit      = "wide-limit"      // a limit that only a disaster breaks
	RuleReversedGate   = "reversed-gate"   // a gate that stops what is better
	RuleFewEndpoints   = "few-endpoints"   // one instance may take all users
	RuleEmptyData      = "empty-data"      // a file without a row or case
	RuleHostOverlap    = "host-overlap"    // a wildcard covers another model's host
	RuleCopiesHost     = "copies-host"     // users' requests look like copies
	RulePrefixOverlap  = "prefix-overlap"  // two prefixes but for a slash
	RuleNeverOpen      = "never-open"      // freezes leave nothing of the windows
	RuleBakeUnwatched  = "bake-unwatched"  // the bake is over before its checks run
	RuleStepUnwatched  = "step-unwatched"  // a step at which nothing is looked at
	RuleManualRollback = "manual-rollback" // all users wait for a person
	RuleJudgeBlind     = "judge-blind"     // a judge that has nothing to judge by
	RuleNoWayBack      = "no-way-back"     // the old color goes at once
	RuleRetireOff      = "retire-off"      // running twice has no end, and a price
)
