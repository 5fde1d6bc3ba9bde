package policy

var warningRules = []Rule{
	{Name: RuleNeverFails, Short: "A gate can never fail.", Help: "Its limit is one that every value keeps, so the gate looks like a protection and is none. Write a limit that a worse model breaks, or remove the gate."},
	{Name: RuleNeverPasses, Short: "A check can never pass.", Help: "Whatever is measured, it fails or ends without a result; unless onInconclusive lets that pass, no switch gets past it. Write what the message asks for."},
	{Name: RuleWideLimit, Short: "A limit is so wide that only a disaster breaks it.", Help: "Most such limits are slips, like 20 for 20%. Write the largest value that users would put up with."},
	{Name: RuleReversedGate, Short: "A gate stops what is better and lets pass what is worse.", Help: "Write min for metrics of which more is better, max for losses and errors, or notWorseThanLive: true."},
	{Name: RuleFewEndpoints, Short: "One ready instance is enough for all users.", Help: "Write in endpoints.min the fewest instances that can take all traffic, or remove ofLive for as many as the live color has."},
	{Name: RuleEmptyData, Short: "A file of cases or rows holds none.", Help: "A check on it has nothing to measure and does not pass. Write the rows, or name the right file."},
	{Name: RuleHostOverlap, Short: "A wildcard host also covers a host that another model has.", Help: "Envoy chooses by the host first: the longest match wins for every path, and what its models have no prefix for is answered 404. List the host in the wildcard's model too if it should get the other paths."},
	{Name: RuleCopiesHost, Short: "A host ends with -shadow, as those of copies do.", Help: "Envoy puts -shadow behind the host of a mirrored request, and what arrives with such a host is reported as a copy. Give the model another host."},
	{Name: RulePrefixOverlap, Short: "Two models on one host have prefixes that differ by a slash at the end.", Help: "/a takes /a and all below it, /a/ all below it. The longer one wins, which leaves the other a single path. Give one of the models another prefix."},
	{Name: RuleNeverOpen, Short: "A calendar never lets the model be moved.", Help: "Its freezes cover every time of the week that the windows leave, so no switch starts. windows say when it may be moved, freeze when it may not whatever they say."},
	{Name: RuleBakeUnwatched, Short: "The bake's time is over before its checks run for the first time.", Help: "They run for the first time after bake.every. Make bake.for at least that long, or write bake.checks: [] if none are wanted."},
	{Name: RuleStepUnwatched, Short: "A step is not held, and nothing is checked at it.", Help: "It passes as soon as it is confirmed, so it protects nobody. Hold it, write shift.checks or judge, or remove the step."},
	{Name: RuleManualRollback, Short: "All users move at once, and only a person takes them back.", Help: "Without automatic rollback what is worse stays until somebody comes. Hold a step at a small weight, or let the rollback be automatic."},
	{Name: RuleJudgeBlind, Short: "The judge has nothing to judge by.", Help: "It waits for requests and decides nothing. Let it compare, write limits, give it time, and let a fleet report users' requests; or write judge: {off: true}."},
	{Name: RuleNoWayBack, Short: "The old color is let go as soon as the new one has all traffic.", Help: "Then a rollback has nowhere to go. Write bake.for or retire.after with the time in which a mistake shows."},
	{Name: RuleRetireOff, Short: "Instances have a price, and the old color is never let go.", Help: "Both colors cost without end, so no limit on running twice can be kept. Write retire.after, or retire.repurpose: staging if the old color serves as staging."},
}
