package policy

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"greenlight/policy/calendar"
)

// worded is a raw value that is written as one word. word gives what set reads:
// a text, or a number that needs no quotes.
type worded interface {
	word() any
}

func (d duration) word() any { return calendar.PlainDuration(time.Duration(d)) }

func (p percent) word() any { return Weight(p).String() }

func (n number) word() any { return json.Number(strconv.FormatFloat(float64(n), 'g', -1, 64)) }

func (a amount) word() any {
	if a.Count > 0 {
		return json.Number(strconv.Itoa(a.Count))
	}
	return a.Share.String()
}

func (s belowShare) word() any { return "<" + share(float64(s)).word().(string) }

func (d belowTime) word() any { return "<" + calendar.PlainDuration(time.Duration(d)) }

// word moves the point of the shortest number by two digits, so that what is
// read again is the very same number.
func (r ratio) word() any {
	whole, decimals, _ := strings.Cut(strconv.FormatFloat(float64(r), 'f', -1, 64), ".")
	decimals += "00"[:max(0, 2-len(decimals))]
	whole, decimals = strings.TrimLeft(whole+decimals[:2], "0"), decimals[2:]
	if whole == "" {
		whole = "0"
	}
	if decimals != "" {
		whole += "." + decimals
	}
	return whole + "%"
}

// share is the weight that a share was written as.
func share(part float64) percent { return percent(math.Round(part * float64(Full))) }
