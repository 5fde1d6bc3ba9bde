package calendar_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"greenlight/policy/calendar"
)

func TestHowWordsAreWritten(t *testing.T) {
	for what, c := range map[string]struct {
		fault     func(string) string
		good, bad []string
	}{
		"time zone": {calendar.ZoneFault,
			[]string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Antarctica/DumontDUrville"},
			[]string{"", "Local", "CEST", "Europe/Berlinn", "europe/berlin", "right/Europe/Berlin", "posixrules", "../UTC", "/etc/localtime", "+01:00", "UTC ", "Europe/", strings.Repeat("A", 99)}},
		"days": {calendar.DayFault,
			[]string{"mon", "mon-fri", "fri-mon", "sat-sun"},
			[]string{"", "Mon", "monday", "mon-", "-mon", "mon-mon", "mon,tue", "mon - fri", "mon-tue-wed", "1-5"}},
		"time": {calendar.TimeFault,
			[]string{"09:00", "00:00", "24:00", "2026-12-20", "2028-02-29", "2026-12-20 18:00", "2026-12-20 24:00"},
			[]string{"", " ", "9:00", "09", "0900", "24:01", "25:00", "12:60", "09:00:00", " 09:00", "2026-2-1", "2026-02-30", "1999-12-31", "2100-01-01", "2026-12-2018:00", "2026-12-20T18:00", "2026-12-20 ", "2026-12-20 25:00", "20.12.2026"}},
		"cron": {calendar.CronFault,
			[]string{"0 9 * * mon-fri", "0 9 * * 1-5", "30 22 L * *", "0 0 1W * *", "0 9 * * 5#1", "0 0 29 2 *", "0 */2 * * *", "0 * * * *", "0 0 * * 7"},
			[]string{"", "@daily", "@every 1h", "0 9 * *", "0 9 * * * *", "0 0 9 * * * *", "60 * * * *", "0 24 * * *", "0 0 31 2 *", "TZ=UTC 9 * * *", "* * * * *", "*/30 * * * *", "0 9 * * noday", "0 9-5x * * *"}},
	} {
		for _, text := range c.good {
			if says := c.fault(text); says != "" {
				t.Errorf("%s %q: %s", what, text, says)
			}
		}
		for _, text := range c.bad {
			if c.fault(text) == "" {
				t.Errorf("%s %q is taken", what, text)
			}
		}
	}
}

// Each mistake is told by the field that it is in.
func TestSpansWithFaults(t *testing.T) {
	for _, c := range []struct {
		span  calendar.Span
		field string
		kind  calendar.Kind
	}{
		{calendar.Span{}, "", calendar.Missing},
		{calendar.Span{Reason: "x"}, "", calendar.Missing},
		{calendar.Span{From: "09:00"}, "to", calendar.Missing},
		{calendar.Span{To: "09:00", Days: []string{"mon"}}, "from", calendar.Missing},
		{calendar.Span{From: "09:00", To: "09:00"}, "to", calendar.Clash},
		{calendar.Span{From: "24:00", To: "09:00"}, "from", calendar.Clash},
		{calendar.Span{From: "2026-12-20"}, "to", calendar.Missing},
		{calendar.Span{To: "2026-12-20"}, "from", calendar.Missing},
		{calendar.Span{From: "2026-12-20", To: "17:00"}, "to", calendar.Clash},
		{calendar.Span{From: "09:00", To: "2026-12-20"}, "from", calendar.Clash},
		{calendar.Span{From: "2026-12-20", To: "2026-12-19"}, "to", calendar.Clash},
		{calendar.Span{From: "2026-12-20 18:00", To: "2026-12-20 18:00"}, "to", calendar.Clash},
		{calendar.Span{From: "2026-12-20", To: "2026-12-20", Days: []string{"mon"}}, "days", calendar.Clash},
		{calendar.Span{Days: []string{"mon"}, For: time.Hour}, "for", calendar.Clash},
		{calendar.Span{Cron: "0 9 * * *"}, "for", calendar.Missing},
		{calendar.Span{Cron: "0 9 * * *", For: time.Second}, "for", calendar.Range},
		{calendar.Span{Cron: "0 9 * * *", For: 721 * time.Hour}, "for", calendar.Range},
		{calendar.Span{Cron: "0 9 * * *", For: time.Hour, To: "10:00"}, "to", calendar.Clash},
		{calendar.Span{Cron: "0 9 * *", For: time.Hour}, "cron", calendar.Syntax},
		{calendar.Span{From: "9:00", To: "17:00"}, "from", calendar.Syntax},
		{calendar.Span{From: "09:00", To: "17"}, "to", calendar.Syntax},
		{calendar.Span{Days: []string{"mon", "tues"}}, "days", calendar.Syntax},
	} {
		faults := c.span.Check()
		if len(faults) != 1 || faults[0].Field != c.field || faults[0].Kind != c.kind || faults[0].Says == "" {
			t.Errorf("%+v: %+v, want one in %q of kind %d", c.span, faults, c.field, c.kind)
		}
		if _, err := calendar.New(calendar.Plan{Zone: "UTC", Freeze: []calendar.Span{c.span}}); err == nil {
			t.Errorf("%+v makes a calendar", c.span)
		}
	}
}

// What can't be understood is not read.
func TestJSONThatIsNoCalendar(t *testing.T) {
	for _, text := range []string{`1`, `{"windows": [{"days": ["sun"]}]}`, `{"zone": "Local", "windows": [{"days": ["sun"]}]}`, `{"zone": "UTC", "freeze": [{}]}`} {
		var c calendar.Calendar
		if err := json.Unmarshal([]byte(text), &c); err == nil || !c.IsZero() {
			t.Errorf("%s is read as %+v (%v)", text, c.Plan(), err)
		}
	}
	var c calendar.Calendar
	if err := json.Unmarshal([]byte(`{}`), &c); err != nil || !c.IsZero() || !c.At(time.Unix(0, 0)).Open {
		t.Errorf("an empty calendar: %v", err)
	}
}

// A plan that is changed afterwards changes no calendar.
func TestACalendarIsImmutable(t *testing.T) {
	plan := calendar.Plan{Zone: "UTC", Windows: []calendar.Span{{Days: []string{"sun"}}}}
	c := must(t, plan)
	plan.Windows[0].Days[0] = "mon"
	c.Plan().Windows[0].Days[0] = "tue"
	if got := c.Plan().Windows[0].Days[0]; got != "sun" {
		t.Errorf("the calendar's day became %s", got)
	}
}
