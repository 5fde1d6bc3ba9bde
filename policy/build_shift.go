package policy

import (
	"math"
	"time"
)

// maxSteps bounds a shift: every step is a push to every node and a record in
// the journal.
const maxSteps = 100

// defaultFactor is by how much an exponential step multiplies the one before.
const defaultFactor = 2

// shift has one of six shapes; without any it is all at once.
func (b *builder) shift(raw *rawShift) (Shape, []Step) {
	const path = "spec.shift."
	if raw == nil {
		return ShapeInstant, []Step{{Weight: Full}}
	}
	var written []string
	for _, shape := range []string{"steps", "linear", "canary", "exponential", "rolling", "instant"} {
		if b.marks.has(path + shape) {
			written = append(written, shape)
		}
	}
	if len(written) != 1 {
		b.problem(path+"steps", RuleContradiction, "shift has one of steps, linear, canary, exponential, rolling and instant; write shift: {instant: true} for all at once")
		return ShapeSteps, nil
	}
	switch written[0] {
	case "linear":
		return ShapeLinear, b.linear(orEmpty(raw.Linear))
	case "canary":
		return ShapeCanary, b.canary(orEmpty(raw.Canary))
	case "exponential":
		return ShapeExponential, b.exponential(orEmpty(raw.Exponential))
	case "rolling":
		return ShapeRolling, []Step{{Weight: Full}}
	case "instant":
		if !truth(raw.Instant, true) {
			b.problem(path+"instant", RuleContradiction, "shift.instant = false says nothing of how weight moves; write steps, linear, canary or exponential instead")
		}
		return ShapeInstant, []Step{{Weight: Full}}
	default:
		return ShapeSteps, b.steps(raw.Steps)
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

// canary is one step, and then all.
func (b *builder) canary(raw *rawCanary) []Step {
	const path = "spec.shift.canary"
	weight := b.weight(raw.Weight, Full/20)
	if (weight == 0 || weight == Full) && !b.marks.unread(path+".weight") {
		b.problem(path+".weight", RuleWeightRange, "shift.canary.weight = %s; it lies between 0%% and 100%%", weight)
	}
	return []Step{{Weight: weight, Hold: b.wait(path+".hold", raw.Hold, 10*time.Minute, 10*time.Millisecond, longWait)}, {Weight: Full}}
}

// exponential writes the growing steps out; the last one is full weight.
func (b *builder) exponential(raw *rawExponential) []Step {
	const path = "spec.shift.exponential"
	if raw.Every == nil {
		b.require(path+".every", "write how long each step is held")
	}
	from := b.weight(raw.From, Full/100)
	if (from == 0 || from == Full) && !b.marks.unread(path+".from") {
		b.problem(path+".from", RuleWeightRange, "shift.exponential.from = %s; it lies between 0%% and 100%%", from)
		return nil
	}
	factor := b.decimal(path+".factor", raw.Factor, defaultFactor, 1.1, 100)
	hold := b.wait(path+".every", raw.Every, 0, 10*time.Millisecond, longWait)
	var steps []Step
	for weight := float64(from); weight < float64(Full) && factor > 1; weight *= factor {
		next := Weight(math.Round(weight))
		if n := len(steps); next >= Full || n > 0 && next <= steps[n-1].Weight {
			continue // rounding left nothing of the step
		}
		if steps = append(steps, Step{Weight: next, Hold: hold}); len(steps) == maxSteps {
			break
		}
	}
	return append(steps, Step{Weight: Full})
}

func (b *builder) stepChecks(raw *rawShift) StepChecks {
	return StepChecks{Every: b.wait("spec.shift.checkEvery", raw.CheckEvery, defaultEvery, 10*time.Millisecond, day)}
}

// stepsToCheck notes checks that would never run: those of the last step are
// the bake's.
func (b *builder) stepsToCheck(m *Model, list checkList) {
	if len(m.Shift) == 1 && m.Shape != ShapeRolling && len(list.checks) > 0 {
		b.problem(list.path, RuleContradiction, "shift.checks run at every step but the last, and there is only one; write more steps, or write the checks in bake.checks")
	}
}
