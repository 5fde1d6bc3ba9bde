package policy

import (
	"math"
	"strconv"
	"time"

	"greenlight/policy/calendar"
)

// latency looks at a latency check in the list's entry at path.
func (w *warner) latency(path string, c Check) {
	l, at := c.Latency, path+".latency"
	file, key := l.Data, ".data"
	if l.Requests != "" {
		file, key = l.Requests, ".requests"
	}
	w.empty(at+key, file, "request")
	if most := l.mostMeasured(); most < l.needed() {
		w.warn(at+l.shortBy(w, at), RuleNeverPasses, "%s measures at most %d requests, and its %s needs %d to be kept; raise count, rate or for",
			shown(at), most, l.highest(), l.needed())
	}
	if least := l.leastTime(); c.Timeout < least {
		w.warn(path, RuleNeverPasses, "%s has the timeout %s, and its requests alone take at least %s; it never ends in time; raise timeout, or lower for or count",
			shown(at), calendar.PlainDuration(c.Timeout), calendar.PlainDuration(least.Truncate(time.Second)))
	}
	if w.used(c, "") {
		return
	}
	if l.Errors >= fullShare {
		w.warn(at+".errors", RuleNeverFails, "%s = 100%%; every request may fail; write the largest share that may, like 1%%", shown(at+".errors"))
	}
	for _, g := range l.Quantiles {
		key := at + "." + quantileKey(g.Quantile)
		if g.Max >= l.For {
			w.warn(key, RuleNeverFails, "%s = %s, and for = %s; what takes longer is no answer, so no answer is too slow; write the longest time that users may wait",
				shown(key), calendar.PlainDuration(g.Max), calendar.PlainDuration(l.For))
		}
		w.wide(key+"OfLive", g.OfLive, "the new color may take so many times as long as the live one")
	}
}

func quantileKey(q float64) string {
	key := strconv.FormatFloat(math.Round(q*1e5)/1e3, 'f', -1, 64)
	if key == "99.9" {
		return "p999"
	}
	return "p" + key
}

// highest is the highest quantile with a gate.
func (l *LatencyCheck) highest() string {
	return quantileKey(l.Quantiles[len(l.Quantiles)-1].Quantile)
}

// needed is how many latencies all quantiles with a gate need.
func (l *LatencyCheck) needed() int {
	return LatenciesNeeded(l.Quantiles[len(l.Quantiles)-1].Quantile)
}

// The replay measures in at most maxRounds rounds and warms up before; requests
// are sent for at least half of the time that the check has.
const maxRounds = 4

// mostMeasured bounds from above how many requests of a color are measured.
func (l *LatencyCheck) mostMeasured() int {
	return min(l.Count, maxRounds+int(l.Rate*l.For.Seconds()))
}

// shortBy is the key that the want of requests is put down to.
func (l *LatencyCheck) shortBy(w *warner, at string) string {
	for _, key := range []string{".count", ".for", ".rate"} {
		if w.has(at + key) {
			return key
		}
	}
	return ""
}

// leastTime bounds from below how long the replay takes, answers aside.
func (l *LatencyCheck) leastTime() time.Duration {
	all := float64(l.Warmup + l.Count)
	sending := math.Min(all/l.Rate, l.For.Seconds()/2) - (maxRounds+1)/l.Rate
	if l.NeedsLive() {
		sending *= 2
	}
	return time.Duration(max(0, sending) * float64(time.Second))
}
