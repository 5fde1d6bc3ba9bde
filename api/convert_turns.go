package api

import (
	"greenlight/api/adminv1"
	"greenlight/policy"
	"greenlight/policy/calendar"
	"greenlight/rollout"
)

func queued(q rollout.Queued) *adminv1.Queued {
	if q == (rollout.Queued{}) {
		return nil
	}
	return &adminv1.Queued{Order: q.Order, Why: q.Why, Opens: at(q.Opens), Silent: q.Silent}
}

func approved(a rollout.Approved) *adminv1.Approved {
	return &adminv1.Approved{Before: acts[a.Before], By: a.By, Reason: a.Reason, At: at(a.At)}
}

func queue(q policy.Queue) *adminv1.Queue {
	if q == (policy.Queue{}) {
		return nil
	}
	return &adminv1.Queue{Group: q.Group, AtMost: number(q.AtMost)}
}

func approval(a policy.Approval) *adminv1.Approval {
	return &adminv1.Approval{Before: acts[a.Before], By: a.By, Count: number(a.Count), Within: lasting(a.Within)}
}

func plannedCalendar(c calendar.Calendar) *adminv1.Calendar {
	if c.IsZero() {
		return nil
	}
	p := c.Plan()
	return &adminv1.Calendar{Zone: p.Zone, Windows: list(p.Windows, span), Freeze: list(p.Freeze, span)}
}

func span(s calendar.Span) *adminv1.CalendarSpan {
	out := &adminv1.CalendarSpan{Days: s.Days, From: s.From, To: s.To, Cron: s.Cron, Reason: s.Reason}
	if s.For != 0 {
		out.Lasts = lasting(s.For)
	}
	return out
}
