package calendar

import (
	"strings"
	"time"
)

// Span is a window or a freeze as it is written, in one of three forms: Days,
// or From and To as clock times, or all of them; From and To as dates; Cron and
// For.
type Span struct {
	// Days are the days of the week that it begins on, like mon-fri or sat;
	// none: every day.
	Days []string `json:"days,omitempty"`
	// From and To are clock times like 09:00, where To may be on the next day, or
	// dates like 2026-12-20 or 2026-12-20 18:00. A date without a clock time is
	// the whole day. The minute of To is outside.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Cron tells when it begins, and For how long it lasts.
	Cron   string        `json:"cron,omitempty"`
	For    time.Duration `json:"for,omitempty"`
	Reason string        `json:"reason,omitempty"`
}

// The bounds of For.
const (
	LeastFor = time.Minute
	MostFor  = 30 * 24 * time.Hour
)

// String is the span in words.
func (s Span) String() string {
	switch {
	case s.Cron != "":
		return s.Cron + " for " + PlainDuration(s.For)
	case dated(s.From) || dated(s.To):
		return s.From + " to " + s.To
	}
	days := "every day"
	if len(s.Days) > 0 {
		days = strings.Join(s.Days, ", ")
	}
	if s.From == "" {
		return days
	}
	return days + " " + s.From + " to " + s.To
}

// PlainDuration writes 8h instead of 8h0m0s.
func PlainDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// pattern is the span in a zone. The span has no faults.
func (s Span) pattern(zone *time.Location, freeze bool) pattern {
	p := pattern{span: s, zone: zone, freeze: freeze}
	if s.Cron != "" {
		c, _ := parseCron(s.Cron)
		p.begins, p.elapsed = c, s.For
		return p
	}
	from, _ := parseMoment(s.From)
	to, _ := parseMoment(s.To)
	if from.dated {
		p.begins, p.length = once(from.begin()), to.end()-from.begin()
		return p
	}
	w := weekly{from: from.clock}
	for day := range w.days {
		w.days[day] = len(s.Days) == 0
	}
	for _, text := range s.Days {
		days, _ := parseDays(text)
		for _, day := range days {
			w.days[day] = true
		}
	}
	p.begins, p.length = w, dayLength
	if s.From != "" {
		if p.length = to.clock - from.clock; p.length <= 0 {
			p.length += dayLength
		}
	}
	p.always = w.daily() && p.length == dayLength
	return p
}
