package calendar

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How single words of a span are written. Each …Fault gives the sentence that
// states what is wrong, or nothing.

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// DayFault is for one entry of Span.Days.
func DayFault(text string) string {
	_, says := parseDays(text)
	return says
}

// parseDays reads a day of the week or a range, which may go over a Sunday.
func parseDays(text string) (days []int, says string) {
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	first, last := slices.Index(weekdays, from), slices.Index(weekdays, to)
	if first < 0 || last < 0 || ranged && first == last {
		return nil, "days are written like mon, or mon-fri for a range"
	}
	for day := first; ; day = (day + 1) % len(weekdays) {
		days = append(days, day)
		if day == last {
			return days, ""
		}
	}
}

// moment is a clock time, a date, or both.
type moment struct {
	dated, clocked bool
	date           wall // midnight of the date
	clock          wall // since midnight
}

// begin and end are those of a date.
func (m moment) begin() wall { return m.date + m.clock }

// end of a date without a clock time is that of its day.
func (m moment) end() wall {
	if !m.clocked {
		return m.date + dayLength
	}
	return m.date + m.clock
}

var momentSyntax = regexp.MustCompile(`^(?:([0-9]{4}-[0-9]{2}-[0-9]{2}))?(?:( ?)([0-9]{2}):([0-9]{2}))?$`)

// TimeFault is for Span.From and Span.To.
func TimeFault(text string) string {
	_, says := parseMoment(text)
	return says
}

// The years that a date may be in.
const (
	leastYear = 2000
	mostYear  = 2099
)

func parseMoment(text string) (m moment, says string) {
	parts := momentSyntax.FindStringSubmatch(text)
	if text == "" || parts == nil || (parts[1] != "") != (parts[2] != "") && parts[3] != "" {
		return moment{}, "a time is written like 09:00, 2026-12-20 or 2026-12-20 18:00, with two digits each"
	}
	if parts[1] != "" {
		date, err := time.Parse(time.DateOnly, parts[1])
		if err != nil {
			return moment{}, "there is no such day"
		}
		if date.Year() < leastYear || date.Year() > mostYear {
			return moment{}, "a year is 2000 to 2099"
		}
		m.dated, m.date = true, wall(date.Unix())
	}
	if parts[3] != "" {
		// Neither can fail: they are two digits each.
		hours, _ := strconv.Atoi(parts[3])
		minutes, _ := strconv.Atoi(parts[4])
		if hours > 24 || minutes > 59 || hours == 24 && minutes > 0 {
			return moment{}, "a day goes from 00:00 to 24:00"
		}
		m.clocked, m.clock = true, wall(hours*3600+minutes*60)
	}
	return m, ""
}

// dated reports whether a time that may be written wrongly has a date.
func dated(text string) bool {
	m, _ := parseMoment(text)
	return m.dated
}
