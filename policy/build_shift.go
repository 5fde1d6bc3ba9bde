package policy

import "time"

// maxSteps bounds a shift: every step is a push to every node and a record in
// the journal.
const maxSteps = 100

// shift is a list of steps, or equal steps; by default all at once.
func (b *builder) shift(raw *rawShift) []Step {
	steps, linear := b.marks.has("spec.shift.steps"), b.marks.has("spec.shift.linear")
	switch {
	case raw == nil:
		return []Step{{Weight: Full}}
	case steps == linear:
		b.problem("spec.shift.steps", RuleContradiction, "shift has one of steps and linear; write shift: {steps: [100%%]} for all at once")
		return nil
	case linear:
		return b.linear(orEmpty(raw.Linear))
	default:
		return b.steps(raw.Steps)
	}
}

func (b *builder) steps(raw []rawStep) []Step {
	const path = "spec.shift.steps"
	if len(raw) == 0 {
		b.require(path, "write at least [100%]")
		return nil
	}
	if len(raw) > maxSteps {
		b.problem(path, RuleTooLarge, "shift.steps has %d steps; at most %d", len(raw), maxSteps)
		return nil
	}
	steps := make([]Step, 0, len(raw))
	last := Weight(0)
	for i, step := range raw {
		if step.Weight == nil {
			b.require(item(path, i)+".weight", "write the weight of the step")
			continue
		}
		weight := b.weight(step.Weight, 0)
		b.rising(item(path, i), weight, last)
		last = max(last, weight)
		steps = append(steps, Step{Weight: weight, Hold: b.wait(item(path, i)+".hold", step.Hold, 0, 0, longWait)})
	}
	end := item(path, len(raw)-1)
	if last != Full && !b.marks.unread(end+".weight") {
		b.problem(end, RuleStepsComplete, "shift.steps ends with %s; the last step is 100%%", last)
	}
	return steps
}

// rising notes a weight that does not exceed the one before it. A mapping's
// weight is the better place to point at, where there is one.
func (b *builder) rising(path string, weight, before Weight) {
	if b.marks.has(path + ".weight") {
		path += ".weight"
	}
	switch {
	case weight > before:
	case before == 0:
		b.problem(path, RuleStepsIncreasing, "%s = %s; a step moves more than 0%%", shown(path), weight)
	default:
		b.problem(path, RuleStepsIncreasing, "%s = %s; it must be more than the %s before it", shown(path), weight, before)
	}
}

// linear writes equal steps out; the last one is full weight and not held,
// for the bake follows.
func (b *builder) linear(raw *rawLinear) []Step {
	const path = "spec.shift.linear"
	if raw.By == nil {
		b.require(path+".by", "write the weight that each step adds")
	}
	if raw.Every == nil {
		b.require(path+".every", "write how long each step is held")
	}
	by := b.weight(raw.By, Full)
	if by < Full/maxSteps {
		b.problem(path+".by", RuleWeightRange, "shift.linear.by = %s; it is 1%% to 100%%", by)
		return nil
	}
	hold := b.wait(path+".every", raw.Every, 0, 10*time.Millisecond, longWait)
	var steps []Step
	for weight := by; weight < Full; weight += by {
		steps = append(steps, Step{Weight: weight, Hold: hold})
	}
	return append(steps, Step{Weight: Full})
}

func (b *builder) stepChecks(raw *rawShift) StepChecks {
	return StepChecks{Every: b.wait("spec.shift.checkEvery", raw.CheckEvery, defaultEvery, 10*time.Millisecond, day)}
}

// stepsToCheck notes checks that would never run: those of the last step are
// the bake's.
func (b *builder) stepsToCheck(steps []Step, list checkList) {
	if len(steps) == 1 && len(list.checks) > 0 {
		b.problem(list.path, RuleContradiction, "shift.checks run at every step but the last, and there is only one; write more steps, or write the checks in bake.checks")
	}
}
