package calendar

import "time"

// weekly begins at one clock time on some days of the week.
type weekly struct {
	days [7]bool // from Sunday, as time.Weekday
	from wall    // since midnight
}

func (b weekly) next(w wall) (wall, bool) {
	day := floor(w, dayLength)
	for range len(b.days) + 1 {
		if at := day*dayLength + b.from; at >= w && b.days[weekday(day)] {
			return at, true
		}
		day++
	}
	return 0, false
}

func (b weekly) daily() bool { return b.days == [7]bool{true, true, true, true, true, true, true} }

// weekday of a day since 1970-01-01, which was a Thursday.
func weekday(day wall) int { return int(((day+epochDay)%7 + 7) % 7) }

const epochDay = wall(time.Thursday)

func floor(a, b wall) wall {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// once begins once.
type once wall

func (b once) next(w wall) (wall, bool) { return wall(b), wall(b) >= w }
