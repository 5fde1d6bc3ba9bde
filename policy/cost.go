package policy

import (
	"fmt"
	"strconv"
)

// Price is what so many instance-hours cost, like "12.50 EUR"; empty when the
// price is not known.
func (c Cost) Price(instanceHours float64) string {
	if c.InstanceHour == 0 {
		return ""
	}
	return c.Amount(instanceHours * c.InstanceHour)
}

// Amount is a sum of money as people read it.
func (c Cost) Amount(sum float64) string {
	return fmt.Sprintf("%s %s", strconv.FormatFloat(sum, 'f', 2, 64), c.Currency)
}
