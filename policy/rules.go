package policy

// The rules, as Problem.Rule names them. The names are stable: people silence,
// count and search for them.
const (
	// Of whole files.
	RuleTooLarge       = "too-large"       // file, document or folder beyond its limit
	RuleNotText        = "not-text"        // NUL, control characters, not UTF-8
	RuleUnreadable     = "unreadable"      // the operating system says no
	RuleFileOutside    = "file-outside"    // a path or link leaves the policy folder
	RuleFileMissing    = "file-missing"    // a named file does not exist
	RuleLFSPointer     = "lfs-pointer"     // Git LFS's stand-in for a file
	RuleNoPolicies     = "no-policies"     // a linted folder without a policy file
	RulePolicyGone     = "policy-gone"     // the file of a policy in force vanished
	RuleDuplicateModel = "duplicate-model" // two documents for one model
	RuleDuplicateFleet = "duplicate-fleet" // two documents for one fleet
	RuleRouteConflict  = "route-conflict"  // two models claim one fleet, host and prefix
	RuleUnknownModel   = "unknown-model"   // dependsOn names a model that no policy describes
	RuleCycle          = "cycle"           // models depend on each other

	RuleDuplicateDefaults = "duplicate-defaults" // two Defaults documents in one folder

	// Of YAML.
	RuleSyntax     = "yaml-syntax"
	RuleNoAliases  = "no-aliases" // anchors, aliases and merge keys are refused
	RuleNoTags     = "no-tags"
	RuleTooDeep    = "too-deep"
	RuleUnknownKey = "unknown-key"
	RuleDoubledKey = "doubled-key"
	RuleWrongType  = "wrong-type"
	RuleEmptyValue = "empty-value"

	// Of single values.
	RuleAPIVersion      = "api-version"
	RuleUnknownKind     = "unknown-kind"
	RuleRequired        = "required"
	RuleUnknownValue    = "unknown-value"
	RuleNameSyntax      = "name-syntax"
	RuleHostSyntax      = "host-syntax"
	RuleHeaderSyntax    = "header-syntax"
	RuleCookieSyntax    = "cookie-syntax"
	RulePathSyntax      = "path-syntax"
	RuleURLSyntax       = "url-syntax"
	RuleTextSyntax      = "text-syntax"
	RuleAddressSyntax   = "address-syntax"
	RuleDurationSyntax  = "duration-syntax"
	RuleDurationRange   = "duration-range"
	RuleWeightSyntax    = "weight-syntax"
	RuleWeightRange     = "weight-range"
	RuleLimitSyntax     = "limit-syntax" // an upper limit that is not written as one
	RuleNumberRange     = "number-range"
	RuleTimeZone        = "time-zone"   // a time zone that does not exist, or is another one on each machine
	RuleDays            = "days-syntax" // days of the week
	RuleTime            = "time-syntax" // clock times and dates
	RuleCron            = "cron-syntax" // a cron expression that can't be read, never comes, or comes too often
	RuleRetryCondition  = "retry-condition"
	RuleDuplicateValue  = "duplicate-value"
	RuleContradiction   = "contradiction"
	RuleStepsIncreasing = "steps-increasing"
	RuleStepsComplete   = "steps-complete"
	RuleCheckKind       = "check-kind"
	RuleDuplicateCheck  = "duplicate-check"
	RuleDataKind        = "data-kind"        // a data file of a kind that is not read
	RuleSecret          = "secret-reference" // a secret that is written out, or refers to what is out of reach
	RuleTemplate        = "template-syntax"  // a request template, or a placeholder of Defaults
	RuleJSONPath        = "jsonpath-syntax"
	RuleExpression      = "expression-syntax" // CEL that can't be compiled
	RuleUnknownFigure   = "unknown-figure"    // a figure that no check gives
)
