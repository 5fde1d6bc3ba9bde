package policy

import (
	"strings"

	"greenlight/policy/calendar"
)

// maxSpans bounds a calendar's windows, and its freezes.
const maxSpans = 100

// calendar is always open unless one is written.
func (b *builder) calendar(raw *rawCalendar) calendar.Calendar {
	const path = "spec.calendar"
	if raw == nil {
		return calendar.Calendar{}
	}
	before := len(b.problems)
	if raw.Zone == nil { // and noted, so that the calendar is not made
		b.require(path+".zone", "write the time zone of its times, like Europe/Berlin, or UTC")
	}
	if !b.marks.has(path+".windows") && !b.marks.has(path+".freeze") {
		b.require(path+".windows", "write windows or freeze, or remove calendar")
	}
	freezes := make([]rawWindow, len(raw.Freeze))
	for i, f := range raw.Freeze {
		freezes[i] = rawWindow(f)
		if f.Reason == nil {
			b.require(item(path+".freeze", i)+".reason", "write why nothing may move; it is shown to those who wait")
		}
	}
	windows, read := b.spans(path+".windows", raw.Windows)
	freeze, readToo := b.spans(path+".freeze", freezes)
	if b.marks.unread(path+".zone") || !read || !readToo || len(b.problems) > before {
		return calendar.Calendar{}
	}
	c, err := calendar.New(calendar.Plan{Zone: string(*raw.Zone), Windows: windows, Freeze: freeze})
	if err != nil {
		b.problem(path, RuleContradiction, "calendar: %v", err)
	}
	return c
}

// spans builds the windows or the freezes, and reports whether all of them could be read.
func (b *builder) spans(path string, raw []rawWindow) (spans []calendar.Span, read bool) {
	switch {
	case len(raw) == 0 && b.marks.has(path):
		b.require(path, "write at least one, or remove the key")
		return nil, false
	case len(raw) > maxSpans:
		b.problem(path, RuleTooLarge, "%s has %d entries; at most %d", shown(path), len(raw), maxSpans)
		return nil, false
	}
	read = true
	var names []string
	for i := range raw {
		at := item(path, i)
		span := b.span(at, raw[i])
		if b.unreadSpan(at, raw[i]) {
			read = false
			continue
		}
		for _, f := range span.Check() {
			b.spanFault(at, span, f)
		}
		spans, names = append(spans, span), append(names, span.String())
	}
	if read {
		b.unique(path, names)
	}
	return spans, read
}

func (b *builder) span(path string, raw rawWindow) calendar.Span {
	s := calendar.Span{
		From:   string(*orEmpty(raw.From)),
		To:     string(*orEmpty(raw.To)),
		Cron:   strings.Join(strings.Fields(string(*orEmpty(raw.Cron))), " "),
		For:    b.wait(path+".for", raw.For, 0, calendar.LeastFor, calendar.MostFor),
		Reason: b.text(path+".reason", raw.Reason, "", RuleTextSyntax, textFault),
	}
	for _, day := range raw.Days {
		s.Days = append(s.Days, string(day))
	}
	if len(raw.Days) == 0 && b.marks.has(path+".days") {
		b.require(path+".days", "write at least one, or remove the key for every day")
	}
	return s
}

// unreadSpan reports whether something of a span could not be read: then more
// can't be said of it.
func (b *builder) unreadSpan(path string, raw rawWindow) bool {
	for _, key := range []string{"days", "from", "to", "cron", "for"} {
		if b.marks.unread(child(path, key)) {
			return true
		}
	}
	for i := range raw.Days {
		if b.marks.unread(item(child(path, "days"), i)) {
			return true
		}
	}
	return false
}

// spanFault notes what the calendar says of a span. It does not say again what
// is out of its range, or written with nothing in it.
func (b *builder) spanFault(path string, s calendar.Span, f calendar.Fault) {
	at := path
	if f.Field != "" {
		at = child(path, f.Field)
	}
	switch {
	case f.Kind == calendar.Range, f.Kind == calendar.Missing && f.Field != "" && b.marks.has(at):
	case f.Kind == calendar.Missing && f.Field == "" && b.marks.has(child(path, "days")):
	case f.Kind == calendar.Missing && f.Field == "":
		b.problem(at, RuleRequired, "%s does not say when; %s", shown(at), f.Says)
	case f.Kind == calendar.Missing:
		b.require(at, f.Says)
	default:
		values := map[string]string{"days": strings.Join(s.Days, ", "), "from": s.From, "to": s.To, "for": calendar.PlainDuration(s.For)}
		b.refuse(at, RuleContradiction, values[f.Field], f.Says)
	}
}
