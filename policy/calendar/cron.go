package calendar

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/cronexpr"
)

// cron begins when a cron expression says, up to the year 2099, where the
// parser's years end.
type cron struct{ expression *cronexpr.Expression }

// CronFault says what is wrong with a cron expression, or nothing.
func CronFault(text string) string {
	_, says := parseCron(text)
	return says
}

// maxBegins is how often a day something may begin. What begins more often is
// no calendar, and costs a long search.
const maxBegins = 24

func parseCron(text string) (cron, string) {
	if len(text) > 200 || len(strings.Fields(text)) != 5 {
		return cron{}, "write five fields (minute, hour, day, month, day of the week), like 0 9 * * mon-fri"
	}
	expression, err := cronexpr.Parse(text)
	if err != nil {
		return cron{}, fmt.Sprintf("%s; write minute, hour, day, month and day of the week, like 0 9 * * mon-fri", err)
	}
	c := cron{expression}
	first, ok := c.next(wall(time.Date(leastYear, 1, 1, 0, 0, 0, 0, time.UTC).Unix()))
	if !ok {
		return cron{}, "this never comes; write a day that its months have"
	}
	count, end := 0, (floor(first, dayLength)+1)*dayLength
	for at := first; ok && at < end; at, ok = c.next(at + 1) {
		count++
	}
	if count > maxBegins {
		return cron{}, fmt.Sprintf("it begins %d times a day, and %d is the most; write one that begins less often, and a longer for", count, maxBegins)
	}
	return c, ""
}

// next takes the clock's readings for those of UTC, where each comes once, and
// leaves it to instants what they mean in the zone.
func (c cron) next(w wall) (wall, bool) {
	expression := *c.expression // Next writes to it
	at := expression.Next(time.Unix(int64(w)-1, 0).UTC())
	return wall(at.Unix()), !at.IsZero()
}
