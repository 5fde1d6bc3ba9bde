package rollout

import "greenlight/policy"

// StageChecks is the plan's checks of a stage, in their order. Of what users'
// traffic says, which no stage's checks ask for, there is none.
func StageChecks(plan *policy.Model, stage string) []policy.Check {
	switch stage {
	case StageValidate:
		return plan.Validate
	case StageShadow:
		return nil
	case StageRoute:
		return RouteChecks(plan)
	case StageBake:
		return plan.Bake.Checks
	default:
		return plan.StepChecks.Checks
	}
}
