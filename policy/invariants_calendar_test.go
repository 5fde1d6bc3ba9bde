package policy_test

import (
	"time"

	"greenlight/policy/calendar"
)

// checkCalendar: every calendar answers, and what is written has a zone.
func checkCalendar(must func(bool, string), c calendar.Calendar) {
	plan := c.Plan()
	must(c.IsZero() == (plan.Zone == ""), "the calendar has no zone, or nothing but one")
	for _, f := range plan.Freeze {
		must(f.Reason != "", "a freeze has no reason")
	}
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	v := c.At(at)
	must(v.Why != "" && (v.Until.IsZero() || v.Until.After(at)), "the calendar's answer is incomplete")
	must(!c.IsZero() || v.Open && v.Until.IsZero(), "without a calendar the model may not be moved")
}
