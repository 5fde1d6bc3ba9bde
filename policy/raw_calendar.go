package policy

type rawCalendar struct {
	Zone    *zoneName   `yaml:"zone" jsonschema:"example=Europe/Berlin" jsonschema_description:"Time zone of every time below, by its name in the IANA database, or UTC."`
	Windows []rawWindow `yaml:"windows" jsonschema_description:"When the model may be moved forward. Default: always."`
	Freeze  []rawFreeze `yaml:"freeze" jsonschema_description:"When it may not, whatever the windows say. Default: never."`
}

type rawWindow struct {
	Days   rawDays   `yaml:"days" jsonschema_description:"Days of the week that it begins on. Default: every day."`
	From   *momentAt `yaml:"from" jsonschema_description:"When it begins: a clock time, a day, or a day with a clock time."`
	To     *momentAt `yaml:"to" jsonschema_description:"When it ends: a clock time, which is on the next day if from is later; the last day; or a day with a clock time."`
	Cron   *cronLine `yaml:"cron" jsonschema_description:"When it begins, instead of days and from."`
	For    *duration `yaml:"for" jsonschema_description:"How long it lasts, with cron; 1m to 720h."`
	Reason *string   `yaml:"reason" jsonschema_description:"What it is for; shown to those who wait."`
}

type rawFreeze struct {
	Days   rawDays   `yaml:"days" jsonschema_description:"Days of the week that it begins on. Default: every day."`
	From   *momentAt `yaml:"from" jsonschema_description:"When it begins: a clock time, a day, or a day with a clock time."`
	To     *momentAt `yaml:"to" jsonschema_description:"When it ends: a clock time, which is on the next day if from is later; the last day; or a day with a clock time."`
	Cron   *cronLine `yaml:"cron" jsonschema_description:"When it begins, instead of days and from."`
	For    *duration `yaml:"for" jsonschema_description:"How long it lasts, with cron; 1m to 720h."`
	Reason *string   `yaml:"reason" jsonschema:"required,example=end of the year" jsonschema_description:"Why nothing may move; shown to those who wait."`
}

// rawDays may be written as one word, too.
type rawDays []weekdays
