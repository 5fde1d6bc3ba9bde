package calendar

import "time"

// GivesUp reports whether At ends its search for the next change before it knows.
func GivesUp(c Calendar, t time.Time) bool {
	look := &search{left: foresight}
	c.at(t, look)
	return look.over()
}
