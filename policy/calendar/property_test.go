package calendar_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greenlight/policy/calendar"
)

// near are instants around which clocks change, or do not.
var near = map[string][]string{
	"Europe/Berlin":       {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2040-12-31T00:00:00Z"},
	"America/New_York":    {"2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"},
	"Australia/Lord_Howe": {"2026-10-03T15:30:00Z", "2026-04-04T15:00:00Z"},
	"America/Havana":      {"2026-03-08T05:00:00Z", "2026-11-01T05:00:00Z"},
	"Africa/Casablanca":   {"2026-02-15T02:00:00Z", "2026-03-22T02:00:00Z"},
	"Asia/Tokyo":          {"2026-03-29T01:00:00Z"},
	"UTC":                 {"2026-12-31T23:59:00Z"},
}

func zones() []string {
	var names []string
	for name := range near {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// drawn is a random calendar and an instant at which it is interesting.
func drawn(r *rapid.T) (calendar.Plan, time.Time) {
	zone := rapid.SampledFrom(zones()).Draw(r, "zone")
	middle, err := time.Parse(time.RFC3339, rapid.SampledFrom(near[zone]).Draw(r, "near"))
	if err != nil {
		r.Fatal(err)
	}
	span := rapid.Custom(func(r *rapid.T) calendar.Span { return drawnSpan(r, middle) })
	plan := calendar.Plan{
		Zone:    zone,
		Windows: rapid.SliceOfN(span, 0, 3).Draw(r, "windows"),
		Freeze:  rapid.SliceOfN(span, 0, 3).Draw(r, "freeze"),
	}
	return plan, middle.Add(time.Duration(rapid.IntRange(-5*24*3600, 3*24*3600).Draw(r, "away")) * time.Second)
}

func drawnSpan(r *rapid.T, middle time.Time) calendar.Span {
	minute := rapid.IntRange(0, 24*4-1)
	begin, end := minute.Draw(r, "begin"), minute.Draw(r, "end")
	clock := func(quarters int) string { return fmt.Sprintf("%02d:%02d", quarters/4, quarters%4*15) }
	days := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"mon", "sat", "sun", "mon-fri", "fri-mon", "sun-thu"}), 0, 2, rapid.ID[string])
	switch rapid.IntRange(0, 3).Draw(r, "form") {
	case 0:
		return calendar.Span{Days: append(days.Draw(r, "days"), "sun")}
	case 1:
		if begin == end {
			return calendar.Span{Days: []string{"sat-sun"}, From: clock(begin), To: "24:00"}
		}
		return calendar.Span{Days: days.Draw(r, "days"), From: clock(begin), To: clock(end)}
	case 2:
		first := middle.AddDate(0, 0, rapid.IntRange(-3, 3).Draw(r, "first"))
		last := first.AddDate(0, 0, rapid.IntRange(1, 4).Draw(r, "last"))
		s := calendar.Span{From: first.Format(time.DateOnly), To: last.Format(time.DateOnly)}
		if rapid.Bool().Draw(r, "times") {
			s.From, s.To = s.From+" "+clock(begin), s.To+" "+clock(end)
		}
		return s
	default:
		day := rapid.SampledFrom([]string{"* * *", "* * sun", "* * mon-fri", "L * *", "25 * 6", "29 2 *"}).Draw(r, "day")
		hours := rapid.SampledFrom([]string{"1,2", "2", "*/6", "*", "23"}).Draw(r, "hours")
		quarters := rapid.IntRange(1, 200).Draw(r, "for")
		return calendar.Span{Cron: fmt.Sprintf("%d %s %s", begin%4*15, hours, day), For: time.Duration(quarters) * 15 * time.Minute}
	}
}

// What At says holds from the instant asked for up to Until, and not at Until. Where the
// search for it is given up, a later one may get further.
func TestUntilIsExact(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		plan, at := drawn(r)
		c, err := calendar.New(plan)
		if err != nil {
			r.Fatal(err)
		}
		v := c.At(at)
		if (v.When == "") != v.Until.IsZero() || v.Why == "" || v.Open && v.Frozen {
			r.Fatalf("%+v does not hold together", v)
		}
		end := v.Until
		if end.IsZero() {
			if calendar.GivesUp(c, at) {
				return
			}
			end = at.Add(1000 * time.Hour)
		} else {
			if !end.After(at) {
				r.Fatalf("at %s it is %+v", at, v)
			}
			if then := c.At(end); then.Open == v.Open {
				r.Fatalf("nothing changes at %s: %+v, then %+v", end, v, then)
			}
			if before := c.At(end.Add(-1)); before.Open != v.Open || !before.Until.Equal(end) {
				r.Fatalf("just before %s it is %+v, not %+v", end, before, v)
			}
		}
		for range 20 {
			between := at.Add(time.Duration(rapid.Int64Range(0, int64(end.Sub(at))-1).Draw(r, "between")))
			then := c.At(between)
			if then.Open != v.Open || !then.Until.Equal(v.Until) && !calendar.GivesUp(c, between) {
				r.Fatalf("at %s it is %+v, and at %s %+v", at, v, between, then)
			}
		}
	})
}

// A freeze closes whenever a clock shows a time of it, and a window is open
// only while a clock shows a time of it, on the nights of a change as well. On
// all others both are exactly what the clock shows.
func TestWhatTheClockShows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		plan, at := drawn(r)
		span := rapid.Custom(func(r *rapid.T) calendar.Span { return drawnSpan(r, at) }).
			Filter(func(s calendar.Span) bool { return s.Cron == "" }).Draw(r, "span")
		zone, err := time.LoadLocation(plan.Zone)
		if err != nil {
			r.Fatal(err)
		}
		window := calendarOf(r, calendar.Plan{Zone: plan.Zone, Windows: []calendar.Span{span}})
		freeze := calendarOf(r, calendar.Plan{Zone: plan.Zone, Freeze: []calendar.Span{span}})
		shown := shows(span, at.In(zone))
		open, closed := window.At(at).Open, !freeze.At(at).Open
		if open && !shown || shown && !closed {
			r.Fatalf("%s, at %s: open %v, frozen %v, and the clock shows it: %v", span, at.In(zone), open, closed, shown)
		}
		if steady(at, zone) && (open != shown || closed != shown) {
			r.Fatalf("%s, at %s, where no clock is changed: open %v, frozen %v, and the clock shows it: %v", span, at.In(zone), open, closed, shown)
		}
	})
}

// Cron windows and freezes are those of a search minute by minute, where no
// clock is changed.
func TestCronBySearch(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		plan, at := drawn(r)
		zone, err := time.LoadLocation(plan.Zone)
		if err != nil {
			r.Fatal(err)
		}
		hour, minute := rapid.IntRange(0, 23).Draw(r, "hour"), rapid.IntRange(0, 59).Draw(r, "minute")
		day, last := rapid.IntRange(0, 6).Draw(r, "day"), time.Duration(rapid.IntRange(1, 30*60).Draw(r, "for"))*time.Minute
		if !steady(at, zone) {
			r.Skip("a clock is changed")
		}
		want := false
		for back := at.Truncate(time.Minute); at.Sub(back) < last; back = back.Add(-time.Minute) {
			then := back.In(zone)
			want = want || then.Hour() == hour && then.Minute() == minute && int(then.Weekday()) == day
		}
		spans := []calendar.Span{cron(fmt.Sprintf("%d %d * * %d", minute, hour, day), last)}
		window := calendarOf(r, calendar.Plan{Zone: plan.Zone, Windows: spans})
		freeze := calendarOf(r, calendar.Plan{Zone: plan.Zone, Freeze: spans})
		if open, closed := window.At(at).Open, !freeze.At(at).Open; open != want || closed != want {
			r.Fatalf("%s, at %s: open %v, frozen %v, want %v", spans[0], at.In(zone), open, closed, want)
		}
	})
}

// A calendar comes back from JSON as it was, deeply equal, and says the same.
func TestJSONKeepsACalendar(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		plan, at := drawn(r)
		c := calendarOf(r, plan)
		text, err := json.Marshal(c)
		if err != nil {
			r.Fatal(err)
		}
		var back calendar.Calendar
		if err := json.Unmarshal(text, &back); err != nil {
			r.Fatalf("%s: %v", text, err)
		}
		c.At(at) // must leave no trace
		if !reflect.DeepEqual(c, back) || !c.Equal(back) {
			r.Fatalf("%s came back as another calendar", text)
		}
		if c.At(at) != back.At(at) {
			r.Fatalf("%s says %+v, and read again %+v", text, c.At(at), back.At(at))
		}
	})
}

func calendarOf(r *rapid.T, p calendar.Plan) calendar.Calendar {
	c, err := calendar.New(p)
	if err != nil {
		r.Fatal(err)
	}
	return c
}

// shows reports whether a clock that shows what t says shows a time of s.
func shows(s calendar.Span, t time.Time) bool {
	if len(s.From) > len("09:00") {
		now, end := t.Format("2006-01-02 15:04"), s.To
		if len(end) == len(time.DateOnly) {
			end += " 24:00"
		}
		return now >= s.From && now < end
	}
	from, to := s.From, s.To
	if from == "" {
		from, to = "00:00", "24:00"
	}
	now, yesterday := t.Format("15:04"), time.Date(t.Year(), t.Month(), t.Day()-1, 12, 0, 0, 0, time.UTC)
	if from < to {
		return on(s.Days, t.Weekday()) && now >= from && now < to
	}
	return on(s.Days, t.Weekday()) && now >= from || on(s.Days, yesterday.Weekday()) && now < to
}

func on(days []string, day time.Weekday) bool {
	listed := map[string]string{"mon-fri": "mon tue wed thu fri", "fri-mon": "fri sat sun mon", "sun-thu": "sun mon tue wed thu", "sat-sun": "sat sun"}
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	return len(days) == 0 || slices.ContainsFunc(days, func(d string) bool {
		if long, ok := listed[d]; ok {
			d = long
		}
		return slices.Contains(strings.Fields(d), names[day])
	})
}

// steady reports whether no clock is changed within two days of t.
func steady(t time.Time, zone *time.Location) bool {
	for hours := -48; hours <= 48; hours++ {
		_, here := t.In(zone).Zone()
		if _, there := t.Add(time.Duration(hours) * time.Hour).In(zone).Zone(); here != there {
			return false
		}
	}
	return true
}
