package calendar_test

import (
	"strings"
	"testing"
	"time"

	"greenlight/policy/calendar"
)

// The nights on which clocks change. A stretch is written in UTC, as
// "03-28 21:00 to 03-29 01:00"; windows show when they are open, freezes when
// they close.
func TestClocksThatChange(t *testing.T) {
	for _, c := range []struct {
		name, zone, around string
		span               calendar.Span
		window, freeze     string
	}{
		// Berlin goes from 02:00 CET to 03:00 CEST on 03-29 at 01:00 UTC, and from
		// 03:00 CEST to 02:00 CET on 10-25 at 01:00 UTC.
		{"a whole night in spring has an hour less", "Europe/Berlin", "2026-03-29", clock("22:00", "06:00", "sat"), "03-28 21:00 to 03-29 04:00", "03-28 21:00 to 03-29 04:00"},
		{"a whole night in autumn has an hour more", "Europe/Berlin", "2026-10-25", clock("22:00", "06:00", "sat"), "10-24 20:00 to 10-25 05:00", "10-24 20:00 to 10-25 05:00"},
		{"it begins at a skipped time", "Europe/Berlin", "2026-03-29", clock("02:30", "05:00", "sun"), "03-29 01:00 to 03-29 03:00", "03-29 01:00 to 03-29 03:00"},
		{"it ends at a skipped time", "Europe/Berlin", "2026-03-29", clock("01:00", "02:30", "sun"), "03-29 00:00 to 03-29 01:00", "03-29 00:00 to 03-29 01:00"},
		{"all of it is skipped", "Europe/Berlin", "2026-03-29", clock("02:10", "02:50", "sun"), "", ""},
		{"it begins at a time that comes twice", "Europe/Berlin", "2026-10-25", clock("02:30", "05:00", "sun"), "10-25 01:30 to 10-25 04:00", "10-25 00:30 to 10-25 04:00"},
		{"it ends at a time that comes twice", "Europe/Berlin", "2026-10-25", clock("01:00", "02:30", "sun"), "10-24 23:00 to 10-25 00:30", "10-24 23:00 to 10-25 01:30"},
		{"all of it comes twice", "Europe/Berlin", "2026-10-25", clock("02:10", "02:50", "sun"), "10-25 00:10 to 10-25 00:50", "10-25 00:10 to 10-25 01:50"},
		{"it ends as the clock goes back", "Europe/Berlin", "2026-10-25", clock("01:00", "03:00", "sun"), "10-24 23:00 to 10-25 02:00", "10-24 23:00 to 10-25 02:00"},
		{"a day of 23 hours", "Europe/Berlin", "2026-03-29", calendar.Span{Days: []string{"sun"}}, "03-28 23:00 to 03-29 22:00", "03-28 23:00 to 03-29 22:00"},
		{"a day of 25 hours", "Europe/Berlin", "2026-10-25", calendar.Span{Days: []string{"sun"}}, "10-24 22:00 to 10-25 23:00", "10-24 22:00 to 10-25 23:00"},
		{"dates over the change", "Europe/Berlin", "2026-03-29", calendar.Span{From: "2026-03-29 02:30", To: "2026-03-29"}, "03-29 01:00 to 03-29 22:00", "03-29 01:00 to 03-29 22:00"},
		{"dates to a time that comes twice", "Europe/Berlin", "2026-10-25", calendar.Span{From: "2026-10-25", To: "2026-10-25 02:30"}, "10-24 22:00 to 10-25 00:30", "10-24 22:00 to 10-25 01:30"},
		{"cron at a skipped time", "Europe/Berlin", "2026-03-29", cron("30 2 29 3 *", time.Hour), "03-29 01:00 to 03-29 02:00", "03-29 01:00 to 03-29 02:00"},
		{"cron at a time that comes twice", "Europe/Berlin", "2026-10-25", cron("30 2 25 10 *", time.Hour), "10-25 00:30 to 10-25 01:30", "10-25 00:30 to 10-25 02:30"},
		{"cron lasts by a stopwatch", "Europe/Berlin", "2026-03-29", cron("0 0 29 3 *", 24*time.Hour), "03-28 23:00 to 03-29 23:00", "03-28 23:00 to 03-29 23:00"},

		// New York goes from 02:00 EST to 03:00 EDT on 03-08 at 07:00 UTC, and from
		// 02:00 EDT to 01:00 EST on 11-01 at 06:00 UTC.
		{"it begins at a skipped time", "America/New_York", "2026-03-08", clock("02:15", "04:00", "sun"), "03-08 07:00 to 03-08 08:00", "03-08 07:00 to 03-08 08:00"},
		{"it ends at a skipped time", "America/New_York", "2026-03-08", clock("22:00", "02:15", "sat"), "03-08 03:00 to 03-08 07:00", "03-08 03:00 to 03-08 07:00"},
		{"it begins at a time that comes twice", "America/New_York", "2026-11-01", clock("01:30", "04:00", "sun"), "11-01 06:30 to 11-01 09:00", "11-01 05:30 to 11-01 09:00"},
		{"it ends at a time that comes twice", "America/New_York", "2026-11-01", clock("22:00", "01:30", "sat"), "11-01 02:00 to 11-01 05:30", "11-01 02:00 to 11-01 06:30"},
		{"a day of 23 hours", "America/New_York", "2026-03-08", calendar.Span{Days: []string{"sun"}}, "03-08 05:00 to 03-09 04:00", "03-08 05:00 to 03-09 04:00"},
		{"a day of 25 hours", "America/New_York", "2026-11-01", calendar.Span{Days: []string{"sun"}}, "11-01 04:00 to 11-02 05:00", "11-01 04:00 to 11-02 05:00"},

		// Lord Howe moves by half an hour: from 02:00 (+10:30) to 02:30 (+11) on 10-04,
		// 10-03 15:30 UTC, and from 02:00 (+11) to 01:30 (+10:30) on 04-05, 04-04 15:00 UTC.
		{"it begins at a skipped time", "Australia/Lord_Howe", "2026-10-04", clock("02:15", "04:00", "sun"), "10-03 15:30 to 10-03 17:00", "10-03 15:30 to 10-03 17:00"},
		{"it ends at a skipped time", "Australia/Lord_Howe", "2026-10-04", clock("01:00", "02:15", "sun"), "10-03 14:30 to 10-03 15:30", "10-03 14:30 to 10-03 15:30"},
		{"it begins at a time that comes twice", "Australia/Lord_Howe", "2026-04-05", clock("01:45", "04:00", "sun"), "04-04 15:15 to 04-04 17:30", "04-04 14:45 to 04-04 17:30"},
		{"it ends at a time that comes twice", "Australia/Lord_Howe", "2026-04-05", clock("01:00", "01:45", "sun"), "04-04 14:00 to 04-04 14:45", "04-04 14:00 to 04-04 15:15"},
		{"a day of 23 and a half hours", "Australia/Lord_Howe", "2026-10-04", calendar.Span{Days: []string{"sun"}}, "10-03 13:30 to 10-04 13:00", "10-03 13:30 to 10-04 13:00"},
		{"a day of 24 and a half hours", "Australia/Lord_Howe", "2026-04-05", calendar.Span{Days: []string{"sun"}}, "04-04 13:00 to 04-05 13:30", "04-04 13:00 to 04-05 13:30"},

		// Havana's clocks go back from 01:00 to 00:00, and Beirut's forward from 00:00 to 01:00.
		{"midnight comes twice", "America/Havana", "2026-11-01", calendar.Span{Days: []string{"sun"}}, "11-01 05:00 to 11-02 05:00", "11-01 04:00 to 11-02 05:00"},
		{"midnight is skipped", "Asia/Beirut", "2026-03-29", calendar.Span{Days: []string{"sun"}}, "03-28 22:00 to 03-29 21:00", "03-28 22:00 to 03-29 21:00"},
		// Samoa went over the date line, and had no 2011-12-30.
		{"a day that was skipped", "Pacific/Apia", "2011-12-30", calendar.Span{Days: []string{"fri"}}, "", ""},
		{"over a day that was skipped", "Pacific/Apia", "2011-12-30", calendar.Span{From: "2011-12-29", To: "2011-12-31"}, "12-29 10:00 to 12-31 10:00", "12-29 10:00 to 12-31 10:00"},

		// No daylight saving.
		{"nothing changes", "Asia/Tokyo", "2026-03-29", clock("22:00", "02:30", "sat"), "03-28 13:00 to 03-28 17:30", "03-28 13:00 to 03-28 17:30"},
		{"nothing changes", "Asia/Kolkata", "2026-10-25", clock("02:30", "05:00", "sun"), "10-24 21:00 to 10-24 23:30", "10-24 21:00 to 10-24 23:30"},
		{"nothing changes", "UTC", "2026-10-25", clock("02:30", "05:00", "sun"), "10-25 02:30 to 10-25 05:00", "10-25 02:30 to 10-25 05:00"},
	} {
		t.Run(c.zone+" "+c.around+" "+c.name, func(t *testing.T) {
			window := must(t, calendar.Plan{Zone: c.zone, Windows: []calendar.Span{c.span}})
			if got := stretches(t, window, c.around, true); got != c.window {
				t.Errorf("the window is open %q, want %q", got, c.window)
			}
			freeze := must(t, calendar.Plan{Zone: c.zone, Freeze: []calendar.Span{c.span}})
			if got := stretches(t, freeze, c.around, false); got != c.freeze {
				t.Errorf("the freeze closes %q, want %q", got, c.freeze)
			}
		})
	}
}

// stretches lists when the calendar is open, or closed, from a day before to
// two days after the day named. What lies across the ends is not listed.
func stretches(t *testing.T, c calendar.Calendar, around string, open bool) string {
	t.Helper()
	day, err := time.Parse(time.DateOnly, around)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	from, end := day.Add(-26*time.Hour), day.Add(50*time.Hour)
	for at := c.At(from).Until; !at.IsZero() && at.Before(end); {
		v := c.At(at)
		if v.Open == open && !v.Until.IsZero() {
			out = append(out, at.Format("01-02 15:04")+" to "+v.Until.Format("01-02 15:04"))
		}
		at = v.Until
	}
	return strings.Join(out, ", ")
}

func clock(from, to string, days ...string) calendar.Span {
	return calendar.Span{From: from, To: to, Days: days}
}

func cron(text string, last time.Duration) calendar.Span {
	return calendar.Span{Cron: text, For: last}
}

func must(t testing.TB, p calendar.Plan) calendar.Calendar {
	t.Helper()
	c, err := calendar.New(p)
	if err != nil {
		t.Fatalf("%+v: %v", p, err)
	}
	return c
}
