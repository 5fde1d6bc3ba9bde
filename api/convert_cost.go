package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/rollout"
)

// twice is what running both colors took; p may be nil.
func twice(w rollout.Twice, p *policy.Model) *adminv1.Twice {
	out := &adminv1.Twice{Instances: number(w.Instances), Since: at(w.Since), Hours: w.Hours}
	if p != nil && p.Cost.InstanceHour > 0 {
		out.Cost, out.Currency = w.Hours*p.Cost.InstanceHour, p.Cost.Currency
	}
	return out
}

func takenBack(o rollout.Tried) *adminv1.TakenBack {
	return &adminv1.TakenBack{Version: o.Version, SwitchId: o.Switch, Cause: o.Cause, At: at(o.At)}
}

func drill(d rollout.Drill) *adminv1.Drill {
	out := &adminv1.Drill{
		Actor: d.Actor, Reason: d.Reason, Began: at(d.Began), Turned: at(d.Turned), Ended: at(d.Ended),
		RequestsPerSecond: d.Rate, Problem: d.Problem,
	}
	if d.Back != 0 {
		out.Back = lasting(d.Back)
	}
	if d.Forth != 0 {
		out.Forth = lasting(d.Forth)
	}
	return out
}

func cost(c policy.Cost) *adminv1.Cost {
	if c == (policy.Cost{}) {
		return nil
	}
	out := &adminv1.Cost{Currency: c.Currency, InstanceHour: c.InstanceHour, AtMost: c.AtMost}
	if c.Spare != nil {
		spare := number(*c.Spare)
		out.Spare = &spare
	}
	return out
}

func rolling(r *policy.Rolling) *adminv1.Rolling {
	if r == nil {
		return nil
	}
	return &adminv1.Rolling{
		Batch: number(r.Batch.Count), BatchPercent: percent(r.Batch.Share),
		CapacityPercent: percent(r.Capacity), Hold: lasting(r.Hold),
	}
}

func adviceBasis(b rollout.Basis) *adminv1.AdviceBasis {
	out := &adminv1.AdviceBasis{
		Instances: number(b.Instances), RequestsPerSecond: b.Rate, BusiestPerSecond: b.Busiest,
		CarriedPerSecond: b.Carried, Currency: b.Cost.Currency, InstanceHour: b.Cost.InstanceHour, Unknown: b.Unknown,
	}
	if b.WarmUp != 0 {
		out.WarmUp = lasting(b.WarmUp)
	}
	return out
}

func adviceOption(o rollout.Option) *adminv1.AdviceOption {
	out := &adminv1.AdviceOption{
		Shape: shapes[o.Shape], Possible: o.Possible, ExtraHours: o.ExtraHours, ExtraCost: o.ExtraCost,
		Takes: lasting(o.Takes), ExposedRequests: o.Exposed, Note: o.Note,
	}
	if o.WayBack != 0 {
		out.WayBack = lasting(o.WayBack)
	}
	return out
}

func rolled(r rollout.Rolled) *adminv1.Rolled {
	if r.Total == 0 && len(r.Batches) == 0 {
		return nil
	}
	return &adminv1.Rolled{
		Total: number(r.Total), Batches: list(r.Batches, batch), Restore: r.Restore, Asked: at(r.Asked), Next: at(r.Next),
		Key: r.Key, Back: r.Back, Tries: number(r.Tries), Problem: r.Problem,
	}
}

func batch(b rollout.Batch) *adminv1.Batch {
	return &adminv1.Batch{Instances: list(b.Instances, endpoint), Left: number(b.Left), Out: at(b.Out), Told: at(b.Told), Gone: at(b.Gone)}
}
