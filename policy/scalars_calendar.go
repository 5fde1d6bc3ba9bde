package policy

import (
	"github.com/invopop/jsonschema"

	"greenlight/policy/calendar"
)

// zoneName names a time zone.
type zoneName string

func (z *zoneName) set(text string) *fault {
	*z = zoneName(text)
	return faultOf(RuleTimeZone, calendar.ZoneFault(text))
}

// weekdays are a day of the week, or a range of them.
type weekdays string

func (d *weekdays) set(text string) *fault {
	*d = weekdays(text)
	return faultOf(RuleDays, calendar.DayFault(text))
}

// momentAt is a clock time, a date, or both.
type momentAt string

func (m *momentAt) set(text string) *fault {
	*m = momentAt(text)
	return faultOf(RuleTime, calendar.TimeFault(text))
}

// cronLine is a cron expression of five fields.
type cronLine string

func (c *cronLine) set(text string) *fault {
	*c = cronLine(text)
	return faultOf(RuleCron, calendar.CronFault(text))
}

func faultOf(rule, says string) *fault {
	if says == "" {
		return nil
	}
	return &fault{rule, says}
}

// JSONSchema describes how a time zone is named.
func (zoneName) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}$`, Examples: []any{"Europe/Berlin", "UTC"}}
}

// JSONSchema describes days of the week.
func (weekdays) JSONSchema() *jsonschema.Schema {
	const day = `(mon|tue|wed|thu|fri|sat|sun)`
	return &jsonschema.Schema{Type: "string", Pattern: "^" + day + "(-" + day + ")?$", Examples: []any{"sat", "mon-fri"}}
}

// JSONSchema describes a list of days, or one.
func (rawDays) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		weekdays("").JSONSchema(),
		{Type: "array", Items: weekdays("").JSONSchema()},
	}}
}

// JSONSchema describes a time.
func (momentAt) JSONSchema() *jsonschema.Schema {
	const clock, date = `([01][0-9]|2[0-3]):[0-5][0-9]|24:00`, `20[0-9]{2}-[01][0-9]-[0-3][0-9]`
	return &jsonschema.Schema{
		Type:     "string",
		Pattern:  "^(" + clock + "|" + date + "( (" + clock + "))?)$",
		Examples: []any{"09:00", "2026-12-20", "2026-12-20 18:00"},
	}
}

// JSONSchema describes a cron expression; what its fields hold is for the reader.
func (cronLine) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^\s*\S+(\s+\S+){4}\s*$`, Examples: []any{"0 9 * * mon-fri"}}
}
