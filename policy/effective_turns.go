package policy

import "greenlight/policy/calendar"

// effectiveTurns writes out what a switch waits for besides itself, and who says
// what is live.
func effectiveTurns(m *Model, spec *rawSpec) {
	if !m.Wanted.None() {
		spec.Live = &rawLive{Color: optional(m.Wanted.Color), Version: optional(m.Wanted.Version)}
	}
	if !m.Calendar.IsZero() {
		spec.Calendar = effectiveCalendar(m.Calendar.Plan())
	}
	spec.DependsOn = m.DependsOn
	if m.Queue.Group != "" {
		spec.Queue = &rawQueue{Group: new(m.Queue.Group), AtMost: new(m.Queue.AtMost)}
	}
	for _, a := range m.Approve {
		spec.Approve = append(spec.Approve, rawApproval{
			Before: new(string(a.Before)), By: a.By, Count: new(a.Count), Within: new(duration(a.Within)),
		})
	}
}

func effectiveCalendar(p calendar.Plan) *rawCalendar {
	raw := &rawCalendar{Zone: new(zoneName(p.Zone))}
	for _, s := range p.Windows {
		raw.Windows = append(raw.Windows, effectiveSpan(s))
	}
	for _, s := range p.Freeze {
		raw.Freeze = append(raw.Freeze, rawFreeze(effectiveSpan(s)))
	}
	return raw
}

func effectiveSpan(s calendar.Span) rawWindow {
	raw := rawWindow{Reason: optional(s.Reason)}
	for _, day := range s.Days {
		raw.Days = append(raw.Days, weekdays(day))
	}
	if s.From != "" {
		raw.From = new(momentAt(s.From))
	}
	if s.To != "" {
		raw.To = new(momentAt(s.To))
	}
	if s.Cron != "" {
		raw.Cron = new(cronLine(s.Cron))
	}
	if s.For > 0 {
		raw.For = new(duration(s.For))
	}
	return raw
}
