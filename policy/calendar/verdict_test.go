package calendar_test

import (
	"testing"
	"time"

	"greenlight/policy/calendar"
)

func TestVerdicts(t *testing.T) {
	office := calendar.Span{Days: []string{"mon-fri"}, From: "09:00", To: "17:00"}
	saturday := calendar.Span{Days: []string{"sat"}, From: "10:00", To: "12:00", Reason: "release day"}
	holidays := calendar.Span{From: "2026-12-20", To: "2027-01-03", Reason: "end of the year"}
	berlin := func(windows, freeze []calendar.Span) calendar.Plan {
		return calendar.Plan{Zone: "Europe/Berlin", Windows: windows, Freeze: freeze}
	}
	for _, c := range []struct {
		name string
		plan calendar.Plan
		at   string
		want calendar.Verdict
		till string
	}{
		{"nothing written", calendar.Plan{}, "2026-11-29T12:00:00Z", calendar.Verdict{Open: true, Why: "there is no calendar"}, ""},
		{"inside a window", berlin([]calendar.Span{saturday, office}, nil), "2026-11-30T08:00:00Z",
			calendar.Verdict{Open: true, Why: "window mon-fri 09:00 to 17:00 (Europe/Berlin)", When: "Mon 2026-11-30 17:00 CET"}, "2026-11-30T16:00:00Z"},
		{"a window with a reason", berlin([]calendar.Span{office, saturday}, nil), "2026-12-05T09:30:00Z",
			calendar.Verdict{Open: true, Why: "window sat 10:00 to 12:00 (Europe/Berlin): release day", When: "Sat 2026-12-05 12:00 CET"}, "2026-12-05T11:00:00Z"},
		{"outside a window", berlin([]calendar.Span{office}, nil), "2026-11-29T12:00:00Z",
			calendar.Verdict{Why: "outside the window mon-fri 09:00 to 17:00 (Europe/Berlin)", When: "Mon 2026-11-30 09:00 CET"}, "2026-11-30T08:00:00Z"},
		{"outside windows", berlin([]calendar.Span{office, saturday}, nil), "2026-12-04T20:00:00Z",
			calendar.Verdict{Why: "outside the windows mon-fri 09:00 to 17:00; sat 10:00 to 12:00 (Europe/Berlin)", When: "Sat 2026-12-05 10:00 CET"}, "2026-12-05T09:00:00Z"},
		{"in a freeze, and it opens with a window after it", berlin([]calendar.Span{office}, []calendar.Span{holidays}), "2026-12-21T10:00:00Z",
			calendar.Verdict{Frozen: true, Why: "freeze 2026-12-20 to 2027-01-03 (Europe/Berlin): end of the year", When: "Mon 2027-01-04 09:00 CET"}, "2027-01-04T08:00:00Z"},
		{"in a freeze without windows", berlin(nil, []calendar.Span{holidays}), "2026-12-19T23:00:00Z",
			calendar.Verdict{Frozen: true, Why: "freeze 2026-12-20 to 2027-01-03 (Europe/Berlin): end of the year", When: "Mon 2027-01-04 00:00 CET"}, "2027-01-03T23:00:00Z"},
		{"before a freeze", berlin(nil, []calendar.Span{holidays}), "2026-12-19T22:59:59Z",
			calendar.Verdict{Open: true, Why: "no freeze is in force", When: "Sun 2026-12-20 00:00 CET"}, "2026-12-19T23:00:00Z"},
		{"after the last freeze", berlin(nil, []calendar.Span{holidays}), "2027-02-01T00:00:00Z",
			calendar.Verdict{Open: true, Why: "no freeze is in force"}, ""},
		{"a freeze cuts a window short", berlin([]calendar.Span{office}, []calendar.Span{{From: "2026-11-30 12:00", To: "2026-11-30", Reason: "move"}}), "2026-11-30T08:00:00Z",
			calendar.Verdict{Open: true, Why: "window mon-fri 09:00 to 17:00 (Europe/Berlin)", When: "Mon 2026-11-30 12:00 CET"}, "2026-11-30T11:00:00Z"},
		{"of two freezes the one that ends last is named", berlin(nil, []calendar.Span{holidays, {From: "2026-12-24", To: "2026-12-26", Reason: "Christmas"}}), "2026-12-24T12:00:00Z",
			calendar.Verdict{Frozen: true, Why: "freeze 2026-12-20 to 2027-01-03 (Europe/Berlin): end of the year", When: "Mon 2027-01-04 00:00 CET"}, "2027-01-03T23:00:00Z"},
		{"windows that touch are one", berlin([]calendar.Span{clock("22:00", "00:00"), clock("00:00", "02:00")}, nil), "2026-11-29T22:00:00Z",
			calendar.Verdict{Open: true, Why: "window every day 22:00 to 00:00 (Europe/Berlin)", When: "Mon 2026-11-30 02:00 CET"}, "2026-11-30T01:00:00Z"},
		{"every day, all day", berlin([]calendar.Span{{Days: []string{"mon-sun"}}}, nil), "2026-11-29T22:00:00Z",
			calendar.Verdict{Open: true, Why: "window mon-sun (Europe/Berlin)"}, ""},
		{"every day, all day, but for a freeze", berlin([]calendar.Span{{Days: []string{"mon-fri"}}, {Days: []string{"sat-sun"}}}, []calendar.Span{holidays}), "2026-11-27T22:00:00Z",
			calendar.Verdict{Open: true, Why: "window mon-fri (Europe/Berlin)", When: "Sun 2026-12-20 00:00 CET"}, "2026-12-19T23:00:00Z"},
		{"a freeze for ever", berlin([]calendar.Span{office}, []calendar.Span{{Days: []string{"mon-sun"}, Reason: "retired"}}), "2026-11-27T22:00:00Z",
			calendar.Verdict{Frozen: true, Why: "freeze mon-sun (Europe/Berlin): retired"}, ""},
		{"the windows are all frozen", berlin([]calendar.Span{office}, []calendar.Span{clock("08:00", "18:00")}), "2026-11-27T22:00:00Z",
			calendar.Verdict{Why: "outside the window mon-fri 09:00 to 17:00 (Europe/Berlin)"}, ""},
		{"the last day of the month", berlin(nil, []calendar.Span{cron("0 0 L * *", 24*time.Hour)}), "2028-02-28T22:00:00Z",
			calendar.Verdict{Open: true, Why: "no freeze is in force", When: "Tue 2028-02-29 00:00 CET"}, "2028-02-28T23:00:00Z"},
		{"a day of the month or one of the week, in cron", berlin([]calendar.Span{cron("0 9 13 * fri", time.Hour)}, nil), "2026-12-11T20:00:00Z",
			calendar.Verdict{Why: "outside the window 0 9 13 * fri for 1h (Europe/Berlin)", When: "Sun 2026-12-13 09:00 CET"}, "2026-12-13T08:00:00Z"},
		{"the second Friday, in cron", berlin([]calendar.Span{cron("0 9 * * fri#2", time.Hour)}, nil), "2026-12-01T20:00:00Z",
			calendar.Verdict{Why: "outside the window 0 9 * * fri#2 for 1h (Europe/Berlin)", When: "Fri 2026-12-11 09:00 CET"}, "2026-12-11T08:00:00Z"},
		{"the workday nearest to the 15th, in cron", berlin([]calendar.Span{cron("0 9 15W * *", time.Hour)}, nil), "2026-11-01T20:00:00Z",
			calendar.Verdict{Why: "outside the window 0 9 15W * * for 1h (Europe/Berlin)", When: "Mon 2026-11-16 09:00 CET"}, "2026-11-16T08:00:00Z"},
		{"eight years to a leap day", berlin([]calendar.Span{cron("0 9 29 2 *", time.Hour)}, nil), "2096-03-01T00:00:00Z",
			calendar.Verdict{Why: "outside the window 0 9 29 2 * for 1h (Europe/Berlin)"}, ""},
		{"four windows are not all named", berlin([]calendar.Span{office, saturday, cron("0 9 1 * *", 8*time.Hour), clock("03:00", "04:00"), clock("05:00", "06:00")}, nil), "2026-11-29T22:00:00Z",
			calendar.Verdict{Why: "outside the windows mon-fri 09:00 to 17:00; sat 10:00 to 12:00; 0 9 1 * * for 8h; 2 more (Europe/Berlin)", When: "Mon 2026-11-30 03:00 CET"}, "2026-11-30T02:00:00Z"},
		{"cron that overlaps itself", berlin([]calendar.Span{cron("0 9 * * mon-fri", 25*time.Hour)}, nil), "2026-11-30T09:00:00Z",
			calendar.Verdict{Open: true, Why: "window 0 9 * * mon-fri for 25h (Europe/Berlin)", When: "Sat 2026-12-05 10:00 CET"}, "2026-12-05T09:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := must(t, c.plan).At(instant(t, c.at))
			if c.till != "" {
				c.want.Until = instant(t, c.till)
			}
			if got != c.want {
				t.Errorf("got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// Whatever a calendar is, an answer costs little: here no search would end by itself.
func TestTheSearchEnds(t *testing.T) {
	for name, plan := range map[string]calendar.Plan{
		"always open, by two crons":  {Zone: "UTC", Windows: []calendar.Span{cron("0 * * * *", 30*time.Minute), cron("30 * * * *", 30*time.Minute)}},
		"always open, overlapping":   {Zone: "UTC", Windows: []calendar.Span{cron("0 * * * *", 720*time.Hour)}},
		"never open":                 {Zone: "UTC", Windows: []calendar.Span{clock("10:00", "11:00")}, Freeze: []calendar.Span{cron("0 * * * *", 90*time.Minute)}},
		"always frozen, by weekdays": {Zone: "Europe/Berlin", Freeze: []calendar.Span{{Days: []string{"mon-thu"}}, {Days: []string{"fri-sun"}}}},
	} {
		c, begin := must(t, plan), time.Now()
		if v := c.At(instant(t, "2026-11-29T12:34:56Z")); !v.Until.IsZero() {
			t.Errorf("%s: %+v", name, v)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: one answer took %s", name, took)
		}
	}
}

// What is open stays so although the search for its end was given up.
func TestAnEndedSearchStillTellsWhatIsNow(t *testing.T) {
	hourly := cron("0 * * * *", time.Hour)
	c := must(t, calendar.Plan{Zone: "UTC", Freeze: []calendar.Span{hourly}, Windows: []calendar.Span{hourly, {From: "2026-11-29", To: "2026-11-30", Reason: "x"}}})
	if v := c.At(instant(t, "2026-11-29T12:00:00Z")); v.Open || !v.Frozen || !v.Until.IsZero() {
		t.Errorf("%+v", v)
	}
	c = must(t, calendar.Plan{Zone: "UTC", Windows: []calendar.Span{{From: "2026-11-28", To: "2026-11-28"}, hourly}})
	if v := c.At(instant(t, "2026-11-29T12:00:00Z")); !v.Open || !v.Until.IsZero() {
		t.Errorf("%+v", v)
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func BenchmarkAt(b *testing.B) {
	c := must(b, calendar.Plan{
		Zone:    "Europe/Berlin",
		Windows: []calendar.Span{{Days: []string{"mon-fri"}, From: "09:00", To: "17:00"}},
		Freeze:  []calendar.Span{{From: "2026-12-20", To: "2027-01-03"}},
	})
	at := time.Date(2026, 11, 27, 17, 0, 0, 0, time.UTC)
	for b.Loop() {
		c.At(at)
	}
}
