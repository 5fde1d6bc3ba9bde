package policy

import (
	"slices"
	"strings"
	"time"

	"greenlight/policy/calendar"
)

// aMonday is when the search in a calendar of weeks begins: one week is as good as
// another.
var aMonday = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// calendar notes one whose freezes leave nothing of its windows. Of one that has
// dates or cron that can't be told for all times, and nothing is said.
func (w *warner) calendar() {
	plan := w.model.Calendar.Plan()
	if len(plan.Freeze) == 0 || slices.ContainsFunc(slices.Concat(plan.Windows, plan.Freeze), notWeekly) {
		return
	}
	if v := w.model.Calendar.At(aMonday); !v.Open && v.Until.IsZero() {
		w.warn("spec.calendar.freeze", RuleNeverOpen, "calendar.freeze leaves no time of the week open, so no switch ever starts; write when the model may not be moved, and in windows when it may")
	}
}

// notWeekly reports whether a span is not the same in every week.
func notWeekly(s calendar.Span) bool {
	return s.Cron != "" || strings.Contains(s.From, "-")
}
