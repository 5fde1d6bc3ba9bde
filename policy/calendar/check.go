package calendar

// Kind is what sort of mistake a fault is.
type Kind int

// The kinds of faults.
const (
	Missing Kind = iota // Field is not written
	Clash               // Field and another one can't both be meant
	Syntax              // Field can't be read
	Range               // Field is out of its range
)

// Fault is something that is wrong with a span, and what to do.
type Fault struct {
	Field string // as in JSON; empty for the span as a whole
	Kind  Kind
	Says  string
}

// Check tells everything that is wrong with a span.
func (s Span) Check() []Fault {
	if faults := s.syntax(); len(faults) > 0 {
		return faults
	}
	switch {
	case s.Cron != "":
		return s.checkCron()
	case s.For != 0:
		return []Fault{{"for", Clash, "for comes with cron; write to instead"}}
	case dated(s.From) || dated(s.To):
		return s.checkDates()
	}
	return s.checkClock()
}

func (s Span) syntax() []Fault {
	var faults []Fault
	note := func(field, says string) {
		if says != "" {
			faults = append(faults, Fault{field, Syntax, says})
		}
	}
	for _, text := range s.Days {
		note("days", DayFault(text))
	}
	if s.From != "" {
		note("from", TimeFault(s.From))
	}
	if s.To != "" {
		note("to", TimeFault(s.To))
	}
	if s.Cron != "" {
		note("cron", CronFault(s.Cron))
	}
	return faults
}

func (s Span) checkCron() []Fault {
	var faults []Fault
	for _, other := range []struct {
		field   string
		written bool
	}{{"days", len(s.Days) > 0}, {"from", s.From != ""}, {"to", s.To != ""}} {
		if other.written {
			faults = append(faults, Fault{other.field, Clash, "cron tells when it begins, and for how long it lasts; remove one or the other"})
		}
	}
	switch {
	case s.For == 0:
		faults = append(faults, Fault{"for", Missing, "write how long it lasts, like 8h"})
	case s.For < LeastFor || s.For > MostFor:
		faults = append(faults, Fault{"for", Range, "it is " + PlainDuration(LeastFor) + " to " + PlainDuration(MostFor)})
	}
	return faults
}

func (s Span) checkDates() []Fault {
	from, _ := parseMoment(s.From)
	to, _ := parseMoment(s.To)
	var faults []Fault
	if len(s.Days) > 0 {
		faults = append(faults, Fault{"days", Clash, "days repeat every week, and dates do not; remove one or the other"})
	}
	switch {
	case s.From == "":
		faults = append(faults, Fault{"from", Missing, "write the first day"})
	case s.To == "":
		faults = append(faults, Fault{"to", Missing, "write the last day"})
	case !from.dated:
		faults = append(faults, Fault{"from", Clash, "to has a date; write one here, too"})
	case !to.dated:
		faults = append(faults, Fault{"to", Clash, "from has a date; write one here, too"})
	case to.end() <= from.begin():
		faults = append(faults, Fault{"to", Clash, "it is not after from = " + s.From})
	}
	return faults
}

func (s Span) checkClock() []Fault {
	from, _ := parseMoment(s.From)
	to, _ := parseMoment(s.To)
	switch {
	case s.From == "" && s.To == "" && len(s.Days) == 0:
		return []Fault{{"", Missing, "write days, from and to, or cron and for"}}
	case s.From == "" && s.To != "":
		return []Fault{{"from", Missing, "write when it begins, like 09:00"}}
	case s.To == "" && s.From != "":
		return []Fault{{"to", Missing, "write when it ends, like 17:00"}}
	case from.clock == dayLength:
		return []Fault{{"from", Clash, "24:00 is an end; write 00:00 for the begin of a day"}}
	case s.From != "" && from.clock == to.clock:
		return []Fault{{"to", Clash, "it is the same as from; leave both out for whole days"}}
	}
	return nil
}
