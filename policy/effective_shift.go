package policy

// effectiveShift keeps how the shift was written.
func effectiveShift(m *Model, written *rawShift) *rawShift {
	raw := &rawShift{CheckEvery: new(duration(m.StepChecks.Every))}
	switch m.Shape {
	case ShapeInstant:
		raw.Instant = new(true)
	case ShapeLinear:
		raw.Linear = written.Linear
	case ShapeCanary:
		raw.Canary = &rawCanary{Weight: new(percent(m.Shift[0].Weight)), Hold: new(duration(m.Shift[0].Hold))}
	case ShapeExponential:
		e := *written.Exponential
		if e.From == nil {
			e.From = new(percent(m.Shift[0].Weight))
		}
		if e.Factor == nil {
			e.Factor = new(number(defaultFactor))
		}
		raw.Exponential = &e
	case ShapeRolling:
		raw.Rolling = &rawRolling{
			Batch: new(amount(m.Rolling.Batch)), Capacity: new(percent(m.Rolling.Capacity)), Hold: new(duration(m.Rolling.Hold)),
		}
	case ShapeSteps:
		for _, s := range m.Shift {
			raw.Steps = append(raw.Steps, rawStep{Weight: new(percent(s.Weight)), Hold: new(duration(s.Hold))})
		}
	}
	// With one step there is none at which the checks that it has by default would
	// run, and nobody may write them.
	if len(m.Shift) > 1 || m.Rolling != nil || len(m.StepChecks.Checks) == 0 {
		raw.Checks = effectiveChecks(m, m.StepChecks.Checks)
	}
	return raw
}

// effectiveJudge is there only where a judge is asked for: what is not delays nothing.
func effectiveJudge(j Judge) *rawJudge {
	switch {
	case !j.Asked:
		return nil
	case j.Off:
		return &rawJudge{Off: new(true)}
	}
	raw := &rawJudge{
		Off:         new(false),
		Errors:      &rawErrorRule{Relative: new(!j.Errors.RelativeOff), ClientErrors: new(j.Errors.ClientErrors)},
		Latency:     &rawLatencyRule{Relative: new(!j.Latency.RelativeOff)},
		Risk:        new(share(j.Risk)),
		MinRequests: new(j.MinRequests),
		MaxHold:     new(duration(j.MaxHold)),
		Otherwise:   new(string(j.Otherwise)),
	}
	if !j.Errors.RelativeOff {
		raw.Errors.Tolerate = new(ratio(j.Errors.Tolerate))
	}
	if !j.Latency.RelativeOff {
		raw.Latency.Tolerate = new(ratio(j.Latency.Tolerate))
	}
	if j.Errors.Max != nil {
		raw.ErrorRate = new(belowShare(*j.Errors.Max))
	}
	for _, most := range j.Latency.Max {
		*map[float64]**belowTime{
			0.5: &raw.P50, 0.9: &raw.P90, 0.95: &raw.P95, 0.99: &raw.P99, 0.999: &raw.P999,
		}[most.Quantile] = new(belowTime(most.Max))
	}
	return raw
}

func effectiveRetire(r Retire) *rawRetire {
	if r.Off {
		return &rawRetire{Off: new(true)}
	}
	raw := &rawRetire{
		Off: new(false), After: new(duration(r.After)),
		Webhook: optional(r.Webhook), Secret: effectiveSecret(r.Secret),
	}
	if r.Repurpose {
		raw.Repurpose = new(repurposeStaging)
	}
	if c := r.Consul; c != nil {
		raw.Consul = &rawConsulRetire{Scheme: new(c.Scheme), Port: new(c.Port), Token: effectiveSecret(c.Token)}
	}
	if n := r.Nomad; n != nil {
		raw.Nomad = &rawNomadRetire{
			Address: new(n.Address), Group: new(n.Group), Jobs: &rawNomadJobs{Blue: new(n.Jobs[Blue]), Green: new(n.Jobs[Green])},
			Namespace: optional(n.Namespace), Region: optional(n.Region), Token: effectiveSecret(n.Token),
		}
	}
	return raw
}

func effectiveCost(c Cost) *rawCost {
	raw := &rawCost{Currency: optional(c.Currency), Spare: c.Spare}
	if c.AtMost > 0 {
		raw.AtMost = new(number(c.AtMost))
	}
	if c.AtMost > 0 || c.InstanceHour > 0 {
		raw.InstanceHour = new(number(c.InstanceHour))
	}
	if *raw == (rawCost{}) {
		return nil
	}
	return raw
}
