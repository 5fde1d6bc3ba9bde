package policy

import "time"

// rolling is there only if the shift has that shape.
func (b *builder) rolling(shape Shape, raw *rawRolling) *Rolling {
	const path = "spec.shift.rolling"
	if shape != ShapeRolling {
		return nil
	}
	raw = orEmpty(raw)
	r := &Rolling{
		Batch:    Amount{Count: 1},
		Capacity: b.weight(raw.Capacity, Full*3/4),
		Hold:     b.wait(path+".hold", raw.Hold, time.Minute, 10*time.Millisecond, longWait),
	}
	if raw.Batch != nil {
		r.Batch = Amount(*raw.Batch)
		if (r.Batch.Count < 1 || r.Batch.Count > 100_000) && r.Batch.Share == 0 {
			b.problem(path+".batch", RuleNumberRange, "shift.rolling.batch = %d; it is 1 to 100000, or a share of more than 0%%", r.Batch.Count)
		}
	}
	switch {
	case b.marks.unread(path + ".capacity"):
	case r.Capacity == 0:
		b.problem(path+".capacity", RuleWeightRange, "shift.rolling.capacity = 0%%; without any capacity users are not served")
	case r.Capacity == Full:
		b.problem(path+".capacity", RuleWeightRange, "shift.rolling.capacity = 100%%; then no instance can be let go before another has taken its place: that is a switch of another shape")
	case r.Batch.Share > Full-r.Capacity:
		b.problem(path+".batch", RuleContradiction, "shift.rolling.batch = %s and capacity = %s; a batch of that size leaves less than the capacity", r.Batch.Share, r.Capacity)
	}
	return r
}

// fitRolling asks of the rest of the policy what rolling needs.
func (b *builder) fitRolling(m *Model) {
	const path = "spec.shift.rolling"
	switch {
	case m.Retire.Off || m.Retire.Repurpose:
		b.problem(path, RuleContradiction, "shift.rolling lets the old instances go, and retire keeps them; remove retire.off or retire.repurpose, or write another shape")
	case !m.Retire.Hooked():
		b.problem(path, RuleContradiction, "shift.rolling needs somebody who lets instances go; write retire.webhook or retire.consul")
	case m.Retire.Nomad != nil:
		b.problem("spec.retire.nomad", RuleContradiction, "with shift.rolling certain instances make room, and Nomad chooses itself which it stops; write retire.webhook or retire.consul")
	case m.Shadow.Percent > 0:
		b.problem("spec.shadow", RuleContradiction, "shadow mirrors users' requests to a whole color, and with shift.rolling there are only a few instances of it; remove one of the two")
	}
	for i, c := range m.Validate {
		if c.Endpoints == nil {
			continue
		}
		if at := item("spec.validate", i) + ".endpoints.ofLive"; b.marks.has(at) {
			b.problem(at, RuleContradiction, "endpoints.ofLive compares with the live color, which makes room for the new one with shift.rolling; write endpoints.min instead")
		}
		c.Endpoints.OfLive = 0
	}
}

func (b *builder) cost(raw *rawCost) Cost {
	const path = "spec.cost"
	if raw == nil {
		return Cost{}
	}
	c := Cost{
		InstanceHour: b.decimal(path+".instanceHour", raw.InstanceHour, 0, 0, 1e6),
		AtMost:       b.decimal(path+".atMost", raw.AtMost, 0, 0, 1e9),
	}
	if raw.Spare != nil {
		spare := b.count(path+".spare", raw.Spare, 0, 0, 100_000)
		c.Spare = &spare
	}
	if raw.AtMost != nil && raw.InstanceHour == nil {
		b.problem(path+".atMost", RuleContradiction, "cost.atMost needs a price; write cost.instanceHour")
	}
	if c.InstanceHour > 0 || raw.Currency != nil {
		c.Currency = b.text(path+".currency", raw.Currency, "USD", RuleTextSyntax, currencyFault)
	}
	return c
}

func currencyFault(code string) string {
	if len(code) != 3 {
		return "a currency is written as its ISO 4217 code, like EUR"
	}
	for _, r := range code {
		if r < 'A' || r > 'Z' {
			return "a currency is written as its ISO 4217 code, like EUR"
		}
	}
	return ""
}
