package calendar_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"greenlight/policy/calendar"
)

// FuzzSpan: whatever a span holds, it is told as faulty, or makes a calendar
// that answers, and whose answer is exact.
func FuzzSpan(f *testing.F) {
	f.Add("Europe/Berlin", "mon-fri", "09:00", "17:00", "", int64(0), int64(1_800_000_000))
	f.Add("Australia/Lord_Howe", "", "2026-04-05", "2026-04-05 01:45", "", int64(0), int64(1_775_310_000))
	f.Add("America/New_York", "", "", "", "30 1 1 11 *", int64(time.Hour), int64(1_793_511_000))
	f.Add("UTC", "", "", "", "0 0 LW * 5L", int64(time.Minute), int64(1_793_511_000))
	f.Fuzz(func(t *testing.T, zone, day, from, to, cron string, last, unix int64) {
		s := calendar.Span{From: from, To: to, Cron: cron, For: time.Duration(last)}
		if day != "" {
			s.Days = []string{day}
		}
		for _, plan := range []calendar.Plan{{Zone: zone, Windows: []calendar.Span{s}}, {Zone: zone, Freeze: []calendar.Span{s}}} {
			c, err := calendar.New(plan)
			if (err == nil) != (calendar.ZoneFault(zone) == "" && len(s.Check()) == 0) {
				t.Fatalf("%+v: %v, and its faults are %+v", plan, err, s.Check())
			}
			if err == nil {
				answers(t, c, time.Unix(unix%4_000_000_000, 0))
			}
		}
	})
}

func answers(t *testing.T, c calendar.Calendar, at time.Time) {
	t.Helper()
	v := c.At(at)
	if !v.Until.IsZero() && (c.At(v.Until).Open == v.Open || c.At(v.Until.Add(-1)).Open != v.Open || !v.Until.After(at)) {
		t.Fatalf("at %s: %+v", at, v)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back calendar.Calendar
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(c, back) {
		t.Fatalf("%s: %v", text, err)
	}
}

// FuzzCron: whatever a cron expression holds, reading it ends, and what is
// taken makes a calendar that answers.
func FuzzCron(f *testing.F) {
	for _, text := range []string{"0 9 * * mon-fri", "*/20 0-23/3 L * *", "0 0 15W jan-mar *", "0 0 * * 5#3", "59 23 31 12 7L", "0 0 LW 2 0"} {
		f.Add(text, int64(1_800_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		if calendar.CronFault(text) != "" {
			return
		}
		c := must(t, calendar.Plan{Zone: "Europe/Berlin", Freeze: []calendar.Span{{Cron: text, For: 90 * time.Minute}}})
		answers(t, c, time.Unix(unix%4_000_000_000, 0))
	})
}
